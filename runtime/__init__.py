"""Rules of the chain: maps (state, block) to (changes, events, results, next validators).  Pure."""
