"""Initial parameters: the same bytes for the same seed everywhere, by whole numbers."""

from collections.abc import Mapping, Sequence
from math import isqrt, prod
from typing import Any

import numpy as np
import numpy.typing as npt

from chain.primitives.hashing import blake2_256
from cli.training.layers import Parameter

Array = npt.NDArray[Any]


def initial(parameters: Sequence[Parameter], seed: int) -> Mapping[str, Array]:
    """Give weights spread evenly within the square root of 6 over their fan in, biases zero."""
    return {
        each.name: _spread(each, seed) if each.fan_in else np.zeros(each.shape, np.float32)
        for each in parameters
    }


def _spread(parameter: Parameter, seed: int) -> Array:
    """Give whole numbers of 24 bits times one factor that is a whole number over 2^43."""
    count = prod(parameter.shape)
    begin = b"noema-initial" + seed.to_bytes(8, "little") + parameter.name.encode() + b"\0"
    blocks = (blake2_256(begin + at.to_bytes(8, "little")) for at in range((count + 7) // 8))
    words = np.frombuffer(b"".join(blocks), "<u4")[:count] >> np.uint32(8)
    centred = 2 * words.astype(np.int64) + 1 - (1 << 24)
    limit = isqrt((6 << 40) // parameter.fan_in)
    # Each product has fewer than 53 bits, so only the last step rounds.
    values = (centred * limit).astype(np.float64) * 2.0**-44
    return values.astype(np.float32).reshape(parameter.shape)
