"""Catching up: fetches final blocks with their certificates, checks them, hands them on."""

from chain.sync.blocks import BlockSync, ChainsDiverged

__all__ = ["BlockSync", "ChainsDiverged"]
