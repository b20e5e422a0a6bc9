"""The files of the digits example hold what the demo and the README say."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import ai_exec
from ai_exec.tensor import Tensor

DIGITS = Path(__file__).parents[2] / "examples" / "digits"
ROW_BYTES = 65


def rows(name: str) -> Tensor:
    return np.frombuffer((DIGITS / f"{name}.rows").read_bytes(), np.uint8).reshape(-1, ROW_BYTES)


def test_model_is_small_and_right_about_unseen_digits() -> None:
    model = (DIGITS / "digits.onnx").read_bytes()
    admission = ai_exec.admit(model)
    assert admission.program is not None, admission.reasons
    reference = ai_exec.compile(admission.program, "reference")
    unseen = rows("unseen")
    pixels = unseen[:, :-1].astype(np.float32)
    labels = [int(reference.run({"pixels": image[None]})["label"][0]) for image in pixels]

    assert len(model) < 100_000
    assert np.mean(labels == unseen[:, -1]) >= 0.95


@pytest.mark.parametrize(("name", "count"), [("bob", 750), ("carol", 750), ("unseen", 297)])
def test_rows_are_pixels_and_a_label(name: str, count: int) -> None:
    found = rows(name)

    assert found.shape == (count, ROW_BYTES)
    assert found[:, :-1].max() == 16
    assert set(found[:, -1].tolist()) == set(range(10))


def test_image_of_dave_is_an_unseen_digit() -> None:
    described = json.loads((DIGITS / "dave.json").read_text())
    grey = np.asarray(Image.open(DIGITS / described["image"]))
    pixels = np.rint(grey.astype(np.float64) * described["white"] / 255).reshape(-1)

    assert pixels.tolist() == described["pixels"] == rows("unseen")[0, :-1].tolist()
    assert described["label"] == rows("unseen")[0, -1]
    assert Image.open(DIGITS / "dave-large.png").size == (64, 64)
