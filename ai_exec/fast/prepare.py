"""Compiling every pass before anybody waits for one: `python -m ai_exec.fast.prepare`.

Passes are kept on disk (`compilation.py`), so this takes long once and shortly afterwards.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import Final

import numpy as np

from ai_exec.fast.attention import NO_MASK, mask_scores
from ai_exec.fast.batches import multiply_batches
from ai_exec.fast.byte_dequantised import Ending, Scale, near_of_kernels, near_of_matrix
from ai_exec.fast.byte_graph import chaining, looking, table_of
from ai_exec.fast.byte_kernels import bytes_kernel, integers_kernel, product_of
from ai_exec.fast.byte_plan import numbers_kernel
from ai_exec.fast.byte_steps import greatest_bytes
from ai_exec.fast.convolution import PreparedConvolution, channels_last
from ai_exec.fast.finishing import NOTHING, WIDTH_MAX, Code, Finish, Link, chain_of, chain_rows
from ai_exec.fast.fusion import Run
from ai_exec.fast.linear import Matrix, prepared
from ai_exec.fast.normal import centre_rows, holds_numbers, layer_rows, softmax_rows
from ai_exec.fast.passes import PASSES
from ai_exec.fast.pooling import greatest_of, mean_of
from ai_exec.fast.prepare_classic import prepare_classic
from ai_exec.fast.prepare_operators import prepare_operators
from ai_exec.fast.products import BYTES, PAIRS, WIDE
from ai_exec.fast.quantised import PLAIN, dequantise, quantise, quantise_all
from ai_exec.fast.recurrent import Layer
from ai_exec.registry import Attribute
from ai_exec.tensor import Tensor

ROWS: Final = 2
SIZE: Final = 8


def prepare() -> None:
    """Call each pass once, on a few numbers of each kind that it meets in runs."""
    prepare_products()
    prepare_quantised()
    prepare_bytes()
    prepare_convolutions()
    prepare_operators()
    prepare_classic()
    prepare_recurrent()
    numbers = np.ones(SIZE, np.float32)
    for function in PASSES.values():
        function(numbers, np.empty(SIZE, np.float32))


def prepare_convolutions() -> None:
    """Do so for convolutions in all ways, and for pools."""
    x, scales = np.ones((1, 16, SIZE, SIZE), np.float32), np.ones((1, 16))
    attributes: dict[str, Attribute] = {
        "auto_pad": "NOTSET",
        "strides": (1, 1),
        "dilations": (1, 1),
        "pads": (1,) * 4,
    }
    for shape in ((4, 16, 3, 3), (16, 1, 3, 3), (4, 16, 1, 1), (4, 16, 5, 5)):
        kernels = np.zeros(shape, np.float32)
        given = {**attributes, "group": 16 // shape[1]}
        PreparedConvolution(x.shape, kernels, None, given).run(x)
    window, out = (
        ((1,) * 3, (1,) * 3, (1,) * 3, (0,) * 3),
        np.empty((1, 1, SIZE, SIZE, 16), np.float32),
    )
    turned = channels_last(x)[:, None]
    greatest_of(turned, window, out)
    mean_of(turned, window, scales, scales, np.ones((1, SIZE, SIZE)), np.empty(16), out)


def prepare_recurrent() -> None:
    """Do so for recurrent layers; whatever a layer is made of, it runs one and the same pass."""
    names = ("activations", "activation_alpha", "activation_beta", "clip")
    attributes = {**dict.fromkeys(names), "direction": "forward"}
    x, w = np.ones((1, ROWS, SIZE), np.float32), np.ones((1, 4 * SIZE, SIZE), np.float32)
    for products in (WIDE, PAIRS):
        Layer("LSTM", attributes, ROWS, products).run_unprepared(x, w, w)


def prepare_bytes() -> None:
    """Do so for products of bytes, in each of their endings."""
    x, weights = np.ones((ROWS, SIZE), np.uint8), np.ones((SIZE, SIZE), np.int8)
    images, kernels = np.ones((1, SIZE, SIZE, SIZE), np.int8), np.ones((SIZE, SIZE, 3, 3), np.uint8)
    window = {"auto_pad": "VALID", "strides": None, "dilations": None, "pads": None, "group": 1}
    zero, numbers = np.ones(1, np.uint8), np.ones((ROWS, SIZE), np.float32)
    quantise_all(numbers.reshape(-1), x.reshape(-1), np.ones(1, np.float32), zero)
    scale = Scale(np.float32(1), 1, "uint8")
    run = Run((Link(Code.RELU),), (), "")
    looking(table_of(scale, scale, run), "uint8")(x)
    for y in ((), (x,)):
        chaining(run, x.shape, (scale,) * 3, by_column=False)(x, *y)
    greatest_bytes(
        images.view(np.uint8), np.ones((4, 2), np.int64), 0, np.ones((1, 1, 1, 8), np.uint8)
    )
    near = near_of_matrix(numbers[:1].T * numbers[:1], scale, scale, ROWS, Ending())
    windows = near_of_kernels(
        kernels.astype(np.float32),
        replace(scale, dtype="int8"),
        scale,
        images.shape,
        window,
        Ending(),
    )
    if near is not None and windows is not None:
        near.bytes_of(x)
        windows.bytes_of(images)
    turned = np.full(SIZE, 3, np.int8)
    for multiplied, given in (
        (product_of(weights, turned, x.shape, (ROWS, SIZE), None), x),
        (product_of(kernels, None, images.shape, (1, SIZE, 6, 6), window), images),
    ):
        if multiplied is not None:
            factors = multiplied.panels.by_columns(np.ones(SIZE))
            integers_kernel(multiplied)(given, None)
            bytes_kernel(multiplied, zero, np.ones(SIZE), zero)(given)
            numbers_kernel(multiplied, chain_of((), SIZE), factors)(
                given, None, np.ones(1, np.float32)
            )


def prepare_quantised() -> None:
    """Do so for numbers that become small integers, and these again numbers."""
    out, scales = np.empty((1, 1, SIZE), np.float32), np.ones(1, np.float32)
    zeros, wide = np.zeros(1, np.int32), np.zeros(1, np.int64)
    for given in _given(np.ones(out.shape, np.float32)):
        for dtype in PLAIN:
            quantise(given, scales, zeros, np.int32(0), np.int32(1), np.empty(out.shape, dtype))
    for dtype in (*PLAIN, "int32"):
        for given in _given(np.ones(out.shape, dtype)):
            dequantise(given, scales, wide, out)


def _given(tensor: Tensor) -> tuple[Tensor, Tensor]:
    """A tensor as another step gives it, and as a caller may: not to be written."""
    kept = tensor.copy()
    kept.flags.writeable = False
    return tensor, kept


def prepare_products() -> None:
    """Do so for products and what is fused with them, which take longest to compile."""
    numbers = np.ones((ROWS, SIZE), np.float32)
    weights, constant = np.ones((2, SIZE, SIZE), np.float32)
    constant.flags.writeable = False
    for products in (WIDE, PAIRS, BYTES):
        for matrix in (weights, constant):
            _multiply(prepared(matrix, ROWS, products), numbers)
    _finish(numbers)
    ends, unseen = np.zeros((1, 1, 2), np.int64), np.zeros((1, 1, 1), np.uint8)
    mask_scores(np.ones((1, 1, 1, SIZE), np.float32), np.float32(1), NO_MASK, ends, unseen)
    _batches()


def _multiply(matrix: Matrix, numbers: Tensor) -> None:
    finish = Finish(chain_of((), SIZE), 1.0, np.zeros(SIZE + WIDTH_MAX))
    out = np.empty((ROWS, SIZE), np.float32)
    matrix.apply(numbers, finish, NOTHING[0], out)
    matrix.multiply(matrix.quantise(numbers), finish, NOTHING[0], out)


def _finish(numbers: Tensor) -> None:
    chain = chain_of((Link(Code.SAVE), Link(Code.ADD_SAVED)), SIZE)
    out, wide = np.empty((ROWS, SIZE), np.float32), np.ones(SIZE)
    chain_rows(numbers, *chain, NOTHING[0], out)
    centre_rows(numbers, np.float32(0), *chain, NOTHING[0], out)
    softmax_rows(numbers, out)
    layer_rows(numbers, 0.0, wide, wide, out)
    holds_numbers(out.reshape(-1))


def _batches() -> None:
    """Operands lie in one piece, or as a transposition leaves them."""
    chain = chain_of((), SIZE)
    whole = np.ones((1, 1, SIZE, SIZE), np.float32)
    turned = whole.transpose(0, 1, 3, 2)[:, :, ::-1]
    kinds: Sequence[Tensor] = (whole, turned)
    for left, right in product(kinds, kinds):
        places, out = np.zeros(1, np.int64), np.empty(whole.shape, np.float32)
        multiply_batches(left, right, 1.0, *chain, NOTHING, places, out)


if __name__ == "__main__":
    prepare()
