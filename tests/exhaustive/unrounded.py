"""The fast engine's passes without their last rounding: the same source, with results in binary64.

Numbers that a pass mends, because binary64 rounds them wrongly, give NaN here.
"""

import inspect
import sys
from collections.abc import Callable
from types import ModuleType

import numpy as np

from ai_exec.fast import passes, scalar, trigonometry

Unrounded = Callable[[np.ndarray, np.ndarray], None]

_NAMES = {module.__name__: f"unrounded_{module.__name__.split('.')[-1]}" for module in (scalar,)}
_REPLACED = (
    ("return np.float32(", "return np.float64("),
    ("result[place] = np.float32(", "result[place] = np.float64("),
    ("value = right[place] if x == hard[place]", "value = np.nan if x == hard[place]"),
)


def _changed(module: ModuleType) -> ModuleType:
    """Compile a module's source without roundings, on top of those that were changed before."""
    source = inspect.getsource(module)
    for name, other in _NAMES.items():
        source = source.replace(f"from {name} import", f"from {other} import")
    for written, wanted in _REPLACED:
        source = source.replace(written, wanted)
    name = f"unrounded_{module.__name__.split('.')[-1]}"
    changed = sys.modules[name] = ModuleType(name)
    _NAMES[module.__name__] = name
    exec(compile(source, name, "exec"), changed.__dict__)
    return changed


_changed(scalar)
_changed(trigonometry)
PASSES: dict[str, Unrounded] = _changed(passes).PASSES


def apply(name: str, x: np.ndarray) -> np.ndarray:
    """Give the binary64 results that the pass of a function rounds."""
    result = np.empty(x.shape, np.float64)
    PASSES[name](x, result)
    return result
