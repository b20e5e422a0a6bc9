"""Bytes on disk: the database, the state trie, blocks, and the content of blobs."""
