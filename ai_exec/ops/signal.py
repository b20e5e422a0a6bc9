"""Windows of signals and weights of mel bins, in pinned binary64 steps."""

from typing import Final

import numpy as np

from ai_exec.metering import per_element
from ai_exec.ops.fourier import LENGTH_MAX, circle, scalar_of
from ai_exec.ops.rules import FLOATS, INDICES, require_dtype, size
from ai_exec.registry import Call, Mismatch, Operand, operator
from ai_exec.semantics import functions
from ai_exec.semantics.numerics import Floats, cast
from ai_exec.tensor import DTYPE_NAMES, Tensor

LN_10: Final = float.fromhex("0x1.26bb1bbb55516p+1")
"""Natural logarithm of 10, rounded."""


def _dtype(call: Call) -> str:
    dtype = DTYPE_NAMES.get(call.whole("output_datatype"))
    if dtype is None or dtype == "bool":
        raise Mismatch(f"element type number {call.whole('output_datatype')} is not supported")
    return dtype


def _window(call: Call) -> tuple[Operand, ...]:
    length = scalar_of(call, 0, "size")
    if not 0 <= length <= LENGTH_MAX:
        raise Mismatch(f"size is {length}")
    return (Operand(_dtype(call), (length,)),)


def _cosines(length: int, periodic: int, times: int) -> Floats:
    """Cosines of `times` full turns over the window; a symmetric one ends where it began."""
    count = length if periodic else length - 1
    return circle(times * np.arange(length), max(count, 1))[0]


def _finish(window: Floats, output_datatype: int) -> Tensor:
    """Round; a window of one element is 1."""
    whole = np.ones(1) if window.shape[0] == 1 else window
    return cast(whole, DTYPE_NAMES[output_datatype])


_COST = per_element(260_000, start=120_000)
_MEL_COST = per_element(40_000, start=200_000)


@operator("HannWindow", since=17, infer=_window, cost=_COST, values=INDICES, native=True)
def hann_window(size: Tensor, *, output_datatype: int = 1, periodic: int = 1) -> Tensor:
    """0.5 - 0.5 cos(2 pi n / N) in binary64, then as `Cast`; the cosine as in `DFT`."""
    once = _cosines(int(size.reshape(())), periodic, 1)
    return _finish(0.5 - 0.5 * once, output_datatype)


@operator("HammingWindow", since=17, infer=_window, cost=_COST, values=INDICES, native=True)
def hamming_window(size: Tensor, *, output_datatype: int = 1, periodic: int = 1) -> Tensor:
    """25/46 - 21/46 cos(2 pi n / N) in binary64, then as `Cast`; the cosine as in `DFT`."""
    once = _cosines(int(size.reshape(())), periodic, 1)
    return _finish(25.0 / 46.0 - 21.0 / 46.0 * once, output_datatype)


@operator("BlackmanWindow", since=17, infer=_window, cost=_COST, values=INDICES, native=True)
def blackman_window(size: Tensor, *, output_datatype: int = 1, periodic: int = 1) -> Tensor:
    """(0.42 - 0.5 cos(2 pi n / N)) + 0.08 cos(4 pi n / N) in binary64, then as `Cast`."""
    length = int(size.reshape(()))
    once, twice = (_cosines(length, periodic, times) for times in (1, 2))
    return _finish((0.42 - 0.5 * once) + 0.08 * twice, output_datatype)


def _mel(call: Call) -> tuple[Operand, ...]:
    bins, length = scalar_of(call, 0, "num_mel_bins"), scalar_of(call, 1, "dft_length")
    for index in range(2, 5):
        require_dtype(call.at(index), INDICES if index == 2 else FLOATS, f"input {index}")
        if size(call.at(index).shape) != 1:
            raise Mismatch(f"input {index} is {call.at(index)}, not a scalar")
    if not 0 <= bins <= LENGTH_MAX or not 0 <= length <= LENGTH_MAX:
        raise Mismatch(f"num_mel_bins is {bins}, dft_length is {length}")
    return (Operand(_dtype(call), (length // 2 + 1, bins)),)


def _mel_of(hertz: Tensor) -> Floats:
    return 2595.0 * (functions.log(1.0 + hertz.astype(np.float64).reshape(()) / 700.0) / LN_10)


@operator("MelWeightMatrix", since=17, infer=_mel, cost=_MEL_COST, values=INDICES)
def mel_weight_matrix(
    num_mel_bins: Tensor,
    dft_length: Tensor,
    sample_rate: Tensor,
    lower_edge_hertz: Tensor,
    upper_edge_hertz: Tensor,
    *,
    output_datatype: int = 1,
) -> Tensor:
    """Triangles between bins that lie evenly in mel, each step in binary64, then as `Cast`.

    mel = 2595 (ln(1 + hertz / 700) / ln 10); bin n lies at low + n ((high - low) / (bins + 2)) mel,
    back in hertz by 700 (e^(mel / 2595 ln 10) - 1), at floor((length + 1) hertz / rate).
    """
    bins, length = int(num_mel_bins.reshape(())), int(dft_length.reshape(()))
    low, high = _mel_of(lower_edge_hertz), _mel_of(upper_edge_hertz)
    mel = low + np.arange(bins + 2).astype(np.float64) * ((high - low) / float(bins + 2))
    hertz = 700.0 * (functions.exp(mel / 2595.0 * LN_10) - 1.0)
    places = np.floor(float(length + 1) * hertz / sample_rate.astype(np.float64).reshape(()))
    left, middle, right = places[:-2], places[1:-1], places[2:]
    row = np.arange(length // 2 + 1).astype(np.float64)[:, np.newaxis]
    rising = np.where(left == middle, 1.0, (row - left) / (middle - left))
    weights = np.where((row >= left) & (row <= middle), rising, 0.0)
    falling = (right - row) / (right - middle)
    weights = np.where((row >= middle) & (row < right), falling, weights)
    return cast(weights, DTYPE_NAMES[output_datatype])
