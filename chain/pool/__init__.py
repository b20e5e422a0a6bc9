"""Transactions that wait for a block."""

from chain.pool.config import PoolConfig
from chain.pool.pool import Pool
from chain.pool.refusals import PoolRefused
from chain.pool.view import HeadView

__all__ = ["HeadView", "Pool", "PoolConfig", "PoolRefused"]
