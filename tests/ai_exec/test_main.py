import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from click.testing import CliRunner
from onnx import TensorProto, helper
from PIL import Image

from ai_exec.__main__ import main
from ai_exec.chart import HEIGHT, WIDTH

DIGITS = Path(__file__).parents[2] / "examples" / "digits"
MODEL = str(DIGITS / "digits.onnx")


@pytest.fixture
def image(tmp_path: Path) -> str:
    rows = np.frombuffer((DIGITS / "unseen.rows").read_bytes(), np.uint8).reshape(-1, 65)
    path = tmp_path / "image.npz"
    np.savez(path, pixels=rows[:1, :64].astype(np.float32))
    return str(path)


def invoke(*arguments: str) -> tuple[int, str]:
    answer = CliRunner().invoke(main, list(arguments))
    return answer.exit_code, answer.output


def test_admit_tells_cost_and_types() -> None:
    code, output = invoke("admit", MODEL)

    assert code == 0
    first, *declared = output.splitlines()
    assert first.startswith("admitted: ")
    assert declared == [
        "input pixels float32[1, 64]",
        "output logits float32[1, 10]",
        "output probabilities float32[1, 10]",
        "output label int64[1]",
    ]


def test_admit_lists_every_reason(tmp_path: Path) -> None:
    path = tmp_path / "custom.onnx"
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    result = helper.make_tensor_value_info("z", TensorProto.FLOAT, [1])
    nodes = [
        helper.make_node("Invented", ["x"], ["y"]),
        helper.make_node("AlsoInvented", ["y"], ["z"]),
    ]
    graph = helper.make_graph(nodes, "custom", [value], [result])
    onnx.save(helper.make_model(graph), path)

    code, output = invoke("admit", str(path))

    assert code == 1
    assert f"{path} is not admitted" in output
    assert "Invented" in output
    assert "AlsoInvented" in output


def test_run_writes_what_both_engines_agree_on(tmp_path: Path, image: str) -> None:
    found = {}
    for engine in ("fast", "reference"):
        path = tmp_path / f"{engine}.npz"
        code, output = invoke("run", MODEL, image, str(path), "--engine", engine)
        assert code == 0, output
        with np.load(path) as archive:
            found[engine] = {name: archive[name].tobytes() for name in archive.files}
    assert list(found["fast"]) == ["logits", "probabilities", "label"]
    assert found["fast"] == found["reference"]


def test_compare_shows_three_engines(image: str) -> None:
    code, output = invoke("compare", MODEL, image)

    assert code == 0, output
    lines = [line.split() for line in output.splitlines()]
    assert [line[:2] for line in lines[:3]] == [
        ["logits", "reference"],
        ["logits", "fast"],
        ["logits", "onnxruntime"],
    ]
    assert [line[1] for line in lines if line[:1] == ["time"]] == [
        "reference",
        "fast",
        "onnxruntime",
    ]
    assert "same bits" in output


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        ({"pixels": np.zeros((1, 63), np.float32)}, "pixels float32[1, 63]"),
        ({"image": np.zeros((1, 64), np.float32)}, "no input pixels"),
    ],
)
def test_wrong_inputs_are_named(tmp_path: Path, arrays: dict[str, np.ndarray], reason: str) -> None:
    path = tmp_path / "wrong.npz"
    np.savez(path, allow_pickle=False, **arrays)

    code, output = invoke("run", MODEL, str(path), str(tmp_path / "never.npz"))

    assert (code, reason in output) == (1, True), output
    assert not (tmp_path / "never.npz").exists()


def test_what_is_no_archive_is_named(tmp_path: Path) -> None:
    path = tmp_path / "noise.npz"
    path.write_bytes(b"noise")

    code, output = invoke("run", MODEL, str(path), str(tmp_path / "never.npz"))

    assert (code, "noise.npz is no .npz of plain arrays" in output) == (1, True), output


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"\x08\x00", b"\x63\x00"), (b"\x93NUMPY", b"\x93NUMPI"), (b"x.npy", b"x.npz")],
)
def test_what_an_archive_cannot_hold_is_named(tmp_path: Path, old: bytes, new: bytes) -> None:
    """A way to compress that nobody knows, and damage here and there."""
    path = tmp_path / "noise.npz"
    np.savez_compressed(path, x=np.ones((30, 30), np.float32))
    content = path.read_bytes()
    for changed in (content.replace(old, new), content[:200] + bytes(40) + content[240:]):
        path.write_bytes(changed)
        code, output = invoke("run", MODEL, str(path), str(tmp_path / "never.npz"))
        assert (code, "Error: " in output) == (1, True), output


