"""The fast engine: the bits of the reference engine, sooner."""
