"""Prices: told from shapes, growing with the work, and the sum of the nodes."""

import onnx
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
    handed = metering.gas(metering.RUN_BYTE_PICOSECONDS * (2 * 4 + 2 * 3) * 4)
    assert program.cost == metering.RUN_GAS + handed + 3 * metering.NODE_GAS + sum(nodes)
    assert nodes == [115, 9, 214]


def test_prices_tell_types_apart() -> None:
    def node_cost(operator: str, dtype: str) -> int:
        typed = onnx.load_from_string(one_node(operator, (64, 64)))
        typed.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.DataType.Value(dtype)
        program = ai_exec.admit(typed.SerializeToString()).program
        assert program is not None
        return program.nodes[0].cost

    assert node_cost("Exp", "DOUBLE") > 20 * node_cost("Exp", "FLOAT")
    assert node_cost("Neg", "DOUBLE") == pytest.approx(2 * node_cost("Neg", "FLOAT"), abs=1)


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
