"""What is prepared is all that runs need."""

import importlib
import pkgutil
from typing import Any

import numpy as np
import pytest
from numba.core.dispatcher import Dispatcher

import ai_exec
from ai_exec import fast
from ai_exec.fast.executable import FastExecutable
from ai_exec.fast.prepare import prepare
from ai_exec.fast.products import BYTES, PAIRS, WIDE
from tests.benchmarks.operator_recipes import ALL
from tests.support.encoder import encoder, encoder_inputs
from tests.support.ml_node import assert_same, program_of
from tests.support.networks import image, lenet, mobilenet, resnet18


def compiled_kinds() -> dict[str, int]:
    """For how many kinds of arguments each pass is compiled in this process."""
    found: dict[str, int] = {}
    for module in pkgutil.iter_modules(fast.__path__):
        for name, value in vars(importlib.import_module(f"{fast.__name__}.{module.name}")).items():
            dispatcher: Any = value
            if isinstance(value, Dispatcher):
                found[f"{dispatcher.__module__}.{name}"] = len(dispatcher.signatures)
    return found


@pytest.mark.parametrize(
    "model",
    [
        resnet18(folded=False, size=32, width=16, classes=7),
        mobilenet(folded=True, size=32, classes=7),
        lenet(),
    ],
    ids=["resnet", "mobilenet", "lenet"],
)
def test_nothing_is_compiled_for_images_once_all_is_prepared(model: bytes) -> None:
    prepare()
    before = compiled_kinds()
    program = ai_exec.admit(model).program
    assert program is not None
    _, channels, side, _ = program.inputs[0].shape
    pixels = image(side, channels)
    pixels.flags.writeable = False
    found = ai_exec.compile(program, "fast").run({"x": pixels})
    assert np.isfinite(found["y"]).all()
    assert compiled_kinds() == before


def test_nothing_is_compiled_for_single_operators_once_all_is_prepared() -> None:
    prepare()
    compiling = []
    for name, make in ALL.items():
        recipe = make(64)
        program = ai_exec.admit(recipe.model(26)).program
        if program is None:
            continue
        before = compiled_kinds()
        with np.errstate(all="ignore"):
            ai_exec.compile(program, "fast").run(dict(recipe.inputs))
        if compiled_kinds() != before:
            compiling.append(name)
    assert compiling == []


def test_nothing_is_compiled_in_runs_once_all_is_prepared() -> None:
    prepare()
    before = compiled_kinds()
    for operator in (True, False):
        model = encoder(tokens=4, layers=1, hidden=24, heads=3, words=50, normalise=operator)
        admission = ai_exec.admit(model)
        assert admission.program is not None, admission.reasons
        inputs = encoder_inputs(tokens=4, words=50)
        for value in inputs.values():
            value.flags.writeable = False
        expected = ai_exec.compile(admission.program, "reference").run(inputs)
        for products in (WIDE, PAIRS, BYTES):
            found = FastExecutable(admission.program, products).run(inputs)
            assert all(found[name].tobytes() == expected[name].tobytes() for name in expected)

    assert compiled_kinds() == before
    assert np.isfinite(next(iter(expected.values()))).all()


def test_nothing_is_compiled_for_classic_models_once_all_is_prepared() -> None:
    prepare()
    before = compiled_kinds()
    random = np.random.default_rng(3)
    tree = {
        "nodes_treeids": (0, 0, 0),
        "nodes_nodeids": (0, 1, 2),
        "nodes_featureids": (0, 0, 0),
        "nodes_modes": ("BRANCH_LT", "LEAF", "LEAF"),
        "nodes_values": (0.5, 0.0, 0.0),
        "nodes_truenodeids": (1, 0, 0),
        "nodes_falsenodeids": (2, 0, 0),
    }
    votes = {"treeids": (0, 0), "nodeids": (1, 2), "ids": (0, 1), "weights": (0.25, 0.75)}
    forest = {**tree, **{f"class_{name}": given for name, given in votes.items()}}
    machine = {
        "support_vectors": (1.0, 2.0, 3.0),
        "kernel_params": (0.5, 0.0, 3.0),
        "coefficients": (1.0, 2.0, 3.0),
        "n_supports": 3,
        "rho": (0.5,),
    }
    labels = {"classlabels_ints": (4, 5), "coefficients": (2.0,), "intercepts": (1.0,)}
    for dtype in (np.float32, np.float64, np.int64):
        x = random.integers(-2, 3, (3, 1)).astype(dtype)
        for operator, given in (
            ("TreeEnsembleClassifier", {**forest, "classlabels_int64s": (3, 4)}),
            ("LinearClassifier", {**labels, "post_transform": "LOGISTIC"}),
            ("SVMRegressor", {**machine, "kernel_type": "RBF"}),
            ("SVMRegressor", {**machine, "kernel_type": "POLY"}),
        ):
            assert_same(program_of(operator, 1, given, x), x)

    assert compiled_kinds() == before
