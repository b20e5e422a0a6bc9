"""Products and convolutions of bytes: by own tiles where the processor has the instruction.

Elsewhere, and for groups, on onnxruntime, where a self test finds them exact.
Left operands are made unsigned and weights signed, which is the fast way where processors add
products in 32 bits; where pairs of products saturate, weights are unsigned as well.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
import onnxruntime
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidArgument, RuntimeException

from ai_exec.fast import files
from ai_exec.fast.byte_kernels import kernel_of
from ai_exec.ops.quantised_products import mat_mul_integer, q_linear_conv, q_linear_mat_mul
from ai_exec.program import Node, Program
from ai_exec.registry import Attributes
from ai_exec.tensor import Shape, Tensor

Kernel = Callable[..., Tensor]

HALF: Final = np.uint8(0x80)
LEAST: Final = np.float32(2.0**-100)
MOST: Final = np.float32(2.0**100)
"""Factors beyond these are left to the operator's own kernel."""


def flipped(tensor: Tensor) -> Tensor:
    """Give bytes 128 higher or lower, of the other type."""
    other = np.uint8 if tensor.dtype == np.int8 else np.int8
    return np.asarray(tensor.view(np.uint8) ^ HALF).view(other)


def as_type(tensor: Tensor, dtype: str) -> Tensor:
    """Give bytes as another type of bytes; their distance from a zero point stays."""
    return tensor if tensor.dtype == np.dtype(dtype) else flipped(tensor)


@dataclass(frozen=True, slots=True)
class Roles:
    """Which inputs of an operator are what."""

    left: int
    left_zero: int
    weights: int
    weights_zero: int
    result_zero: int | None = None
    """Of operators that give bytes."""
    scales: tuple[int, ...] = ()


ROLES: Final = {
    "MatMulInteger": Roles(0, 2, 1, 3),
    "ConvInteger": Roles(0, 2, 1, 3),
    "QLinearMatMul": Roles(0, 2, 3, 5, 7, (1, 4, 6)),
    "QLinearConv": Roles(0, 2, 3, 5, 7, (1, 4, 6)),
}


@dataclass(frozen=True, slots=True)
class Place:
    """An input that is known at a run only."""

    dtype: str
    shape: Shape


def may_be_bytes(node: Node, program: Program) -> bool:
    """Tell whether a node of the quantised family has operands that kernels here take."""
    constants = [program.constants.get(name) for name in node.inputs]
    return _fits(node, program, constants, ROLES[node.operator.name])


def product_kernel(node: Node, program: Program) -> Kernel | None:
    """Give a kernel for a product of bytes with constant weights, or None."""
    constants = [program.constants.get(name) for name in node.inputs]
    roles = ROLES[node.operator.name]
    if not _fits(node, program, constants, roles):
        return None
    own = kernel_of(node, program, program.operands[node.inputs[roles.left]].shape)
    if own is not None:
        return own
    weights = byte_weights()
    if weights is None or not _has_one_zero(constants, roles):
        return None
    operands: list[Tensor | Place | None] = []
    for name, constant in zip(node.inputs, constants, strict=True):
        operand = program.operands.get(name)
        place = None if operand is None else Place(operand.dtype, operand.shape)
        operands.append(place if constant is None else constant)
    result = program.operands[node.outputs[0]]
    return bound(
        node.operator.name, node.attributes, operands, Place(result.dtype, result.shape), weights
    )


def _fits(node: Node, program: Program, constants: list[Tensor | None], roles: Roles) -> bool:
    """Tell whether onnxruntime takes these operands, and rounds as we do."""
    operand = program.operands[node.inputs[roles.left]]
    weights = constants[roles.weights]
    if weights is None or operand.rank < 2 or not weights.size or 0 in operand.shape:
        return False
    if "Mat" in node.operator.name and weights.ndim != 2:
        return False
    for index, constant in enumerate(constants):
        name = node.inputs[index]
        known = not name or constant is not None or index in (roles.left, roles.left_zero)
        if not known:
            return False
    left_zero = node.inputs[roles.left_zero] if roles.left_zero < len(node.inputs) else ""
    if left_zero and program.operands[left_zero].shape not in ((), (1,)):
        return False
    if not roles.scales:
        return True
    left, right, result = (constants[index] for index in roles.scales)
    assert left is not None and right is not None and result is not None  # noqa: PT018
    if left.size != 1 or result.size != 1 or right.ndim > 1:
        return False
    with np.errstate(all="ignore"):
        factor = left.reshape(()) * right / result.reshape(())
    return bool(np.all((factor > LEAST) & (factor < MOST)))


def _has_one_zero(constants: list[Tensor | None], roles: Roles) -> bool:
    """Tell whether all columns of the weights have one zero point, as onnxruntime wants."""
    zeros = constants[roles.weights_zero] if roles.weights_zero < len(constants) else None
    return zeros is None or not zeros.size or bool(np.all(zeros == zeros.reshape(-1)[0]))


