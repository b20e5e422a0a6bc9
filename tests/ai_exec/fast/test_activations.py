"""Compiled activations give the bits of the operators' own kernels."""

import numpy as np
import pytest

import ai_exec.ops
from ai_exec.fast.activations import ACTIVATIONS
from ai_exec.registry import newest

EDGES = [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-45, -1e-45, 1e-20, -1e-20, 3e38, -3e38]
ATTRIBUTES: list[tuple[str, dict[str, object]]] = [
    ("Celu", {"alpha": 1.0}),
    ("Celu", {"alpha": 0.3}),
    ("Celu", {"alpha": -2.0}),
    ("Elu", {"alpha": 1.0}),
    ("Elu", {"alpha": -0.7}),
    ("Gelu", {"approximate": "none"}),
    ("Gelu", {"approximate": "tanh"}),
    ("Selu", {"alpha": 1.6732631921768188, "gamma": 1.0507010221481323}),
    ("Selu", {"alpha": 0.5, "gamma": -2.0}),
    ("Swish", {"alpha": 1.0}),
]

assert ai_exec.ops.__all__


@pytest.mark.parametrize(("name", "attributes"), ATTRIBUTES)
def test_same_bits(name: str, attributes: dict[str, object]) -> None:
    random = np.random.default_rng(5)
    x = np.concatenate([random.normal(size=2000) * 4, EDGES]).astype(np.float32)
    operator = newest("", name, 28)
    kernel = ACTIVATIONS[name](attributes)  # type: ignore[arg-type]
    assert operator is not None
    assert kernel is not None
    with np.errstate(all="ignore"):
        expected = np.asarray(operator.kernel(x, **attributes))
        found = kernel(x)
    differing = found.view(np.uint32) != expected.view(np.uint32)
    assert x[differing & ~(np.isnan(found) & np.isnan(expected))].tolist() == []


def test_swish_of_another_factor_is_left_to_the_operator() -> None:
    assert ACTIVATIONS["Swish"]({"alpha": 1.5}) is None
