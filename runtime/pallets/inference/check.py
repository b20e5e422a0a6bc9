"""Whether an input is what a model takes: names, element types and shapes.  Pure."""

from collections.abc import Sequence
from math import prod

from chain.primitives.codec import DecodeError
from runtime.frame.elements import ELEMENT_BYTES
from runtime.frame.ports import TensorType
from runtime.pallets.inference import errors
from runtime.pallets.inference.header import read_headers


def check_input(encoded: bytes, expected: Sequence[TensorType]) -> None:
    """Refuse bytes that are not exactly the expected tensors; raises DispatchError.

    What this lets through may still trap in the engine, which looks at the data too.
    """
    try:
        headers = read_headers(encoded)
    except DecodeError as error:
        raise errors.MalformedInput(str(error)) from error
    wanted = sorted(expected, key=lambda each: each.name.encode())
    names = [each.name for each in headers]
    if names != [each.name for each in wanted]:
        raise errors.WrongInputNames(f"{names} instead of {[each.name for each in wanted]}")
    lengths: dict[str, int] = {}
    for header, tensor in zip(headers, wanted, strict=True):
        if header.element != tensor.element:
            raise errors.WrongElementType(
                f"{header.name}: type {header.element} instead of {tensor.element}"
            )
        _check_shape(header.shape, tensor, lengths)
        length = prod(header.shape) * ELEMENT_BYTES.get(header.element, 0)
        if header.data_bytes != length:
            raise errors.MalformedInput(
                f"{header.name}: {header.data_bytes} bytes of data instead of {length}"
            )


def _check_shape(shape: tuple[int, ...], tensor: TensorType, lengths: dict[str, int]) -> None:
    """Refuse other lengths, longer open axes, and two lengths of one name; notes those seen."""
    axes = tensor.axes or ("",) * len(tensor.shape)
    if len(shape) != len(tensor.shape) or not all(
        length <= most if axis else length == most
        for axis, length, most in zip(axes, shape, tensor.shape, strict=True)
    ):
        most = " at most" if tensor.axes else ""
        raise errors.WrongShape(
            f"{tensor.name}: {list(shape)} instead of{most} {list(tensor.shape)}"
        )
    for axis, length in zip(axes, shape, strict=True):
        if axis and lengths.setdefault(axis, length) != length:
            raise errors.WrongShape(
                f"{tensor.name}: {axis} is {length}, and {lengths[axis]} before"
            )
