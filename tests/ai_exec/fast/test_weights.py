"""What is made of constants is made once for each, and never taken for another's."""

import numpy as np

from ai_exec.fast import weights as module
from ai_exec.fast.weights import Weights
from ai_exec.tensor import Tensor


def test_the_same_form_is_made_once() -> None:
    weights, constant = Weights(), np.ones(3)

    first = weights.ready(constant, "double", lambda value: value * 2)
    assert weights.ready(constant, "double", lambda value: value * 3) is first
    assert weights.ready(constant, "triple", lambda value: value * 3).tolist() == [3.0] * 3


def test_an_array_that_is_gone_leaves_nothing_to_its_successor() -> None:
    weights, numbers = Weights(), iter(range(100))
    kept = []

    def double(value: Tensor) -> Tensor:
        made: Tensor = value * 2
        return made

    for number in numbers:
        # A new array usually gets the place of the last one, which is gone, and so its number.
        constant = np.full(3, float(number))
        kept.append(weights.ready(constant, "double", double))
        del constant

    assert [made.tolist() for made in kept] == [[2.0 * number] * 3 for number in range(100)]
    assert len(weights._sources) == 0
    assert module.aligned(kept[0]) is kept[0]
