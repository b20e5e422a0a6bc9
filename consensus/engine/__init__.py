"""What carries the core's effects out: log, signer, timers, messages, blocks."""
