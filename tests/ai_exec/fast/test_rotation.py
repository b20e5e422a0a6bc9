"""RotaryEmbedding in one pass gives the bits of the operator's own kernel."""

import numpy as np
import pytest

from tests.support.single_node import assert_same_bits, hostile, one_node


@pytest.mark.parametrize("interleaved", [0, 1])
@pytest.mark.parametrize("partly", [0, 4])
def test_rotations(interleaved: int, partly: int) -> None:
    given = {"interleaved": interleaved, "rotary_embedding_dim": partly}
    half = (partly or 6) // 2
    for share in (0.0, 0.05):
        caches = {name: hostile(2, 3, half, share=share, seed=ord(name)) for name in "cs"}
        inputs = {"x": hostile(2, 4, 3, 6, share=share), **caches}
        assert_same_bits(one_node("RotaryEmbedding", inputs, opset=23, **given), inputs)
        inputs["x"] = hostile(2, 3, 24, share=share)
        program = one_node("RotaryEmbedding", inputs, opset=23, num_heads=4, **given)
        assert_same_bits(program, inputs)
        inputs |= {name: hostile(9, half, share=share, seed=ord(name)) for name in "cs"}
        inputs["p"] = np.array([[0, 8, 3], [-1, 20, 2]])
        program = one_node("RotaryEmbedding", inputs, opset=23, num_heads=4, **given)
        assert_same_bits(program, inputs)
