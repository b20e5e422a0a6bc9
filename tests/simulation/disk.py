"""A disk that loses what was not synced, fills up, and stops the process between any two steps."""

from collections.abc import Callable, Sequence
from errno import ENOSPC
from random import Random


class PowerCut(BaseException):
    """The process ended in the middle of what it did."""


class _File:
    def __init__(self) -> None:
        self.content = b""
        self.durable = b""


class SimulatedDisk:
    """Files with two states: what programs see, and what a power cut leaves."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._names: dict[str, _File] = {}
        self._durable_names: dict[str, _File] = {}
        self._unsynced: list[Callable[[dict[str, _File]], None]] = []
        self.steps_left: int | None = None
        """Operations before a power cut; None for no cut."""
        self.is_full = False
        self.operations = 0

    def names(self) -> Sequence[str]:
        return sorted(self._names)

    def read(self, name: str) -> bytes:
        return self._names[name].content if name in self._names else b""

    def append(self, name: str, content: bytes) -> None:
        self._step(writes=True)
        self._open(name).content += content

    def write(self, name: str, content: bytes) -> None:
        self._step(writes=True)
        file = self._open(name)
        file.content = content
        file.durable = b""

    def truncate(self, name: str, length: int) -> None:
        self._step()
        file = self._names[name]
        file.content = file.content[:length]
        file.durable = file.durable[:length]

    def rename(self, old: str, new: str) -> None:
        self._step()

        def change(names: dict[str, _File]) -> None:
            if old in names:
                names[new] = names.pop(old)

        self._change_names(change)

    def remove(self, name: str) -> None:
        self._step()
        self._change_names(lambda names: names.pop(name, None) and None)

    def sync(self, name: str) -> None:
        self._step(writes=True)
        file = self._names[name]
        file.durable = file.content

    def sync_names(self) -> None:
        self._step(writes=True)
        self._durable_names = dict(self._names)
        self._unsynced = []

    def kill(self) -> None:
        """End the process: what was written stays, synced or not."""
        self.steps_left = None
        self.is_full = False

    def cut_power(self) -> None:
        """End the machine: keep what was synced and a random part of the rest."""
        self.kill()
        for change in self._unsynced[: self._random.randint(0, len(self._unsynced))]:
            change(self._durable_names)
        self._unsynced = []
        self._names = dict(self._durable_names)
        for file in {id(each): each for each in self._names.values()}.values():
            file.content = self._leftover(file)
            file.durable = file.content

    def _leftover(self, file: _File) -> bytes:
        if not file.content.startswith(file.durable):
            return file.durable
        tail = file.content[len(file.durable) :]
        tail = tail[: self._random.randint(0, len(tail))]
        if len(tail) > 40 and self._random.random() < 0.3:
            hole = self._random.randrange(len(tail) - 8)
            tail = tail[:hole] + bytes(8) + tail[hole + 8 :]
        return file.durable + tail

    def _open(self, name: str) -> _File:
        if name not in self._names:
            file = _File()
            self._change_names(lambda names: names.setdefault(name, file) and None)
        return self._names[name]

    def _change_names(self, change: Callable[[dict[str, _File]], None]) -> None:
        change(self._names)
        self._unsynced.append(change)

    def _step(self, *, writes: bool = False) -> None:
        self.operations += 1
        if self.steps_left is not None:
            self.steps_left -= 1
            if self.steps_left < 0:
                raise PowerCut
        if writes and self.is_full:
            raise OSError(ENOSPC, "no space left on device")
