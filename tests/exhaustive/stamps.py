"""Stamps of functions: digests of all code and constants that they reach within ai_exec.

Comments, docstrings, layout and code that is not reached do not count, so that a proof stays valid
until something that it speaks of changes.
"""

import inspect
import io
import textwrap
import tokenize
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import partial
from hashlib import blake2b
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from ai_exec.fast import passes
from ai_exec.fast.activations import ACTIVATIONS
from ai_exec.fast.kernels import PREPARATIONS
from ai_exec.registry import all_operators
from ai_exec.semantics import functions, wide

ROOM = "ai_exec"
_LAYOUT = (
    *(tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT),
    *(tokenize.ENDMARKER, tokenize.ENCODING),
)


def stamp_of(name: str) -> str:
    """Give the stamp of a function of one number: the fast engine's pass and the reference."""
    reached = passes.PASSES[name], functions.FUNCTIONS[name], functions.apply, wide.FUNCTIONS[name]
    return digest_of(*reached)


def stamp_of_operator(name: str) -> str:
    """Give the stamp of an operator: its kernel, and what the fast engine prepares for it."""
    domain, _, operator = name.rpartition(".")
    kernel = max(
        (one for one in all_operators() if (one.domain, one.name) == (domain, operator)),
        key=lambda one: one.since,
    ).kernel
    expm1 = functions.FUNCTIONS["expm1"], wide.FUNCTIONS["expm1"]
    return digest_of(kernel, PREPARATIONS.get(operator), ACTIVATIONS.get(operator), *expm1)


def digest_of(*reached: Any) -> str:
    """Digest some objects and all that they reach."""
    parts: dict[str, None] = {}
    for place, found in enumerate(reached):
        _gather(str(place), found, parts)
    return blake2b("\n".join(sorted(parts)).encode(), digest_size=16).hexdigest()


def _gather(name: str, found: Any, parts: dict[str, None]) -> None:
    """Write what an object is, with its name, and go on to what it reaches."""
    found = getattr(found, "py_func", getattr(found, "__wrapped__", found))
    if isinstance(found, FunctionType):
        text = f"{name} is {_code(found)}"
        if found.__module__.startswith(ROOM) and text not in parts:
            parts[text] = None
            for other, value in _reached(found):
                _gather(other, value, parts)
    elif isinstance(found, partial):
        _gather(name, (found.func, *found.args), parts)
    elif is_dataclass(found) and not isinstance(found, type):
        for one in fields(found):
            _gather(f"{name}.{one.name}", getattr(found, one.name), parts)
    elif isinstance(found, tuple | list):
        for place, value in enumerate(found):
            _gather(f"{name}.{place}", value, parts)
    elif isinstance(found, np.ndarray | np.generic):
        parts[f"{name} = {found.dtype} {found.tolist()!r}"] = None
    elif isinstance(found, int | float | str):
        parts[f"{name} = {found!r}"] = None


def _code(function: Callable[..., Any]) -> str:
    """Give the words of a function, with its name, without comments, layout and docstring."""
    source = textwrap.dedent(inspect.getsource(function))
    words: list[str] = []
    line_starts = True
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in _LAYOUT:
            line_starts |= token.type == tokenize.NEWLINE
        elif token.type == tokenize.STRING and line_starts:
            continue
        else:
            words.append(token.string)
            line_starts = False
    return f"{function.__name__} {''.join(words)}"


def _reached(function: Any) -> Iterator[tuple[str, Any]]:
    """Give all that a function uses of the room, and what it encloses, by name."""
    names = tuple(_names(function.__code__))
    scope: Mapping[str, Any] = function.__globals__
    for name in names:
        value = scope.get(name)
        if isinstance(value, ModuleType) and value.__name__.startswith(ROOM):
            yield from ((other, vars(value)[other]) for other in names if other in vars(value))
        elif name in scope:
            yield name, value
    enclosed = tuple(cell.cell_contents for cell in function.__closure__ or ())
    yield f"{function.__name__} encloses", enclosed
    yield f"{function.__name__} takes", function.__defaults__ or ()


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _names(inner)
