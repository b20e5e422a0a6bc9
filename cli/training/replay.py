"""Replay: every step of a training anew, outside the chain, from nothing but public content."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from chain.primitives.hashing import Hash32
from chain.primitives.merkle import root_of
from runtime.frame.baking import bake
from runtime.frame.ports import Bound, Executor
from runtime.frame.snapshots import Part, RowForm, Snapshot
from runtime.pallets.training.convention import judge, learnt_of
from runtime.pallets.training.engine import Stepper

STEPS_AT_ONCE: Final = 50

Progress = Callable[[int, int], None]
"""Told how many steps of how many are done."""


class StepBrokeOff(Exception):
    """A step ends otherwise here than on the chain.  Compare this release with the chain's."""


@dataclass(frozen=True, slots=True)
class Training:
    """A training as anybody can read it from a node."""

    step: Hash32
    predict: Hash32
    bounds: tuple[Bound, ...]
    parameters: Hash32
    seed: Hash32
    steps: int
    snapshot: Snapshot


def training_of(
    job: Mapping[str, Any], snapshot: Mapping[str, Any], dataset: Mapping[str, Any]
) -> Training:
    """Read a training from the answers of a node."""
    form = RowForm(int(dataset["element"]), tuple(map(int, dataset["shape"])), dataset["classes"])
    parts = tuple(
        Part(each["record"], b"", _bytes(each["blob"]), each["rows"], tuple(each["left_out"]))
        for each in snapshot["parts"]
    )
    bounds = tuple(Bound(each["axis"], each["most"]) for each in job["bounds"])
    return Training(
        *(_bytes(job["step"]), _bytes(job["predict"]), bounds, _bytes(job["parameters"])),
        seed=_bytes(job["seed"]),
        steps=job["steps"],
        snapshot=Snapshot(snapshot["number"], snapshot["dataset"], form, parts),
    )


def replay(training: Training, executor: Executor, progress: Progress) -> bytes:
    """Give the file of the model that the training makes; raises StepBrokeOff."""
    predict, state = executor.read(training.predict), executor.read(training.parameters)
    length = len(executor.read(training.step))
    shape = judge(
        executor.admit(training.step, length, ()),
        executor.admit(training.predict, len(predict), training.bounds),
        *(state, training.snapshot.form),
    )
    stepper = Stepper(training.step, shape, training.snapshot, training.seed, executor)
    done = 0
    while done < training.steps:
        wanted = min(STEPS_AT_ONCE, training.steps - done)
        found = stepper.advance(state, done, wanted)
        if found.fault is not None:
            raise StepBrokeOff(found.fault)
        state, done = found.state, done + found.done
        progress(done, training.steps)
    return bake(predict, learnt_of(shape, state))


def root_text(model: bytes) -> str:
    """Give the root of a model as people see it."""
    return "0x" + root_of(model).hex()


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