def bound(
    operator: str,
    attributes: Attributes,
    operands: list[Tensor | Place | None],
    result: Place,
    weights: str,
) -> Kernel:
    """Give a kernel that takes what the operator takes."""
    roles = ROLES[operator]
    operands = operands + [None] * (max(roles.left_zero, roles.weights_zero) + 1 - len(operands))
    left, kernels = operands[roles.left], operands[roles.weights]
    assert isinstance(left, Place)
    assert isinstance(kernels, np.ndarray)
    # A zero point that is left out is 0: it has to be there where the other operand is flipped.
    for role, dtype in ((roles.left_zero, left.dtype), (roles.weights_zero, kernels.dtype)):
        if operands[role] is None:
            operands[role] = np.zeros((), dtype)
    zeros = operands[roles.weights_zero]
    if not roles.scales and isinstance(zeros, np.ndarray):
        # All are equal, and onnxruntime wants one.
        operands[roles.weights_zero] = zeros.reshape(-1)[:1].reshape(())
    types = {roles.left: "uint8", roles.left_zero: "uint8"}
    types |= {roles.weights: weights, roles.weights_zero: weights}
    if roles.result_zero is not None:
        types[roles.result_zero] = "uint8"
    names, tensors, inputs, given = [], [], [], []
    for index, operand in enumerate(operands):
        name = "" if operand is None else f"i{index}"
        names.append(name)
        if isinstance(operand, Place):
            dtype = types.get(index, operand.dtype)
            inputs.append(files.value(name, dtype, operand.shape))
            given.append((index, name, dtype))
        elif operand is not None:
            kept = as_type(operand, types[index]) if index in types else operand
            tensors.append(files.constant(name, np.ascontiguousarray(kept).reshape(kept.shape)))
    bytes_given = roles.result_zero is not None
    output = files.value("y", "uint8" if bytes_given else "int32", result.shape)
    session = _session(
        files.model(
            (files.node(operator, tuple(names), ("y",), attributes),),
            tuple(tensors),
            tuple(inputs),
            (output,),
        )
    )

    def kernel(*tensors: Tensor | None) -> Tensor:
        fed = {}
        for index, name, dtype in given:
            tensor = tensors[index]
            assert tensor is not None
            fed[name] = as_type(np.ascontiguousarray(tensor).reshape(tensor.shape), dtype)
        found: Tensor = session.run(["y"], fed)[0]
        return as_type(found, result.dtype) if bytes_given else found

    return kernel


def _session(content: bytes) -> Any:
    try:
        return onnxruntime.InferenceSession(
            content, files.options(optimised=True), providers=["CPUExecutionProvider"]
        )
    except (Fail, RuntimeException) as error:
        # The file is ours and the self test has made sessions: what may be missing is memory.
        raise MemoryError(str(error)) from error


@cache
def byte_weights() -> str | None:
    """Give the type of weights whose products are exact here, the faster one first, or None."""
    return next((dtype for dtype in ("int8", "uint8") if is_exact(dtype)), None)


def is_exact(weights: str) -> bool:
    """Compare products and convolutions of the worst operands, and roundings, with our own."""
    try:
        return all(
            np.array_equal(kernel(*given), expected) for kernel, given, expected in _trials(weights)
        )
    except (MemoryError, InvalidArgument):
        return False


def _step(length: int) -> np.float32:
    """A power of two, so that there are ties, by which few results saturate."""
    return np.float32(32 << length.bit_length())


def _trials(weights: str) -> Iterator[tuple[Kernel, tuple[Tensor, ...], Tensor]]:
    """Give kernels with operands and true results: extremes that take turns, ties, depth 1."""
    low, high = (-128, 127) if weights == "int8" else (0, 255)
    for rows, length, columns in ((1, 2, 16), (3, 7, 17), (4, 65, 33), (9, 300, 48)):
        turns = [np.arange(length) // step % 2 == 0 for step in (1, 2, 4, length)]
        left = np.stack([np.where(turns[i % 4], 255, i % 3) for i in range(rows)]).astype(np.uint8)
        picked = [np.where(turns[(i + 1) % 4], high, low + i % 2) for i in range(columns)]
        right = np.stack(picked, axis=1).astype(weights)
        zeros = np.array(3, np.uint8), np.array(low + 5, weights)
        integers: list[Tensor | Place | None] = [Place("uint8", left.shape), right, *zeros]
        result = Place("int32", (rows, columns))
        kernel = bound("MatMulInteger", {}, integers, result, weights)
        yield kernel, (left, right), mat_mul_integer(left, right, *zeros)
        scales = np.float32(0.5), np.full(columns, 0.25, np.float32), _step(length)
        tail = (np.array(9, np.uint8),)
        both = (np.full(columns, low + 5, weights), scales[2], *tail)
        linear = (np.asarray(scales[0]), zeros[0], right, scales[1], both[0], np.asarray(both[1]))
        known: list[Tensor | Place | None] = [Place("uint8", left.shape), *linear, *tail]
        kernel = bound("QLinearMatMul", {}, known, Place("uint8", (rows, columns)), weights)
        yield kernel, (left,), q_linear_mat_mul(left, *linear, *tail)
    for channels, maps, group in ((3, 5, 1), (16, 32, 1), (64, 16, 1), (32, 32, 32), (4, 8, 2)):
        size = np.arange(2 * channels * 81).reshape(2, channels, 9, 9)
        x = np.where(size * 7 % 5 < 3, 255 - size % 2, size % 256).astype(np.uint8)
        shape = (maps, channels // group, 3, 3)
        places = np.arange(np.prod(shape)).reshape(shape)
        w = np.where(places % 3, high, low + places % 2).astype(weights)
        steps: Attributes = {"group": group, "pads": (1, 1, 1, 1), "strides": (1, 2)}
        scale = np.full(maps, 0.5, np.float32)
        given = (
            *(np.array(0.5, np.float32), np.array(2, np.uint8), w, scale),
            *(np.full(maps, low + 1, weights), np.asarray(_step(w[0].size))),
            *(np.array(7, np.uint8), np.arange(maps, dtype=np.int32)),
        )
        place: list[Tensor | Place | None] = [Place("uint8", x.shape), *given]
        kernel = bound("QLinearConv", steps, place, Place("uint8", (2, maps, 9, 5)), weights)
        expected = q_linear_conv(x, *given, **steps)  # type: ignore[arg-type]
        yield kernel, (x,), expected
