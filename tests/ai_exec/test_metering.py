"""Prices: told from shapes, growing with the work, and the sum of the nodes."""

import pytest

import ai_exec
from ai_exec import metering
from ai_exec.registry import Mismatch
from tests.support.onnx_models import classifier, one_node


def cost_of(encoded: bytes) -> int:
    admission = ai_exec.admit(encoded)
    assert admission.reasons == ()
    return admission.cost


def test_a_run_costs_its_nodes() -> None:
    program = ai_exec.admit(classifier()).program

    assert program is not None
    nodes = [node.cost for node in program.nodes]
    assert program.cost == metering.RUN_GAS + 3 * metering.NODE_GAS + sum(nodes)
    assert nodes == [115, 9, 396]


def test_shapes_must_be_those_of_the_program() -> None:
    program = ai_exec.admit(classifier()).program

    assert program is not None
    assert ai_exec.cost(program, {"x": (2, 4)}) == ai_exec.cost(program) == program.cost
    with pytest.raises(Mismatch):
        ai_exec.cost(program, {"x": (3, 4)})


@pytest.mark.parametrize(
    ("operator", "small", "large", "factor"),
    [
        ("MatMul", ((64, 64), (64, 64)), ((64, 64), (64, 640)), 7),
        ("Conv", ((1, 8, 16, 16), (8, 8, 3, 3)), ((1, 8, 64, 64), (8, 8, 3, 3)), 10),
        ("Exp", ((100, 100),), ((100, 1000),), 9),
        ("Add", ((1000, 1000), (1000,)), ((1000, 10000), (10000,)), 9),
    ],
)
def test_more_work_costs_more(
    operator: str,
    small: tuple[tuple[int, ...], ...],
    large: tuple[tuple[int, ...], ...],
    factor: int,
) -> None:
    fixed = metering.RUN_GAS + metering.NODE_GAS + metering.GROUP_GAS * (operator == "Conv")

    less, more = (cost_of(one_node(operator, *shapes)) - fixed for shapes in (small, large))

    assert factor <= more / less <= 18


def test_gas_rounds_up() -> None:
    assert [metering.gas(picoseconds) for picoseconds in (0, 1, 1000, 1001)] == [0, 1, 1, 2]
