"""Models: the registry of programs that the chain can run."""
