"""Built networks are admitted, learn, and their gradients are those of their loss."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import ai_exec
from ai_exec.tensor import decode_tensors
from cli.training import Plan, build
from cli.training.build import ARCHITECTURES, Unbuildable
from cli.training.optimisers import OPTIMISERS
from tests.support.trainings import WIDTH, rows_of

RATES = {"sgd": 0.3, "momentum": 0.05, "adam": 0.01}
ROWS = np.frombuffer(rows_of("bob", 64), np.uint8).reshape(-1, WIDTH)
LABELS = ROWS[:, -1].astype(np.int64)


def plan_of(architecture: str, optimiser: str) -> Plan:
    return Plan(
        *(architecture, (8, 8), 10, (6,), optimiser, RATES[optimiser]), batch=64, scale=16.0
    )


def step_of(plan: Plan) -> tuple[Any, dict[str, Any]]:
    built = build(plan)
    admission = ai_exec.admit(built.step)
    assert admission.admitted, admission.reasons
    return ai_exec.compile(admission.program), dict(decode_tensors(built.parameters))


def inputs_of(plan: Plan) -> dict[str, Any]:
    features = np.ascontiguousarray(ROWS[:, :-1]).reshape(64, *plan.inputs)
    if plan.element == 1:
        features = features.astype(np.float32)
    return {"features": features, "labels": LABELS}


@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_network_learns(architecture: str, optimiser: str) -> None:
    plan = plan_of(architecture, optimiser)
    step, state = step_of(plan)
    losses = []
    for _ in range(25):
        given = step.run({**inputs_of(plan), **state})
        losses.append(float(given["loss"]))
        state = {name: given[f"{name}.next"] for name in state}
    assert abs(losses[0] - np.log(10)) < 0.7
    assert losses[-1] < 0.75 * losses[0]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_gradients_are_those_of_the_loss(architecture: str) -> None:
    plan = replace(plan_of(architecture, "sgd"), rate=1.0)
    step, state = step_of(plan)
    taken = inputs_of(plan)
    moved = step.run({**taken, **state})

    def loss(name: str, place: int, change: float) -> float:
        other = state[name].copy()
        other.reshape(-1)[place] += np.float32(change)
        return float(step.run({**taken, **state, name: other})["loss"])

    for name in state:
        gradient = (state[name] - moved[f"{name}.next"]).reshape(-1)
        for place in np.argsort(-np.abs(gradient))[:3].tolist():
            slope = (loss(name, place, 0.005) - loss(name, place, -0.005)) / 0.01
            assert abs(slope - gradient[place]) < 0.05 * abs(slope) + 0.002


def test_files_depend_on_the_plan_alone() -> None:
    plan = plan_of("mlp", "adam")
    assert build(plan) == build(plan)
    other = build(replace(plan, seed=1))
    assert other.step == build(plan).step
    assert other.parameters != build(plan).parameters


def test_floats_are_taken_as_they_are() -> None:
    plan = replace(plan_of("linear", "sgd"), element=1)
    step, state = step_of(plan)
    assert float(step.run({**inputs_of(plan), **state})["loss"]) > 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"architecture": "forest"},
        {"optimiser": "luck"},
        {"batch": 0},
        {"rate": 0.0},
        {"architecture": "cnn", "inputs": (7, 8)},
        {"architecture": "cnn", "hidden": (2, 2)},
    ],
)
def test_what_cannot_be_built_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(Unbuildable):
        build(replace(plan_of("mlp", "adam"), **wrong))
