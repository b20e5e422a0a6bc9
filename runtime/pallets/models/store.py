"""The state of the registry as its parts see it: entries of one block, and how they are found."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from runtime.frame import Event
from runtime.frame.names import is_name
from runtime.frame.storage import Cell, DoubleEntries, Entries
from runtime.pallets.models import errors
from runtime.pallets.models.stored import (
    Approval,
    Channel,
    History,
    Model,
    Move,
    Place,
    Queued,
    Version,
)


@dataclass(frozen=True, slots=True)
class Store:
    """Storage of the pallet, with the way to say what happened."""

    models: Entries[str, Model]
    names: Entries[int, str]
    count: Cell[int]
    versions: DoubleEntries[str, int, Version]
    waiting: Cell[tuple[Queued, ...]]
    ready: Cell[tuple[Queued, ...]]
    moves: Entries[str, tuple[Move, ...]]
    histories: DoubleEntries[str, str, History]
    approvals: Entries[str, tuple[Approval, ...]]
    scoring: Cell[tuple[Place, ...]]
    agenda: Entries[int, tuple[Place, ...]]
    emit: Callable[[Event], None]

    def find(self, name: str) -> Model | None:
        """Give a model, None where there is none."""
        return self.models.find(name) if is_name(name) else None

    def model(self, name: str) -> Model:
        """Give a model; raises UnknownModel."""
        model = self.find(name)
        if model is None:
            raise errors.UnknownModel(name)
        return model

    def owned(self, name: str, owner: bytes) -> Model:
        """Give a model of an account; raises UnknownModel, NotOwner and GivenUp."""
        model = self.model(name)
        if model.owner != owner:
            raise errors.NotOwner()
        if not model.deposit:
            raise errors.GivenUp(name)
        return model

    def version(self, name: str, number: int) -> Version:
        """Give a version; raises UnknownVersion."""
        version = self.versions.find((name, number))
        if version is None:
            raise errors.UnknownVersion(f"{name} version {number}")
        return version

    def point(self, name: str, channel: str, version: int | None) -> None:
        """Let a channel of a model point somewhere; one that is not there yet is made."""
        model = self.models[name]
        if model.channel(channel) is None:
            channels = (*model.channels, Channel(channel, version))
        else:
            channels = tuple(
                Channel(channel, version) if each.name == channel else each
                for each in model.channels
            )
        self.models[name] = replace(model, channels=channels)
