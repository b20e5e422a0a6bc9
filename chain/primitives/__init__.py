"""Words of the chain: bytes, numbers, keys, transactions, blocks.  Pure."""
