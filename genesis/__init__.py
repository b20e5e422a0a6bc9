"""From a chain specification to block zero."""
