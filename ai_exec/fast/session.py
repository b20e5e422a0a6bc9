"""Products of bytes on onnxruntime: one session a constant matrix, one thread, no optimisation.

What a session computes is exact or it is not used: unsigned by signed bytes saturate on processors
that add pairs of products in 16 bits, and `is_exact` finds out with the worst operands.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnxruntime
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, RuntimeException

from ai_exec.fast import files
from ai_exec.tensor import Tensor

Bytes = npt.NDArray[np.uint8]
SignedBytes = npt.NDArray[np.int8]
Sums = npt.NDArray[np.int32]

ZERO_POINT: Final = 128
"""What a byte of the left operand stands above its value."""

TRIED: Final = (
    *((1, 1, 1), (1, 2, 16), (1, 384, 65), (3, 7, 17), (3, 1024, 48), (4, 65, 33)),
    *((9, 130, 31), (48, 256, 80), (3, 6144, 16)),
)
"""Rows, length and columns of the products that the self test computes."""


class ByteProducts:
    """Left operands [rows, K] of bytes times constant matrices [K, N] of one width N."""

    def __init__(self, matrices: Sequence[SignedBytes], rows: int) -> None:
        self._lengths = tuple(matrix.shape[0] for matrix in matrices)
        self._result = (rows, matrices[0].shape[1])
        # The session may read the matrices where they lie: they have to live as long as it.
        self._constants = [
            onnxruntime.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(matrix))
            for matrix in matrices
        ]
        options = files.options()
        names = [f"w{index}" for index in range(len(matrices))]
        options.add_external_initializers(names, self._constants)
        try:
            self.session: Any = onnxruntime.InferenceSession(
                _model(matrices, rows), options, providers=["CPUExecutionProvider"]
            )
        except (Fail, RuntimeException) as error:
            # The file is ours and the self test has made sessions: what may be missing is memory.
            raise MemoryError(str(error)) from error

    def bound(self) -> "BoundProducts":
        """Give places for operands and results; not for use by two threads at once."""
        return BoundProducts(self, self._lengths, self._result)


class BoundProducts:
    """Arrays that a session reads and writes in place."""

    def __init__(
        self, products: ByteProducts, lengths: Sequence[int], result: tuple[int, int]
    ) -> None:
        self.lefts: tuple[Bytes, ...] = tuple(
            np.full((result[0], length), ZERO_POINT, np.uint8) for length in lengths
        )
        self.results: Sums = np.zeros((len(lengths), *result), np.int32)
        binding = products.session.io_binding()
        for index, left in enumerate(self.lefts):
            binding.bind_cpu_input(f"x{index}", left)
            place = self.results[index].ctypes.data
            binding.bind_output(f"y{index}", "cpu", 0, np.int32, result, place)
        self._products, self._binding = products, binding

    def compute(self) -> None:
        """Fill the results with the products of what the left operands hold, less ZERO_POINT."""
        self._products.session.run_with_iobinding(self._binding)


@cache
def is_exact() -> bool:
    """Tell whether this processor's products of bytes are exact; asked once a process."""
    return multiplies_exactly(_multiply)


Multiply = Callable[[Bytes, SignedBytes], Tensor]
"""Product of the left operand less ZERO_POINT with the right one."""


def multiplies_exactly(multiply: Multiply) -> bool:
    """Compare products of the worst operands with those of whole numbers."""
    return all(
        np.array_equal(
            multiply(left, right), (left.astype(np.int64) - ZERO_POINT) @ right.astype(np.int64)
        )
        for left, right in _worst_operands()
    )


def _multiply(left: Bytes, right: SignedBytes) -> Tensor:
    bound = ByteProducts((right,), left.shape[0]).bound()
    bound.lefts[0][...] = left
    bound.compute()
    product: Sums = bound.results[0]
    return product


def _worst_operands() -> Iterator[tuple[Bytes, SignedBytes]]:
    """Rows and columns of extremes: all alike, and two taking turns by one, two and four."""
    for rows, length, columns in TRIED:
        turns = [np.arange(length) // step % 2 == 0 for step in (1, 2, 4)]
        alike = [np.full(length, True), np.full(length, False)]
        lefts = [np.where(turn, 255, 0) for turn in (*alike, *turns)]
        rights = [np.where(turn, 127, -128) for turn in (*alike, *turns)]
        left = np.stack([lefts[index % len(lefts)] for index in range(rows)])
        right = np.stack([rights[index % len(rights)] for index in range(columns)], axis=1)
        yield left.astype(np.uint8), right.astype(np.int8)


def _model(matrices: Sequence[SignedBytes], rows: int) -> bytes:
    """Give an ONNX file: node i is MatMulInteger(xi, wi, zero) -> yi; wi is handed over apart."""
    nodes, inputs, outputs = [], [], []
    tensors = [files.constant("zero", np.array(ZERO_POINT, np.uint8))]
    for index, matrix in enumerate(matrices):
        length, columns = matrix.shape
        names = (f"x{index}", f"w{index}", "zero")
        nodes.append(files.node("MatMulInteger", names, (f"y{index}",)))
        tensors.append(files.external(names[1], "int8", matrix.shape))
        inputs.append(files.value(names[0], "uint8", (rows, length)))
        outputs.append(files.value(f"y{index}", "int32", (rows, columns)))
    return files.model(tuple(nodes), tuple(tensors), tuple(inputs), tuple(outputs))
