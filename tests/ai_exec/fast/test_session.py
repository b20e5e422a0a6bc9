"""Whether products of bytes are found out to be exact, or not to be."""

import numpy as np
import onnx
import pytest

from ai_exec.fast import session as fast_session
from ai_exec.fast.session import ZERO_POINT, ByteProducts, Bytes, SignedBytes, multiplies_exactly
from ai_exec.tensor import Tensor


def whole(left: Bytes, right: SignedBytes) -> Tensor:
    return (left.astype(np.int64) - ZERO_POINT) @ right.astype(np.int64)


def saturating(left: Bytes, right: SignedBytes) -> Tensor:
    """What processors without VNNI compute: sums of two products are capped to 16 bits."""
    if left.shape[1] % 2:
        left = np.pad(left, ((0, 0), (0, 1)))
        right = np.pad(right, ((0, 1), (0, 0)))
    pairs = left[:, :, np.newaxis].astype(np.int64) * right.astype(np.int64)
    sums = pairs.reshape(left.shape[0], -1, 2, right.shape[1]).sum(axis=2)
    capped = np.clip(sums, -(1 << 15), (1 << 15) - 1).sum(axis=1)
    return np.asarray(capped - ZERO_POINT * right.astype(np.int64).sum(axis=0))


def test_whole_numbers_pass_and_saturation_does_not() -> None:
    assert multiplies_exactly(whole)
    assert not multiplies_exactly(saturating)


@pytest.mark.parametrize("shape", fast_session.TRIED)
def test_saturation_in_one_kernel_alone_is_found(shape: tuple[int, int, int]) -> None:
    """Kernels differ by shape; only pairs of products saturate."""

    def multiply(left: Bytes, right: SignedBytes) -> Tensor:
        here = (*left.shape, right.shape[1]) == shape
        return saturating(left, right) if here else whole(left, right)

    assert multiplies_exactly(multiply) == (shape[1] == 1)


def test_one_wrong_sum_is_enough() -> None:
    def multiply(left: Bytes, right: SignedBytes) -> Tensor:
        product = whole(left, right)
        product[-1, -1] += left.shape[0] == 48
        return product

    assert not multiplies_exactly(multiply)


def test_this_machine_is_judged_by_its_own_products() -> None:
    assert fast_session.is_exact() == multiplies_exactly(fast_session._multiply)


def test_file_is_what_onnx_says_it_should_be() -> None:
    matrix = np.zeros((32, 4), np.int8)
    model = onnx.load_from_string(fast_session._model((matrix, matrix[:2]), 300))
    for tensor in model.graph.initializer[1:]:
        assert tensor.data_location == onnx.TensorProto.EXTERNAL
        inside = onnx.numpy_helper.from_array(np.zeros(tuple(tensor.dims), np.int8), tensor.name)
        tensor.CopyFrom(inside)
    onnx.checker.check_model(model, full_check=True)
    assert [tuple(node.input) for node in model.graph.node] == [
        ("x0", "w0", "zero"),
        ("x1", "w1", "zero"),
    ]


def test_several_products_in_one_call() -> None:
    if not fast_session.is_exact():
        pytest.skip("products of bytes saturate on this processor")
    random = np.random.default_rng(1)
    matrices = [random.integers(-128, 128, (length, 30)).astype(np.int8) for length in (1, 77, 300)]
    bound = ByteProducts(matrices, 4).bound()
    for left in bound.lefts:
        left[...] = random.integers(0, 256, left.shape)
    bound.compute()
    for left, matrix, result in zip(bound.lefts, matrices, bound.results, strict=True):
        assert result.tolist() == whole(left, matrix).tolist()


def test_a_session_that_cannot_be_made_is_a_lack_of_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise fast_session.RuntimeException("bad allocation")

    monkeypatch.setattr(fast_session.onnxruntime, "InferenceSession", refuse)
    with pytest.raises(MemoryError, match="bad allocation"):
        ByteProducts((np.ones((2, 2), np.int8),), 1)
