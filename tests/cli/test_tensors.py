"""Inputs of models from files."""

import json
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from PIL import Image

from ai_exec.tensor import encode_tensors
from cli.tensors import InputType, outputs_json, read_inputs

FLAT = InputType("pixels", "float32", (1, 64))
SQUARE = InputType("image", "uint8", (1, 1, 8, 8))
COLOUR = InputType("image", "float32", (1, 3, 4, 4))
PAIR = [InputType("a", "int32", (2,)), InputType("b", "float32", (1,))]
GREY = np.arange(64, dtype=np.uint8).reshape(8, 8) * 4


def write(path: Path, value: Any) -> Path:
    if path.suffix == ".npy":
        np.save(path, value)
    elif path.suffix == ".npz":
        np.savez(path, **value)
    elif path.suffix == ".json":
        path.write_text(json.dumps(value))
    elif path.suffix == ".png":
        Image.fromarray(value).save(path)
    return path


def test_a_picture_of_the_right_size_is_scaled_in_value_only(tmp_path: Path) -> None:
    path = write(tmp_path / "p.png", GREY)

    flat = read_inputs(path, [FLAT], 16)["pixels"]
    assert flat.dtype == np.float32
    assert flat.tolist() == np.rint(GREY.reshape(1, 64) * 16.0 / 255).tolist()
    assert np.array_equal(read_inputs(path, [SQUARE], 255)["image"][0, 0], GREY)
    ones = read_inputs(path, [FLAT], 1.0)["pixels"]
    assert ones.max() == np.float32(252 / 255)


def test_a_larger_picture_is_averaged(tmp_path: Path) -> None:
    path = write(tmp_path / "p.png", np.kron(GREY, np.ones((8, 8), dtype=np.uint8)))

    assert np.array_equal(read_inputs(path, [SQUARE], 255)["image"][0, 0], GREY)


def test_a_coloured_picture_keeps_its_channels(tmp_path: Path) -> None:
    colours = np.zeros((4, 4, 3), dtype=np.uint8)
    colours[..., 1] = 255
    path = write(tmp_path / "p.png", colours)

    tensor = read_inputs(path, [COLOUR], 1.0)["image"]
    assert tensor.shape == (1, 3, 4, 4)
    assert tensor.sum(axis=(0, 2, 3)).tolist() == [0.0, 16.0, 0.0]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x.json", {"a": [1, 2], "b": [0.5], "more": 1}),
        (
            "x.npz",
            {"a": np.array([[1], [2]], dtype=np.int32), "b": np.array(0.5, dtype=np.float32)},
        ),
    ],
)
def test_several_inputs_by_name(name: str, value: Any, tmp_path: Path) -> None:
    given = read_inputs(write(tmp_path / name, value), PAIR, 1)

    assert {key: tensor.tolist() for key, tensor in given.items()} == {"a": [1, 2], "b": [0.5]}
    assert [tensor.dtype.name for tensor in given.values()] == ["int32", "float32"]


def test_a_single_array(tmp_path: Path) -> None:
    array = np.ones((8, 8), dtype=np.float32)

    assert read_inputs(write(tmp_path / "x.npy", array), [FLAT], 1)["pixels"].shape == (1, 64)
    assert read_inputs(write(tmp_path / "x.json", [1] * 64), [FLAT], 1)["pixels"].sum() == 64


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("x.txt", None, "give a .npy, .npz, .json or .png file"),
        ("x.npy", np.ones(64), "the file has float64"),
        ("x.npy", np.ones(63, dtype=np.float32), r"the file has float32\[63\]"),
        ("x.json", {"other": 1}, "no value for input pixels"),
        ("x.json", ["x"] * 64, "something that is no number"),
        ("x.json", [[1, 2], [3]], "inhomogeneous"),
        ("x.json", {"pixels": None}, "something that is no number"),
    ],
)
def test_what_does_not_fit(name: str, value: Any, words: str, tmp_path: Path) -> None:
    with pytest.raises(click.UsageError, match=words):
        read_inputs(write(tmp_path / name, value), [FLAT], 1)


def test_a_file_that_only_has_the_name_of_a_picture(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(b"noise")

    with pytest.raises(click.UsageError, match=r"x\.png: this is no PNG picture"):
        read_inputs(path, [SQUARE], 1)


@pytest.mark.parametrize("number", [1.5, 300, -1, 1e30])
def test_numbers_that_the_type_cannot_hold(number: float, tmp_path: Path) -> None:
    path = write(tmp_path / "x.json", [number] + [0] * 63)

    with pytest.raises(click.UsageError, match="uint8 cannot hold"):
        read_inputs(path, [SQUARE], 1)


@pytest.mark.parametrize("suffix", ["npy", "npz", "json", "png"])
def test_random_bytes_are_wrong_use(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"x.{suffix}"
    path.write_bytes(bytes(range(256)))

    with pytest.raises(click.UsageError):
        read_inputs(path, [FLAT], 1)


def test_a_picture_needs_one_square_input(tmp_path: Path) -> None:
    path = write(tmp_path / "p.png", GREY)

    with pytest.raises(click.UsageError, match="is no picture"):
        read_inputs(path, [InputType("x", "float32", (1, 63))], 1)
    with pytest.raises(click.UsageError, match="2 inputs"):
        read_inputs(path, PAIR, 1)


def test_long_outputs_are_cut_for_people() -> None:
    encoded = "0x" + encode_tensors({"scores": np.zeros(20, dtype=np.float32)}).hex()

    assert outputs_json(encoded, whole=True) == {"scores": [0.0] * 20}
    assert outputs_json(encoded, whole=False)["scores"].startswith("float32[20] 0.0, 0.0, ")


def test_open_axes_may_be_shorter(tmp_path: Path) -> None:
    described = {"name": "x", "element": 1, "shape": [4, 2], "axes": ["batch", ""]}
    kind = InputType.of(described)
    assert str(kind) == "x float32[batch <= 4, 2]"

    for count in (0, 1, 4):
        path = write(tmp_path / "x.npy", np.zeros((count, 2), np.float32))
        assert read_inputs(path, [kind], 1)["x"].shape == (count, 2)
    for shape in ((5, 2), (2, 1), (2,), (2, 2, 1)):
        path = write(tmp_path / "x.npy", np.zeros(shape, np.float32))
        with pytest.raises(click.UsageError, match="batch <= 4"):
            read_inputs(path, [kind], 1)


def test_a_picture_is_one_of_as_many_as_an_open_axis_takes(tmp_path: Path) -> None:
    kind = InputType("image", "uint8", (6, 1, 8, 8), ("batch", "", "", ""))
    path = write(tmp_path / "p.png", GREY)

    assert np.array_equal(read_inputs(path, [kind], 255)["image"], GREY.reshape(1, 1, 8, 8))
