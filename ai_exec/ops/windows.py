"""Sliding windows of convolutions and pools: where they lie, and the elements they hold."""

from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Final

import numpy as np

from ai_exec.registry import Call, Mismatch
from ai_exec.tensor import Shape, Tensor

PADDED_ELEMENTS_MAX: Final = 1 << 26
"""Elements of a tensor with its padding; strides and dilations can make that much."""

WINDOW_ELEMENTS_MAX: Final = 1 << 16
"""Elements of one window; kernels go through them one by one."""
ELEMENT_GAS: Final = 6_000
"""One element of a window over a whole tensor, whatever that holds."""

AUTO_PADS = ("NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID")


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows over the spatial axes of a tensor [sample, channel, ...spatial]."""

    kernel: Shape
    strides: Shape
    dilations: Shape
    before: Shape
    """Padding in front of each axis."""
    after: Shape
    """Padding behind each axis, as the model says."""
    outputs: Shape
    """How many windows there are along each axis."""

    @property
    def elements(self) -> int:
        """Elements of one window."""
        return prod(self.kernel)

    def padded(self, data: Tensor, fill: float | int) -> Tensor:
        """Pad so far that every window fits; what no window reaches is cut off."""
        spatial = data.shape[2:]
        needed = self.reach
        widths = [(0, 0), (0, 0)] + [
            (before, max(0, need - before - length))
            for before, need, length in zip(self.before, needed, spatial, strict=True)
        ]
        padded = np.pad(data, widths, constant_values=fill)
        return padded[(slice(None), slice(None), *(slice(0, need) for need in needed))]

    def slices(self) -> list[tuple[slice, ...]]:
        """Give for each kernel element, in index order, where it lies in the padded tensor."""
        return [
            tuple(
                slice(at * dilation, at * dilation + (count - 1) * stride + 1, stride)
                for at, dilation, count, stride in zip(
                    place, self.dilations, self.outputs, self.strides, strict=True
                )
            )
            for place in product(*map(range, self.kernel))
        ]

    def gather(self, data: Tensor, fill: float | int) -> Tensor:
        """Give [sample, channel, kernel element, ...outputs]."""
        padded = self.padded(data, fill)
        parts = [padded[(slice(None), slice(None), *place)] for place in self.slices()]
        return np.stack(parts, axis=2)

    @property
    def reach(self) -> Shape:
        """Length of each axis, padding included, that the windows cover."""
        return tuple(
            (count - 1) * stride + (size - 1) * dilation + 1
            for count, stride, size, dilation in zip(
                self.outputs, self.strides, self.kernel, self.dilations, strict=True
            )
        )


def windows(
    spatial: Shape,
    kernel: Shape,
    *,
    strides: Shape | None,
    dilations: Shape | None,
    pads: Shape | None,
    auto_pad: str,
    ceil_mode: int = 0,
) -> Windows:
    """Place windows as ONNX says; raises Mismatch if the attributes do not fit."""
    rank = len(spatial)
    strides, dilations = strides or (1,) * rank, dilations or (1,) * rank
    if auto_pad not in AUTO_PADS:
        raise Mismatch(f"auto_pad is {auto_pad}, not one of {', '.join(AUTO_PADS)}")
    if auto_pad != "NOTSET":
        if pads and any(pads):
            raise Mismatch("auto_pad and pads are both given")
        pads = None
    pads = pads or (0,) * (2 * rank)
    for name, values, length in (
        ("kernel_shape", kernel, rank),
        ("strides", strides, rank),
        ("dilations", dilations, rank),
        ("pads", pads, 2 * rank),
    ):
        if len(values) != length or any(value < (name != "pads") for value in values):
            raise Mismatch(f"{name} is {list(values)} for {rank} spatial axes")
    if prod(kernel) > WINDOW_ELEMENTS_MAX:
        raise Mismatch(f"a window of {prod(kernel)} elements, at most {WINDOW_ELEMENTS_MAX}")
    placed = [
        _axis(length, size, stride, dilation, (before, after), auto_pad, ceil_mode)
        for length, size, stride, dilation, before, after in zip(
            spatial, kernel, strides, dilations, pads[:rank], pads[rank:], strict=True
        )
    ]
    befores, afters, outputs = (tuple(column) for column in zip(*placed, strict=True))
    # Where nothing is strided over they mean nothing, and may be too large for any arithmetic.
    strides = tuple(step if count > 1 else 1 for step, count in zip(strides, outputs, strict=True))
    dilations = tuple(gap if size > 1 else 1 for gap, size in zip(dilations, kernel, strict=True))
    return Windows(kernel, strides, dilations, befores, afters, outputs)


def _axis(
    length: int,
    size: int,
    stride: int,
    dilation: int,
    pads: tuple[int, int],
    auto_pad: str,
    ceil_mode: int,
) -> tuple[int, int, int]:
    reach = (size - 1) * dilation + 1
    if auto_pad.startswith("SAME"):
        outputs = -(-length // stride)
        total = max((outputs - 1) * stride + reach - length, 0)
        less, more = total // 2, total - total // 2
        before = less if auto_pad == "SAME_UPPER" else more
        return before, total - before, outputs
    before, after = pads
    room = length + before + after - reach
    if room < 0:
        raise Mismatch(f"a window of {reach} does not fit into {length} + {before} + {after}")
    ceil_mode = ceil_mode if auto_pad == "NOTSET" else 0
    outputs = (-(-room // stride) if ceil_mode else room // stride) + 1
    if ceil_mode and (outputs - 1) * stride >= length + before:
        outputs -= 1
    return before, after, outputs


def windows_of(call: Call, kernel: Shape) -> Windows:
    """Place windows on the first input by the attributes of a node; raises Mismatch."""
    given, shape = call.attributes, call.at(0).shape
    placed = windows(
        shape[2:],
        kernel,
        strides=call.wholes("strides"),
        dilations=call.wholes("dilations") if "dilations" in given else None,
        pads=call.wholes("pads"),
        auto_pad=call.word("auto_pad"),
        ceil_mode=call.whole("ceil_mode") if "ceil_mode" in given else 0,
    )
    held = [max(pair) for pair in zip(placed.reach, _lengths(placed, shape), strict=True)]
    if prod((*shape[:2], *held)) > PADDED_ELEMENTS_MAX:
        raise Mismatch(f"padding makes more than {PADDED_ELEMENTS_MAX} elements of {list(shape)}")
    return placed


def _lengths(placed: Windows, shape: Shape) -> Shape:
    parts = zip(placed.before, shape[2:], placed.after, strict=True)
    return tuple(sum(lengths) for lengths in parts)


def padded_elements(call: Call, kernel: Shape) -> int:
    """Count the elements that windows cover, padding included."""
    return prod((*call.at(0).shape[:2], *windows_of(call, kernel).reach))
