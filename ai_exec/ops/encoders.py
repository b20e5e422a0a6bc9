"""From categories to numbers: encoders of ai.onnx.ml, of categories that are numbers."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from ai_exec.metering import per_element
from ai_exec.ops.linear_models import FEATURES
from ai_exec.ops.rules import require_rank
from ai_exec.registry import ML, Call, Mismatch, Operand, earlier, operator
from ai_exec.semantics.numerics import cast
from ai_exec.tensor import Tensor

Floats = tuple[float, ...]
Wholes = tuple[int, ...]
Words = tuple[str, ...]
KINDS: Final = (("tensor", ""), ("floats", "float32"), ("int64s", "int64"))
KEYS: Final = ("float32", "float64", "int16", "int32", "int64")


def _categories(call: Call) -> tuple[Operand, ...]:
    data = call.at(0)
    categories = call.wholes("cats_int64s") or ()
    if not categories or call.attributes["cats_strings"]:
        raise Mismatch("categories are texts: export the model with categories that are numbers")
    if len(np.unique(np.array(categories, np.int64))) != len(categories):
        raise Mismatch("a category is there twice")
    require_rank(data, range(8), "X")
    return (Operand("float32", (*data.shape, len(categories))),)


@operator(
    "OneHotEncoder", since=1, domain=ML, infer=_categories, cost=per_element(5_000), values=FEATURES
)
def one_hot_encoder(
    x: Tensor,
    *,
    cats_int64s: Wholes | None = None,
    cats_strings: Words | None = None,
    zeros: int = 1,
) -> Tensor:
    """1 at the place of the element's category, which `Cast` makes an int64, else 0.

    An unknown category has zeros only, whatever `zeros` says.
    """
    categories = np.array(cats_int64s, np.int64)
    places = cast(x, "int64")[..., np.newaxis]
    return np.equal(places, categories).astype(np.float32)


def listed_in(attributes: Mapping[str, Any], what: str) -> Tensor:
    """Give the keys or the values that attributes list; raises Mismatch unless once."""
    given = [
        (attributes[f"{what}_{kind}"], dtype)
        for kind, dtype in KINDS
        if attributes.get(f"{what}_{kind}") is not None
    ]
    if attributes.get(f"{what}_strings") is not None:
        raise Mismatch(f"{what} are texts: export the model with numbers")
    if len(given) != 1:
        raise Mismatch(f"{len(given)} lists of {what}, one is needed")
    listed, dtype = given[0]
    array: Tensor = listed if isinstance(listed, np.ndarray) else np.array(listed, dtype)
    return array.reshape(-1)


def default_of(attributes: Mapping[str, Any], dtype: str) -> Tensor:
    """Give the value of elements that are no key, one number of the values' type."""
    tensor = attributes.get("default_tensor")
    if isinstance(attributes.get("values_tensor"), np.ndarray):
        found = np.asarray(-0.0 if dtype.startswith("float") else -1) if tensor is None else tensor
    elif tensor is not None:
        raise Mismatch("default_tensor without values_tensor")
    else:
        name = "default_float" if dtype.startswith("float") else "default_int64"
        found = np.asarray(attributes[name])
    if found.size != 1:
        raise Mismatch(f"{found.size} elements in default_tensor")
    return found.reshape(()).astype(dtype)


def _labels(call: Call) -> tuple[Operand, ...]:
    data = call.at(0)
    keys, values = listed_in(call.attributes, "keys"), listed_in(call.attributes, "values")
    if keys.size != values.size or not keys.size:
        raise Mismatch(f"{keys.size} keys for {values.size} values")
    if values.dtype.name not in KEYS:
        raise Mismatch(f"values of {values.dtype}, not of {', '.join(KEYS)}")
    if data.dtype != keys.dtype.name:
        raise Mismatch(f"keys of {keys.dtype} for {data}")
    default_of(call.attributes, values.dtype.name)
    return (Operand(values.dtype.name, data.shape),)


def _labels_cost(call: Call) -> int:
    keys = listed_in(call.attributes, "keys").size
    return per_element(100_000 + 6_000 * keys.bit_length())(call)


def encoded(x: Tensor, keys: Tensor, values: Tensor, default: Tensor) -> Tensor:
    """Give the value whose key equals the element, the last of equal keys, or the default."""
    ordered, last = np.unique(keys[::-1], return_index=True)
    place = np.minimum(np.searchsorted(ordered, x), ordered.size - 1)
    key = ordered[place]
    equal = (key == x) | ((key != key) & (x != x))
    return np.where(equal, values[::-1][last][place], default)


@operator("LabelEncoder", since=4, domain=ML, infer=_labels, cost=_labels_cost, values=KEYS)
def label_encoder(
    x: Tensor,
    *,
    default_float: float = -0.0,
    default_int64: int = -1,
    default_string: str = "_Unused",
    default_tensor: Tensor | None = None,
    keys_floats: Floats | None = None,
    keys_int64s: Wholes | None = None,
    keys_strings: Words | None = None,
    keys_tensor: Tensor | None = None,
    values_floats: Floats | None = None,
    values_int64s: Wholes | None = None,
    values_strings: Words | None = None,
    values_tensor: Tensor | None = None,
) -> Tensor:
    """The value whose key equals the element, the last of equal keys; NaN equals NaN."""
    attributes = {
        "default_float": default_float,
        "default_int64": default_int64,
        "default_tensor": default_tensor,
        "keys_floats": keys_floats,
        "keys_int64s": keys_int64s,
        "keys_tensor": keys_tensor,
        "values_floats": values_floats,
        "values_int64s": values_int64s,
        "values_tensor": values_tensor,
    }
    values = listed_in(attributes, "values")
    default = default_of(attributes, values.dtype.name)
    return encoded(x, listed_in(attributes, "keys"), values, default)


earlier(
    "LabelEncoder",
    since=2,
    of=4,
    domain=ML,
    lacks=("default_tensor", "keys_tensor", "values_tensor"),
)
