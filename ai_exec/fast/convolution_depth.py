"""Convolutions by channel: each map has a kernel over one channel."""

from typing import Any

import numpy as np

from ai_exec.fast.compilation import compiled
from ai_exec.fast.convolution_finish import (
    SIZES_AT,
    finish_chain,
    kind_of,
    record_of,
    room_for,
    settle,
)
from ai_exec.fast.convolution_rows import Shapes, scales_of
from ai_exec.fast.convolution_vectors import PIXELS, depth_sums, quantise_pixels


@compiled
def convolve_depth(
    x: Any,
    shape: Shapes,
    channels: int,
    kernels: Any,
    operands: Any,
) -> None:
    """Convolve x [sample, height, width and channel] into out [sample and pixel, channel].

    Each channel is a block; kernels are [tap, channel] in binary64.
    """
    ending, tensor, known, out, sizes = operands
    bounds, bits, digits, kernel_scales = kernels
    kernel, strides, dilations, before, outputs = shape
    height, width = x.shape[1], x.shape[2] // channels
    lines = (kernel[0] - 1) * dilations[0] + 1
    across = (outputs[1] + PIXELS - 1) // PIXELS * PIXELS
    reach = max((across - 1) * strides[1] + (kernel[1] - 1) * dilations[1] + 1, before[1] + width)
    held = np.zeros((lines + 1, reach * channels), np.float64)
    sums = np.empty(across * channels, np.float64)
    room = room_for(across, channels)
    places, combined = np.empty(across, np.int64), np.empty(channels, np.float64)
    sources = np.empty(kernel[0] * kernel[1], np.int64)
    factors, scales = np.empty(channels), np.empty(channels)
    kind, record = kind_of(ending, channels), record_of(ending, places, tensor, out, room[0])
    desk, result, scale = record.ctypes.data, sums.ctypes.data, combined.ctypes.data
    step = strides[1] * channels * 8
    for sample in range(x.shape[0]):
        image = x[sample]
        scales_of(image.reshape(image.size), known[sample], bounds, bits, factors, scales)
        record[SIZES_AT] = sizes[sample].ctypes.data
        for channel in range(channels):
            combined[channel] = scales[channel] * kernel_scales[channel]
        ready: Any = np.int64(0)
        for y in range(outputs[0]):
            top = y * strides[0] - before[0]
            ready = max(ready, top)
            while ready < min(top + lines, height):
                target = held[ready % lines].ctypes.data + before[1] * channels * 8
                source = image[ready].ctypes.data
                quantise_pixels(source, target, width, channels, factors.ctypes.data)
                ready += 1
            for tap in range(sources.shape[0]):
                line = top + tap // kernel[1] * dilations[0]
                slot = line % lines if 0 <= line < height else lines
                column = tap % kernel[1] * dilations[1]
                sources[tap] = held[slot].ctypes.data + column * channels * 8
            depth_sums(
                *(sources.ctypes.data, digits.ctypes.data, sources.shape[0], step),
                *(channels, sums.ctypes.data, across // PIXELS),
            )
            for pixel in range(outputs[1]):
                places[pixel] = (sample * outputs[0] + y) * outputs[1] + pixel
            if kind >= 0:
                settle(kind, desk, result, channels * 8, outputs[1], 0, channels, scale)
            else:
                finish_chain(
                    *(result, outputs[1], channels, 0, channels, scale, places),
                    *(ending, tensor, out, sizes[sample], room),
                )
