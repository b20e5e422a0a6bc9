"""Control: who may change a model, and what several signatories want together.

Invariant: every signatory has at most one approval, and no action has as many as it needs.
"""

from collections.abc import Callable
from typing import Final

from chain.primitives.keys import Address
from runtime.frame import Root, Signed
from runtime.pallets.models import errors, events
from runtime.pallets.models.store import Store
from runtime.pallets.models.stored import (
    SIGNATORIES_MAX,
    Action,
    Approval,
    Cancel,
    Control,
    Model,
    Multisig,
    Referendum,
)

LEAST_THRESHOLD: Final = 2
"""Of a multisig: below that a single key would do."""


def check_control(control: Control, time_lock_max: int) -> None:
    """Refuse what cannot work; raises BadControl."""
    if control.time_lock > time_lock_max:
        raise errors.BadControl(f"{control.time_lock} blocks, at most {time_lock_max}")
    authority = control.authority
    if not isinstance(authority, Multisig):
        return
    keys = authority.signatories
    if list(keys) != sorted(set(keys)):
        raise errors.BadControl("signatories must ascend, each once")
    if not LEAST_THRESHOLD <= authority.threshold <= len(keys) <= SIGNATORIES_MAX:
        raise errors.BadControl(f"{authority.threshold} of {len(keys)} signatories")


def needed(authority: Multisig, action: Action) -> int:
    """Give how many must want it: those who cancel must make the move impossible to decide."""
    if isinstance(action, Cancel):
        return len(authority.signatories) - authority.threshold + 1
    return authority.threshold


class Authorities:
    """Decides whether a call is one of those who control a model."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def allows(self, name: str, model: Model, origin: Signed | Root, action: Action) -> bool:
        """Tell whether it is decided now; else an approval was noted.

        Raises DispatchError for those who have nothing to say here.
        """
        authority = model.control.authority
        if isinstance(origin, Root):
            if isinstance(authority, Referendum) or isinstance(action, Cancel):
                return True
            raise errors.NotDecidedByVote()
        if isinstance(authority, Referendum):
            raise errors.NeedsReferendum()
        if isinstance(authority, Multisig):
            return self._approved(name, authority, origin.address, action)
        if model.owner != origin.address:
            raise errors.NotOwner()
        return True

    def forget(self, name: str, unwanted: Callable[[Action], bool]) -> None:
        """Drop the approvals of some actions of a model."""
        approvals = self._store.approvals.find(name)
        if approvals is not None:
            self._keep(name, tuple(each for each in approvals if not unwanted(each.action)))

    def _approved(self, name: str, authority: Multisig, signatory: Address, action: Action) -> bool:
        if signatory not in authority.signatories:
            raise errors.NotSignatory()
        approvals = self._store.approvals.find(name) or ()
        if Approval(signatory, action) in approvals:
            raise errors.AlreadyApproved()
        others = tuple(each for each in approvals if each.signatory != signatory)
        count = 1 + sum(each.action == action for each in others)
        self._store.emit(events.Approved(name, signatory, action, count))
        if count >= needed(authority, action):
            self._keep(name, tuple(each for each in others if each.action != action))
            return True
        self._keep(name, (*others, Approval(signatory, action)))
        return False

    def _keep(self, name: str, approvals: tuple[Approval, ...]) -> None:
        if approvals:
            self._store.approvals[name] = approvals
        elif name in self._store.approvals:
            del self._store.approvals[name]
