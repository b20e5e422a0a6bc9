"""Multisig: accounts that several keys hold together."""

from runtime.pallets.multisig.pallet import Multisig, MultisigConfig
from runtime.pallets.multisig.stored import Operation, multi_account

__all__ = ["Multisig", "MultisigConfig", "Operation", "multi_account"]
