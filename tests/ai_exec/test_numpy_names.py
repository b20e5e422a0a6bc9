"""Kernels call only what of numpy gives the same bits everywhere."""

import ast
from pathlib import Path

import pytest

ROOM = Path(__file__).parents[2] / "ai_exec"
SOURCES = sorted([*(ROOM / "ops").glob("*.py"), *(ROOM / "semantics").glob("*.py")])

EXACT = {
    *("abs", "add", "ceil", "copysign", "divide", "floor", "floor_divide", "fmod", "frexp"),
    *("ldexp", "maximum", "minimum", "mod", "multiply", "negative", "rint", "sign", "sqrt"),
    *("subtract", "trunc", "clip", "argmax", "argmin"),
    *("equal", "greater", "greater_equal", "less", "less_equal", "isfinite", "isinf", "isnan"),
    *("array_equal", "isin"),
    *("logical_and", "logical_not", "logical_or", "logical_xor", "signbit", "where", "any"),
    *(
        "not_equal",
        "bitwise_and",
        "bitwise_or",
        "bitwise_xor",
        "invert",
        "left_shift",
        "right_shift",
    ),
    *(
        "dtype",
        "errstate",
        "float32",
        "float64",
        "iinfo",
        "inf",
        "int8",
        "int32",
        "int64",
        "uint64",
        "bool_",
        "float16",
        "uint8",
        "uint16",
        "uint32",
    ),
    *("nan", "ndarray", "newaxis"),
    *("arange", "array", "asarray", "full", "full_like", "ones", "ones_like", "zeros"),
    *("zeros_like", "ascontiguousarray", "atleast_2d", "broadcast_arrays", "broadcast_shapes"),
    *(
        "diagonal",
        "broadcast_to",
        "concatenate",
        "expand_dims",
        "flip",
        "moveaxis",
        "pad",
        "split",
        "squeeze",
        "stack",
    ),
    *("searchsorted", "take", "take_along_axis", "tile", "transpose", "unique", "diagonal"),
}
"""Operations that IEEE 754 or integers define, choices, and movement."""

ONLY_ON_WHOLE_NUMBERS = {
    "argsort": {"choosing.py", "forests.py", "suppression.py"},
    "cumprod": {"reductions.py", "running.py"},
    "cumsum": {"choosing.py", "forests.py", "kernel_machines.py", "picking.py", "running.py"},
    "lexsort": {"choosing.py"},
    "matmul": {"einsum.py", "linear.py", "numerics.py"},
    "max": {"numerics.py"},
    "min": {"numerics.py"},
    "sum": {"numerics.py", "reductions.py"},
}
"""Exact on whole numbers in any order, or made so (zeros of `max`); where they are looked after.

Running sums and products of floats go strictly in index order.

Sorting is stable there, of keys that are whole numbers.
"""


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_names_of_numpy(path: Path) -> None:
    used = {
        node.attr
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "np"
    }
    here = {name for name, files in ONLY_ON_WHOLE_NUMBERS.items() if path.name in files}

    assert used - EXACT - here == set()
