"""Products by each way against numerics: the same bits, whatever the operands hold."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from ai_exec.fast import linear as fast_linear
from ai_exec.fast.integer import ByteMatrix
from ai_exec.fast.linear import PairMatrix, WideMatrix, contract, prepared
from ai_exec.fast.products import BYTES, PAIRS, WIDE, Products
from ai_exec.semantics import numerics
from ai_exec.tensor import Tensor
from ai_exec.workers.crew import Crew

WAYS = pytest.mark.parametrize("way", [WIDE, PAIRS, BYTES], ids=["wide", "pairs", "bytes"])
HOSTILE = (
    *(0.0, -0.0, 1.0, -1.0, 0.5, 1.5, 16777217.0, 1e-45, -1e-45, 1.1754944e-38, -1.1754942e-38),
    *(1e38, -1e38, 3.4028235e38, float("nan"), float("inf"), float("-inf")),
)


def assert_same_bits(left: Tensor, right: Tensor, way: Products) -> None:
    rows = int(np.prod(left.shape[:-1]))
    with np.errstate(all="ignore"):
        expected = numerics.round_to_float32(numerics.contract(left, right))
    found = contract(prepared(right, rows, way), left)
    nowhere = np.isnan(expected)
    assert np.isnan(found).tolist() == nowhere.tolist()
    assert found.shape == expected.shape
    assert found[~nowhere].tobytes() == expected[~nowhere].tobytes()


def wide_normal(seed: int, *shape: int) -> Tensor:
    """Normal numbers, one in ten a thousand times as large."""
    random = np.random.default_rng(seed)
    outliers = np.where(random.random(shape) < 0.1, 1000.0, 1.0)
    return (random.standard_normal(shape) * outliers).astype(np.float32)


@WAYS
@pytest.mark.parametrize("rows", [1, 2, 7, 13])
@pytest.mark.parametrize("length", [1, 2, 3, 64, 383, 385, 512, 513, 2048, 2049, 4097, 6200])
def test_lengths(length: int, rows: int, way: Products) -> None:
    assert_same_bits(wide_normal(1, rows, length), wide_normal(2, length, 19), way)


@WAYS
@pytest.mark.parametrize("columns", [1, 15, 16, 23, 24, 25, 47, 48, 49, 100])
def test_columns(columns: int, way: Products) -> None:
    assert_same_bits(wide_normal(1, 70, 40), wide_normal(2, 40, columns), way)


@WAYS
@pytest.mark.parametrize("shape", [(2, 3, 70), (1, 1, 70), (100, 70), (1, 1, 1, 70)])
def test_shapes_of_the_left_operand(shape: tuple[int, ...], way: Products) -> None:
    assert_same_bits(wide_normal(3, *shape), wide_normal(4, 70, 600), way)
    turned = np.ascontiguousarray(wide_normal(3, *shape).T).T
    assert_same_bits(turned, wide_normal(4, 600, 70).T, way)


@WAYS
@pytest.mark.parametrize("length", [384, 512, 1600, 2048, 4096])
def test_whole_numbers_of_extreme_digits(length: int, way: Products) -> None:
    """All alike and by turns, so that sums of digits and of products are as large as they get."""
    extremes = (0x7F7F7F, 0x7F7F80, 0x400000, 0x3FF7FF, 0x3FF800, 0x000800, 0x0007FF, 0x3F8080)
    values = np.array([*extremes, *(-value for value in extremes)]) / 2.0**23
    rows = np.repeat(values[:, np.newaxis], length, axis=1)
    turns = np.where(np.arange(length) % 2 == 0, rows, -rows)
    left = np.concatenate([rows, turns]).astype(np.float32)
    left[:, -1] = 1.0
    assert_same_bits(left, np.ascontiguousarray(left.T), way)
    for row in left[::5]:
        assert_same_bits(row[np.newaxis], np.ascontiguousarray(left.T), way)


@WAYS
def test_every_digit_in_both_operands(way: Products) -> None:
    whole = np.arange(-(1 << 23) + 1, 1 << 23, 8209)[:2047]
    values = np.append(whole / 2.0**23, 0.5).astype(np.float32)
    assert_same_bits(values[np.newaxis, :512], np.diag(values[:512]), way)
    assert_same_bits(values[np.newaxis], np.stack([values, values[::-1]], axis=1), way)


@WAYS
def test_halves_go_to_even(way: Products) -> None:
    halves = (np.arange(-40, 41) / 2.0 / 2.0**22).astype(np.float32)
    left = np.append(halves, np.float32(1.0))[np.newaxis]
    assert_same_bits(left, np.eye(left.shape[1], dtype=np.float32), way)
    assert_same_bits(np.repeat(left, 3, axis=0), np.eye(left.shape[1], dtype=np.float32), way)


@WAYS
@pytest.mark.parametrize("rows", [1, 17])
def test_hostile_values_beside_each_other(rows: int, way: Products) -> None:
    values = np.array(HOSTILE, np.float32)
    pairs = np.stack(np.meshgrid(values, values), axis=-1).reshape(-1, 2)
    for start in range(0, len(pairs), 17):
        left = pairs[start : start + rows]
        assert_same_bits(left, np.ascontiguousarray(pairs[::5].T), way)


@WAYS
def test_blocks_of_zeros_and_of_infinities(way: Products) -> None:
    left, right = wide_normal(5, 4, 4200), wide_normal(6, 4200, 5)
    left[0], left[1, :2048], left[2, 3000], left[3, 4199] = 0.0, 0.0, np.inf, np.nan
    right[:, 0], right[2048:4096, 1], right[10, 2] = 0.0, -0.0, np.nan
    assert_same_bits(left, right, way)


@WAYS
@pytest.mark.parametrize("power", [-149, -140, -126, 100, 125])
def test_rows_near_the_ends_of_the_range(power: int, way: Products) -> None:
    left = np.ldexp(wide_normal(7, 2, 40) / 4096, power).astype(np.float32)
    assert_same_bits(left, wide_normal(8, 40, 9), way)
    assert_same_bits(wide_normal(8, 9, 40), np.ascontiguousarray(left.T), way)


@WAYS
def test_threads_do_not_disturb_each_other(way: Products) -> None:
    matrix = prepared(wide_normal(9, 600, 300), 2, way)
    lefts = [wide_normal(10 + index, 2, 600) for index in range(8)]
    alone = [contract(matrix, left).tobytes() for left in lefts]
    with ThreadPoolExecutor(4) as threads:
        together = [found.tobytes() for found in threads.map(contract, [matrix] * 160, lefts * 20)]
    assert together == alone * 20


def test_where_bytes_saturate_products_go_another_way(monkeypatch: pytest.MonkeyPatch) -> None:
    right = wide_normal(2, 80, 80)
    monkeypatch.setattr(fast_linear, "is_exact", lambda: True)
    assert isinstance(prepared(right, 1, BYTES), ByteMatrix)
    monkeypatch.setattr(fast_linear, "is_exact", lambda: False)
    assert isinstance(prepared(right, 1, BYTES), WideMatrix)


def test_pairs_are_taken_where_the_processor_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    right = wide_normal(2, 8, 8)
    for pairs, kind in ((True, PairMatrix), (False, WideMatrix)):
        machine = type("Machine", (), {"pairs": pairs})()
        monkeypatch.setattr(fast_linear, "this_machine", lambda machine=machine: machine)
        assert type(prepared(right, 64)) is kind


@pytest.mark.parametrize("threads", [2, 3, 40])
@pytest.mark.parametrize("way", [WIDE, PAIRS], ids=["wide", "pairs"])
def test_threads_share_panels(way: Products, threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fast_linear, "SHARED_MIN", 0)
    left, right = wide_normal(1, 20, 70), wide_normal(2, 70, 301)
    shared = replace(way, threads=threads, together=Crew(threads))
    alone, together = (contract(prepared(right, 20, products), left) for products in (way, shared))
    assert alone.tobytes() == together.tobytes()
    assert_same_bits(left, right, shared)
