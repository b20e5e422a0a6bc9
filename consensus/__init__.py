"""Agreement on one block a height: the pure rules (core) and what carries them out (engine)."""
