"""What the chain decides about training, and what a training costs by it.  Pure."""

from dataclasses import dataclass, replace

from runtime.frame.layout import content_bytes
from runtime.pallets.training import weights
from runtime.pallets.training.stored import Job, Shape


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """What a chain decides about training."""

    examination_base: int
    """Fee of any training, in the smallest unit: pays for its entry and for being examined."""

    examination_per_byte: int
    """Fee of each byte of programs and parameters, in the smallest unit."""

    program_bytes_max: int
    """Longest program: it is examined between transactions."""

    state_bytes_max: int
    """Longest state: it is written in every block in which the training steps."""

    steps_max: int
    """Most steps of one training."""

    weight_per_block: int
    """Picoseconds of all steps in one block, beside the weight of its transactions."""

    price_per_weight: int
    """Of a picosecond, in the smallest unit."""


def priced(
    config: TrainingConfig, job: Job, shape: Shape, gas: int, state_bytes: int, rows_bytes: int
) -> Job:
    """Note what a step weighs and costs, and what a block of steps weighs beside."""
    batch_bytes = content_bytes(shape.features) + 8 * shape.features.shape[0]
    weight = weights.step(gas, 2 * len(shape.state) + 3, batch_bytes + 2 * state_bytes)
    load = weights.load(rows_bytes, 2 * state_bytes)
    return replace(job, weight=weight, load=load, price=weight * config.price_per_weight)


def faults(config: TrainingConfig, job: Job) -> tuple[str, ...]:
    """Say what is wrong with the price of a training."""
    most, cost = config.weight_per_block, job.price * job.steps
    found = []
    if job.load + job.weight > most:
        found.append(
            f"a step weighs {job.weight} and reading its rows {job.load}; a block has {most}"
        )
    if cost > job.left:
        found.append(f"{job.steps} steps cost {cost}, the budget is {job.left}")
    return tuple(found)
