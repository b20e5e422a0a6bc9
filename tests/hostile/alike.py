"""Whether engines, ways of products, runs before and bits of NaNs make no difference to a graph."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

import numpy as np

import ai_exec
from ai_exec.fast.executable import FastExecutable
from ai_exec.fast.products import BYTES, PAIRS, WIDE
from ai_exec.program import Program
from ai_exec.tensor import Tensor
from tests.hostile.graphs import Piece, random_graph
from tests.hostile.open_graphs import judge_open_graph
from tests.hostile.trial import RUN_GAS_MAX, told

Inputs = Mapping[str, Tensor]
OPEN_EVERY = 4
"""Of so many graphs one has an open axis."""


def judge_graph(pieces: Sequence[Piece], number: int) -> tuple[str, str]:
    """Make the graph of a number and run it every way; a word, and what went wrong."""
    if number % OPEN_EVERY == OPEN_EVERY - 1:
        return judge_open_graph(number)
    content, inputs = random_graph(pieces, Random(f"graph {number}"))
    admission = ai_exec.admit(content)
    if not admission.admitted:
        return "refused", admission.reasons[0]
    if admission.cost > RUN_GAS_MAX:
        return "dear", f"{admission.cost} gas"
    assert admission.program is not None
    given = {declared.name: inputs[declared.name] for declared in admission.inputs}
    return judge_program(admission.program, given)


def judge_program(program: Program, inputs: Inputs) -> tuple[str, str]:
    """Run a program every way on inputs; a word, and what went wrong."""
    before = {name: tensor.tobytes() for name, tensor in inputs.items()}
    expected = _outcome(ai_exec.compile(program, "reference"), inputs)
    fast: Any = ai_exec.compile(program, "fast")
    other = _odd_nans(inputs)
    found = {
        "fast": _outcome(fast, inputs),
        "reference, other bits of NaN": _outcome(ai_exec.compile(program, "reference"), other),
        "fast, other bits of NaN": _outcome(fast, other),
        "fast after other inputs": _outcome(_used(fast, inputs), inputs),
    }
    for name, products in (("wide", WIDE), ("pairs", PAIRS), ("bytes", BYTES)):
        if program.specialise is None:
            found[f"fast, {name} products"] = _outcome(FastExecutable(program, products), inputs)
    for way, result in found.items():
        if result != expected:
            return "failed", f"{way} {_where(program, inputs)}: {result} instead of {expected}"
    if before != {name: tensor.tobytes() for name, tensor in inputs.items()}:
        return "failed", "inputs were written"
    return ("trapped" if expected.startswith("trap") else "ran"), expected


def _outcome(executable: Any, inputs: Inputs) -> str:
    try:
        return told(executable.run(inputs))
    except ai_exec.Trap as trap:
        return f"trap: {trap}"
    except Exception as error:
        # A border: that an engine raises is what this looks for.
        return f"raised {error!r}"


def _used(executable: Any, inputs: Inputs) -> Any:
    """Run on inputs of the same types that share no number with these."""
    _outcome(
        executable,
        {name: tensor[::-1] if tensor.ndim else tensor for name, tensor in inputs.items()},
    )
    return executable


def _odd_nans(inputs: Inputs) -> Inputs:
    """Give the inputs with each NaN of another sign and payload."""
    changed = {}
    for name, tensor in inputs.items():
        changed[name] = tensor = tensor.copy()
        if tensor.dtype in (np.float32, np.float64):
            odd = np.array(0xFFC12345 if tensor.dtype == np.float32 else 0xFFF8123456789ABC)
            bits = tensor.view(f"u{tensor.itemsize}")
            bits[np.isnan(tensor)] = odd.astype(bits.dtype)
    return changed


def _where(program: Program, inputs: Inputs) -> str:
    """Write the program in short: enough to see what it is about."""
    shown = [f"{node.operator.name}{node.operator.since}" for node in program.nodes]
    return f"[{' '.join(shown[:40])}] on {', '.join(str(each) for each in program.inputs)}"