def test_outputs_may_have_any_name_and_need_a_folder(tmp_path: Path) -> None:
    model, inputs, outputs = (tmp_path / name for name in ("model.onnx", "in.npz", "out.npz"))
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [2])
    result = helper.make_tensor_value_info("file", TensorProto.FLOAT, [2])
    graph = helper.make_graph([helper.make_node("Neg", ["x"], ["file"])], "g", [value], [result])
    opsets = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=9), model)
    np.savez(inputs, x=np.array([1, 2], np.float32))

    assert invoke("run", str(model), str(inputs), str(outputs))[0] == 0
    with np.load(outputs) as archive:
        assert archive["file"].tolist() == [-1, -2]
    code, output = invoke("run", str(model), str(inputs), str(tmp_path / "no" / "out.npz"))
    assert (code, "cannot write" in output) == (1, True), output


def test_open_axes_are_bounded_by_option(tmp_path: Path) -> None:
    graph = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["y"])],
        "open",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ("batch", 2))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
    )
    model, inputs, outputs = (str(tmp_path / name) for name in ("m.onnx", "x.npz", "y.npz"))
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), model)
    np.savez(inputs, x=np.array([[1, -1]], np.float32))
    bound = ("--bound", "batch=8")

    assert "for instance --bound batch=8" in invoke("admit", model)[1]
    assert "input x float32[batch <= 8, 2]" in invoke("admit", model, *bound)[1]
    assert invoke("run", model, inputs, outputs, *bound)[0] == 0
    assert np.load(outputs)["y"].tolist() == [[1, 0]]
    assert invoke("explain", model, *bound)[0] == 0
    code, output = invoke("compare", model, inputs, *bound)
    assert (code, output.count("same bits")) == (0, 3)
    for wrong in ("batch", "=1", "batch=x"):
        code, output = invoke("admit", model, "--bound", wrong)
        assert (code, "write each axis once" in output) == (2, True)
    assert invoke("admit", model, *bound, *bound)[0] == 2


def test_explain_lists_nodes_and_operators() -> None:
    code, output = invoke("explain", MODEL)

    assert code == 0, output
    head, _, titles, *rest = output.splitlines()
    assert head.endswith("bytes of memory")
    assert titles.split()[:3] == ["node", "operator", "version"]
    nodes, operators = rest[: rest.index("")], rest[rest.index("") + 2 :]
    assert [line.split()[1] for line in nodes] == [
        "Mul",
        "Gemm",
        "Relu",
        "Gemm",
        "Softmax",
        "ArgMax",
    ]
    assert {line.split()[0] for line in operators} == {"Gemm", "Softmax", "Mul", "Relu", "ArgMax"}


def test_explain_writes_json() -> None:
    code, output = invoke("explain", MODEL, "--json")

    assert code == 0, output
    found = json.loads(output)
    assert sum(row["gas"] for row in found["nodes"]) < found["gas"]
    assert sum(row["share"] for row in found["nodes"]) == pytest.approx(1)
    assert sum(total["nodes"] for total in found["operators"]) == len(found["nodes"])
    assert found["nodes"][0]["inputs"] == ["float32[1, 64]", "float32[]"]


def test_compare_finds_where_onnxruntime_deviates(tmp_path: Path, image: str) -> None:
    chart = tmp_path / "chart.png"

    code, output = invoke("compare", MODEL, image, "--png", str(chart))

    assert code == 0, output
    table = output.split("\n\n")[1].splitlines()
    assert table[0].split() == ["operator", "nodes", "most", "at", "alone", "so", "far", "tensor"]
    assert {line.split()[0] for line in table[1:]} == {"Mul", "Gemm", "Relu", "Softmax"}
    with Image.open(chart) as drawn:
        assert drawn.size == (WIDTH, HEIGHT)
        assert len(drawn.getcolors(WIDTH * HEIGHT)) > 4


def test_charts_need_a_folder(tmp_path: Path, image: str) -> None:
    code, output = invoke("compare", MODEL, image, "--png", str(tmp_path / "no" / "chart.png"))

    assert (code, "cannot write" in output) == (1, True), output
