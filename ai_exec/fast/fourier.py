"""DFT and STFT of known lengths: tables of cosines and sines are made once."""

from collections.abc import Callable
from typing import Any, Final

from ai_exec.ops.fourier import framed, tables_of, transformed
from ai_exec.program import Node, Program
from ai_exec.tensor import Tensor

Kernel = Callable[..., Tensor]
ELEMENTS_MAX: Final = 1 << 20
"""Elements of a table that is kept; larger ones are made at each run, to save memory."""


def dft(node: Node, program: Program) -> Kernel | None:
    """Give the kernel of a DFT; None leaves it to the operator's own."""
    shape, result = (program.operands[name].shape for name in (node.inputs[0], node.outputs[0]))
    known = [program.constants.get(name) for name in node.inputs[1:] if name]
    if any(value is None for value in known):
        return None
    inverse, onesided = (int(bool(node.attributes[name])) for name in ("inverse", "onesided"))
    axis: Any = node.attributes.get("axis", -2)
    if len(node.inputs) > 2 and node.inputs[2]:
        axis = int(program.constants[node.inputs[2]].reshape(()))
    axis %= len(shape)
    count, bins = shape[axis], result[axis]
    if len(node.inputs) > 1 and node.inputs[1]:
        count = int(program.constants[node.inputs[1]].reshape(()))
    elif inverse and onesided:
        count = 2 * (count - 1)
    real = bool(inverse and onesided)
    parts = 2 if real else shape[-1]
    if parts * count * bins > ELEMENTS_MAX:
        return None
    tables = tuple(tables_of(count, bins, parts, inverse=bool(inverse), real=real))
    return lambda x, *others: transformed(x, axis, count, inverse, onesided, tables)


def stft(node: Node, program: Program) -> Kernel | None:
    """Give the kernel of an STFT; None leaves it to the operator's own."""
    signal = program.operands[node.inputs[0]].shape
    bins = program.operands[node.outputs[0]].shape[2]
    names = [*node.inputs, "", ""][:4]
    length = signal[1]
    if names[3]:
        if names[3] not in program.constants:
            return None
        length = int(program.constants[names[3]].reshape(()))
    elif names[2]:
        length = program.operands[names[2]].shape[0]
    onesided: Any = node.attributes["onesided"]
    if signal[2] * length * bins > ELEMENTS_MAX:
        return None
    tables = tuple(tables_of(length, bins, signal[2], inverse=False, real=False))

    def kernel(
        x: Tensor,
        step: Tensor,
        window: Tensor | None = None,
        frame_length: Tensor | None = None,
    ) -> Tensor:
        return framed(x, step, window, frame_length, onesided, tables)

    return kernel
