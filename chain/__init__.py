"""The blockchain: its words, its storage, its network, its node."""
