"""What happens in one seed: who the validators are, and what goes wrong until when."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random

from chain.primitives.keys import Keypair
from consensus.core.messages import CertificateMessage, ConsensusMessage, Status, Vote, Votes
from consensus.core.validators import Validator, ValidatorSet


@dataclass(frozen=True)
class Split:
    """For a while, messages pass only within the sides, or only from the first to the second."""

    start_ms: int
    end_ms: int
    side: frozenset[int]
    one_way: bool


@dataclass(frozen=True)
class Crash:
    """A node stops and comes back."""

    node: int
    start_ms: int
    end_ms: int
    kind: str
    """kill: between events; power: at a disk operation; full: the disk is full."""


@dataclass(frozen=True)
class Scenario:
    seed: int
    powers: tuple[int, ...]
    twins: tuple[int, ...]
    """Validators whose key two nodes have."""
    are_sets_changing: bool
    """Validators come, go and change their power every few heights."""
    are_twins_stale: bool
    """The twins hold back their prevotes and propose the first block again that had a polka."""
    bad_builder: int | None
    """A validator that proposes invalid blocks now and then."""
    loss: Mapping[str, float]
    """Share of messages that never arrive, by what they are; see `sort_of`."""
    duplication: float
    delay_ms: int
    calm_ms: int
    """From here on nothing goes wrong."""
    splits: tuple[Split, ...]
    crashes: tuple[Crash, ...]
    watchers: int
    """Nodes without a vote."""

    @property
    def nodes(self) -> int:
        return len(self.powers) + len(self.twins) + self.watchers

    def keypairs(self) -> tuple[Keypair, ...]:
        return tuple(
            _KEYS.setdefault(each, Keypair.from_seed(bytes([each + 1]) * 32))
            for each in range(len(self.powers))
        )

    def validators(self, height: int) -> ValidatorSet:
        """Give the set of a height; where it changes, powers move on and one sits out."""
        epoch = height // EPOCH if self.are_sets_changing else 0
        powers = self._powers(epoch)
        pairs = zip(self.keypairs(), powers, strict=True)
        members = (Validator(key.address, power) for key, power in pairs if power)
        return ValidatorSet.of(members, (self.seed * 1000 + epoch).to_bytes(32, "big"))

    def _powers(self, epoch: int) -> list[int]:
        """Move powers among the honest, so that the faulty stay below a third."""
        powers = list(self.powers)
        if epoch == 0:
            return powers
        honest = [each for each in range(len(powers)) if each not in self.twins]
        for index, node in enumerate(honest):
            powers[node] = self.powers[honest[(index + epoch) % len(honest)]]
        leaving = honest[epoch % len(honest)]
        faulty = sum(powers[each] for each in self.twins)
        if len(honest) > 3 and 3 * faulty < sum(powers) - powers[leaving]:
            powers[leaving] = 0
        return powers


EPOCH = 2
"""Heights between two changes of the validator set."""

_KEYS: dict[int, Keypair] = {}


def scenario(seed: int, *, size: int | None = None) -> Scenario:
    """Give the scenario of a seed: the same for ever."""
    random = Random(f"scenario {seed}")
    size = size or random.choice((4, 4, 7))
    powers = _powers(random, size)
    twins = _twins(random, powers)
    calm_ms = random.choice((2000, 3000, 4000))
    nodes = size + len(twins) + 1
    plan = Scenario(
        seed=seed,
        powers=powers,
        twins=twins,
        are_sets_changing=random.random() < 0.4,
        are_twins_stale=random.random() < 0.5,
        bad_builder=random.choice(twins) if twins and random.random() < 0.3 else None,
        loss=_loss(random),
        duplication=random.choice((0.0, 0.05, 0.2)),
        delay_ms=random.choice((10, 30, 60, 120, 250)),
        calm_ms=calm_ms,
        splits=tuple(_split(random, nodes, calm_ms) for _ in range(random.randint(0, 4))),
        crashes=(),
        watchers=1 if random.random() < 0.3 else 0,
    )
    crashes = tuple(_crash(random, plan) for _ in range(random.randint(0, 4)))
    return replace(plan, crashes=_apart(crashes))


def sort_of(message: ConsensusMessage) -> str:
    """Give what a message is, as far as losing it matters."""
    if isinstance(message, Vote):
        return message.kind.name
    if isinstance(message, Status | Votes | CertificateMessage):
        return "repair"
    return "proposal"


def _loss(random: Random) -> Mapping[str, float]:
    """Lose everything alike, or some sorts much more than others: that is what hides locks."""
    sorts = ("proposal", "PREVOTE", "PRECOMMIT", "repair")
    if random.random() < 0.4:
        return dict.fromkeys(sorts, random.choice((0.0, 0.05, 0.15, 0.3, 0.5)))
    loss = {sort: random.choice((0.0, 0.1, 0.3, 0.5)) for sort in sorts}
    return loss | {"repair": random.choice((0.0, 0.5, 0.9, 1.0))}


def _powers(random: Random, size: int) -> tuple[int, ...]:
    if random.random() < 0.5:
        return (1,) * size
    return tuple(random.choice((1, 2, 3, 5, 8)) for _ in range(size))


def _twins(random: Random, powers: tuple[int, ...]) -> tuple[int, ...]:
    """Choose who is faulty: less than a third of the power."""
    if random.random() < 0.25:
        return ()
    chosen: list[int] = []
    for node in random.sample(range(len(powers)), len(powers)):
        if 3 * (sum(powers[each] for each in chosen) + powers[node]) < sum(powers):
            chosen.append(node)
    return tuple(chosen[: random.randint(1, 2)])


def _split(random: Random, nodes: int, calm_ms: int) -> Split:
    start = random.randrange(calm_ms)
    end = min(start + random.randint(100, 1500), calm_ms)
    side = frozenset(random.sample(range(nodes), random.randint(1, nodes - 1)))
    return Split(start, end, side, one_way=random.random() < 0.3)


def _crash(random: Random, plan: Scenario) -> Crash:
    start = random.randrange(plan.calm_ms)
    end = min(start + random.randint(50, 1000), plan.calm_ms)
    kind = random.choice(("kill", "power", "power", "full"))
    return Crash(random.randrange(plan.nodes), start, end, kind)


def _apart(crashes: tuple[Crash, ...]) -> tuple[Crash, ...]:
    """Keep at most one crash of a node."""
    return tuple({each.node: each for each in crashes}.values())
