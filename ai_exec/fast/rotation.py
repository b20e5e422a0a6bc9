"""RotaryEmbedding of binary32 in one compiled pass."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ai_exec.fast.compilation import compiled
from ai_exec.fast.layout import whole
from ai_exec.program import Node, Program
from ai_exec.tensor import Tensor


@compiled
def rotate(x: Any, cosine: Any, sine: Any, swapped: bool, together: bool, result: Any) -> None:
    """Rotate pairs of [sample, token, head, element], or with heads before tokens if swapped.

    Cosines and sines are [sample, token, pair]; pairs are neighbours if together.
    """
    half = cosine.shape[2]
    for sample in range(x.shape[0]):
        for outer in range(x.shape[1]):
            for inner in range(x.shape[2]):
                token = inner if swapped else outer
                row, target = x[sample, outer, inner], result[sample, outer, inner]
                first, second = cosine[sample, token], sine[sample, token]
                for pair in range(half):
                    left = 2 * pair if together else pair
                    right = 2 * pair + 1 if together else pair + half
                    u, v = np.float64(row[left]), np.float64(row[right])
                    c, s = np.float64(first[pair]), np.float64(second[pair])
                    target[left] = np.float32(c * u - s * v)
                    target[right] = np.float32(s * u + c * v)
                for place in range(2 * half, row.shape[0]):
                    target[place] = row[place]


def rotary(node: Node, program: Program) -> Callable[..., Tensor] | None:
    """Give the kernel of a RotaryEmbedding; None leaves it to the operator's own."""
    shape = program.operands[node.inputs[0]].shape
    if 0 in shape or program.operands[node.inputs[1]].dtype != "float32":
        return None
    heads: Any = node.attributes["num_heads"]
    swapped, together = len(shape) == 4, bool(node.attributes["interleaved"])
    flat = shape if swapped else (*shape[:2], heads, shape[2] // heads)
    tokens = (flat[0], flat[2] if swapped else flat[1])

    def kernel(x: Tensor, cosine: Tensor, sine: Tensor, places: Tensor | None = None) -> Tensor:
        caches = [cosine, sine]
        if places is not None:
            caches = [np.take(cache, places % cache.shape[0], axis=0) for cache in caches]
        first, second = (whole(cache, (*tokens, cosine.shape[-1])) for cache in caches)
        result = np.empty(flat, np.float32)
        rotate(whole(x, flat), first, second, swapped, together, result)
        return result.reshape(shape)

    return kernel
