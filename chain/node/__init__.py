"""The node: one configuration, one composition root, parts that live and die together."""
