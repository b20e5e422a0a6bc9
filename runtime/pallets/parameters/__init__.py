"""Parameters: numbers of the rules that a vote may change."""

from runtime.pallets.parameters.pallet import Parameters, Rules

__all__ = ["Parameters", "Rules"]
