"""What the rules of the chain say about a state, as JSON and as SCALE for clients."""

from chain.rpc.rules.answers import RuntimeAnswers

__all__ = ["RuntimeAnswers"]
