"""Channels: names that point at versions, and their moves through gate and time-lock.

A move to a version that was there before needs no gate.  Of several moves of a channel only one is
open.  Invariant: a channel points at nothing or at a version that can be run, and so will every
open move; an open move stands on the agenda or in the queue of those being scored, once.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from chain.primitives.keys import Address
from runtime.frame.evaluations import Evaluations, Failed, Score
from runtime.frame.names import is_name
from runtime.pallets.models import errors, events
from runtime.pallets.models.store import Store
from runtime.pallets.models.stored import (
    CHANNELS_MAX,
    DUE_MAX,
    SCORING_MAX,
    STABLE,
    VERSIONS_ACTIVE_MAX,
    Held,
    History,
    Model,
    Move,
    Place,
    Status,
)

AGENDA_SEARCHED: Final = 16
"""Blocks looked through for a place on the agenda."""


class Channels:
    """Moves channels."""

    def __init__(self, store: Store, evaluations: Evaluations, height: Callable[[], int]) -> None:
        self._store = store
        self.evaluations = evaluations
        self._height = height

    def check(self, name: str, model: Model, channel: str, version: int | None) -> None:
        """Refuse a move that could not begin now; raises DispatchError."""
        moves = self._store.moves.find(name) or ()
        if any(each.channel == channel for each in moves):
            raise errors.MoveOpen(channel)
        found = model.channel(channel)
        if found is None:
            self._check_new(model, moves, channel)
        if version == (None if found is None else found.version):
            raise errors.AlreadyThere(f"{channel} at {version or 'nothing'}")
        if version is not None:
            status = self._store.version(name, version).status
            if status != Status.ACTIVE:
                raise errors.NotActive(f"{name} version {version} is {status.name.lower()}")

    def begin(
        self, name: str, model: Model, channel: str, version: int | None, payer: Address
    ) -> None:
        """Begin a move that was decided: to the gate, to the agenda, or at once."""
        history = self._store.histories[name, channel]
        move = Move(channel, version, self._height(), None)
        rolls_back = version is None or any(each.version == version for each in history.held)
        if model.control.gate is not None and not rolls_back:
            move = self._scored(name, model, move, payer)
            self._queue(name, channel)
        elif model.control.time_lock:
            move = replace(move, due=self._booked(name, model, channel))
        else:
            self._happen(name, move)
            return
        self._store.moves[name] = (*(self._store.moves.find(name) or ()), move)
        self._store.emit(events.MoveBegun(name, channel, version, move.due))

    def open_move(self, name: str, channel: str) -> Move:
        """Give the open move of a channel; raises NoMove."""
        for each in self._store.moves.find(name) or ():
            if each.channel == channel:
                return each
        raise errors.NoMove(channel)

    def cancel(self, name: str, move: Move) -> None:
        """Let a move not happen."""
        self._close(name, move)
        place = Place(name, move.channel)
        if move.due is None:
            left = tuple(each for each in self._store.scoring.get() if each != place)
            self._store.scoring.set(left)
        else:
            self._unbook(move.due, place)
        self._store.emit(events.MoveCancelled(name, move.channel, move.version))

    def uses(self, name: str, model: Model, version: int) -> bool:
        """Tell whether a channel points at a version, or will."""
        moves = self._store.moves.find(name) or ()
        return version in (
            *(each.version for each in model.channels),
            *(each.version for each in moves),
        )

    def forget(self, name: str, model: Model, version: int) -> None:
        """Let no channel remember a version that cannot be run any more."""
        for channel in model.channels:
            history = self._store.histories.find((name, channel.name))
            if history is not None and any(each.version == version for each in history.held):
                held = tuple(each for each in history.held if each.version != version)
                self._store.histories[name, channel.name] = replace(history, held=held)

    def on_block(self, now: int) -> None:
        """Let the moves happen that are due, and look at those that are being scored."""
        places = self._store.agenda.find(now)
        if places is not None:
            del self._store.agenda[now]
            for place in places:
                move = self.open_move(place.model, place.channel)
                self._close(place.model, move)
                self._happen(place.model, move)
        scoring = self._store.scoring.get()
        left = tuple(place for place in scoring if not self._is_settled(place))
        if len(left) < len(scoring):
            self._store.scoring.set(left)

    def _check_new(self, model: Model, moves: tuple[Move, ...], channel: str) -> None:
        if not is_name(channel):
            raise errors.BadName(repr(channel))
        new = sum(model.channel(each.channel) is None for each in moves)
        if len(model.channels) + new >= CHANNELS_MAX:
            raise errors.TooManyChannels(f"{CHANNELS_MAX} channels")

    def _scored(self, name: str, model: Model, move: Move, payer: Address) -> Move:
        """Order the scores that the gate needs; raises DispatchError."""
        assert move.version is not None
        channel = model.channel(move.channel)
        current = None
        if channel is not None and channel.version is not None:
            history = self._store.histories[name, move.channel]
            if history.bar is None:
                current = self._order(name, model, channel.version, payer)
        evaluation = self._order(name, model, move.version, payer)
        return replace(move, evaluation=evaluation, current=current)

    def _order(self, name: str, model: Model, number: int, payer: Address) -> int:
        assert model.control.gate is not None
        version = self._store.versions[name, number]
        return self.evaluations.request(
            version.blob,
            version.bounds,
            version.inputs,
            version.gas,
            model.control.gate,
            payer,
        )

    def _queue(self, name: str, channel: str) -> None:
        scoring = self._store.scoring.get()
        if len(scoring) >= SCORING_MAX:
            raise errors.GateBusy(f"{SCORING_MAX} moves")
        self._store.scoring.set((*scoring, Place(name, channel)))

    def _is_settled(self, place: Place) -> bool:
        """Tell whether a move left the gate: refused, done, or on the agenda."""
        name, move = place.model, self._with_scores(place)
        if move is None:
            return True
        if move.score is None or move.current is not None:
            return False
        bar = self._store.histories[name, place.channel].bar
        if bar is not None and is_below(move.score, bar):
            found, asked = move.score.correct, bar.correct
            self._refuse(name, move, f"{found} of {bar.rows} correct, the one before {asked}")
            return True
        return self._passed(name, move)

    def _with_scores(self, place: Place) -> Move | None:
        """Note the scores that are known by now; None for a move whose version has none."""
        name, move = place.model, self.open_move(place.model, place.channel)
        assert move.evaluation is not None
        score = move.score or self.evaluations.score(move.evaluation)
        if isinstance(score, Failed):
            self._refuse(name, move, f"no score: {score.reason}")
            return None
        known = replace(move, score=score)
        current = None if move.current is None else self.evaluations.score(move.current)
        if current is not None:
            known = replace(known, current=None)
            if isinstance(current, Score):
                self._note_current(place, current)
        if known != move:
            self._store.moves[name] = (*self._others(name, move.channel), known)
        return known

    def _passed(self, name: str, move: Move) -> bool:
        model = self._store.models[name]
        if not model.control.time_lock:
            self._close(name, move)
            self._happen(name, move)
            return True
        try:
            due = self._booked(name, model, move.channel)
        except errors.AgendaFull:
            return False
        others = self._others(name, move.channel)
        self._store.moves[name] = (*others, replace(move, due=due))
        self._store.emit(events.MoveDue(name, move.channel, move.version, due))
        return True

    def _refuse(self, name: str, move: Move, reason: str) -> None:
        self._close(name, move)
        self._store.emit(events.MoveRefused(name, move.channel, move.version, reason))

    def _note_current(self, place: Place, score: Score) -> None:
        """Remember how the version did that a channel points at.

        One that gave no score is no bar: it could never be replaced otherwise.
        """
        channel = self._store.models[place.model].channel(place.channel)
        assert channel is not None
        history = self._store.histories[place.model, place.channel]
        held = tuple(
            replace(each, score=score) if each.version == channel.version else each
            for each in history.held
        )
        self._store.histories[place.model, place.channel] = History(score, held)

    def _happen(self, name: str, move: Move) -> None:
        """Let a channel point where its move leads."""
        channel = self._store.models[name].channel(move.channel)
        before = None if channel is None else channel.version
        history = self._store.histories[name, move.channel]
        if move.version is not None:
            known = next((each for each in history.held if each.version == move.version), None)
            held = known or Held(move.version, move.score)
            others = tuple(each for each in history.held if each.version != move.version)
            history = History(held.score, (*others[1 - VERSIONS_ACTIVE_MAX :], held))
        self._store.histories[name, move.channel] = history
        self._store.point(name, move.channel, move.version)
        self._store.emit(events.Moved(name, move.channel, move.version, before))

    def _close(self, name: str, move: Move) -> None:
        others = self._others(name, move.channel)
        if others:
            self._store.moves[name] = others
        else:
            del self._store.moves[name]

    def _others(self, name: str, channel: str) -> tuple[Move, ...]:
        moves = self._store.moves.find(name) or ()
        return tuple(each for each in moves if each.channel != channel)

    def _booked(self, name: str, model: Model, channel: str) -> int:
        """Find a block for a move, the earliest with a place; raises AgendaFull."""
        first = self._height() + model.control.time_lock
        for block in range(first, first + AGENDA_SEARCHED):
            places = self._store.agenda.find(block) or ()
            if len(places) < DUE_MAX:
                self._store.agenda[block] = (*places, Place(name, channel))
                return block
        raise errors.AgendaFull(f"blocks {first} to {first + AGENDA_SEARCHED - 1}")

    def _unbook(self, due: int, place: Place) -> None:
        left = tuple(each for each in self._store.agenda[due] if each != place)
        if left:
            self._store.agenda[due] = left
        else:
            del self._store.agenda[due]


def is_below(score: Score, bar: Score) -> bool:
    """Tell whether a score does not reach another; both are of the same rows."""
    return score.correct * bar.rows < bar.correct * score.rows


def default_of(model: Model) -> int | None:
    """Give the version that a call without one runs, None where there is none.

    It is what stable points at; else the newest that can be run, unless its owner alone does not
    decide: publishing must not change what others guard.
    """
    stable = model.channel(STABLE)
    if stable is not None and stable.version is not None:
        return stable.version
    return model.active[-1] if model.active and not model.control.guards else None
