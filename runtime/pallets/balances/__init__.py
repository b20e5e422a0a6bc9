"""Balances: who owns how much, and how it moves."""

from runtime.pallets.balances.pallet import Balances, BalancesConfig

__all__ = ["Balances", "BalancesConfig"]
