"""Attribution outside the chain: what rows were worth, computed anew from public content."""
