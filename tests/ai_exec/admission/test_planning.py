"""Which nodes are kept, and that memory is told from what lives at once."""

from itertools import pairwise

from onnx import helper

import ai_exec
from ai_exec.admission.planning import needed_nodes
from tests.support.onnx_models import encode, proto, value


def test_needed_nodes() -> None:
    nodes = [(("x",), ("a",)), (("x",), ("b",)), (("a",), ("c", "d")), (("b",), ("e",))]

    assert needed_nodes(nodes, ("d",)) == (0, 2)
    assert needed_nodes(nodes, ("e",)) == (1, 3)
    assert needed_nodes(nodes, ("x",)) == ()


def peak_of_chain(length: int) -> int:
    names = ["x", *(f"t{index}" for index in range(length - 1)), "y"]
    nodes = [helper.make_node("Neg", [a], [b]) for a, b in pairwise(names)]
    admission = ai_exec.admit(
        encode(proto(nodes, [value("x", [1000])], [value("y", [1000])], None))
    )
    assert admission.reasons == ()
    return admission.peak_bytes


def test_a_long_chain_needs_no_more_memory_than_a_short_one() -> None:
    assert peak_of_chain(3) == peak_of_chain(50) > 2 * 4000
