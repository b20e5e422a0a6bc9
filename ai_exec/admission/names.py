"""Names of tensors: what each means in a graph, a body or a function."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ai_exec.admission.context import Context
from ai_exec.admission.nodes import Environment
from ai_exec.model.loader import Unreadable, shown, tensor_of
from ai_exec.model.wire import Message
from ai_exec.registry import Operand


@dataclass(frozen=True, slots=True, eq=False)
class Setting:
    """What the nodes of a scope stand in."""

    opsets: Mapping[str, int]
    place: str = ""
    """Where the scope is, in front of each reason."""
    given: Environment | None = None
    """Attributes of the node that stands for the function, if it is one."""
    callers: tuple[tuple[str, str, str], ...] = ()
    """Functions that the scope lies in."""


class Names:
    """The names of one scope; `reasons` tells what is against them and what they mean."""

    def __init__(self, context: Context, setting: Setting, around: "Names | None" = None) -> None:
        self.reasons: list[str] = []
        self.context = context
        self.setting = setting
        self._around = around
        self._names: dict[str, str] = {}
        """Unique names of the tensors that are defined here; empty for one that is left out."""
        self._wanted: dict[str, str] = {}
        """Unique names that the caller chose for what is defined here."""
        self._declared: dict[str, Message] = {}
        self._declared_around: dict[str, Operand | None] = {}

    @property
    def is_main(self) -> bool:
        """Whether this is the model's own graph, and no graph or function within it."""
        return self._around is None and self.setting.given is None

    def resolve(self, name: str) -> str | None:
        """Give the unique name that a name means here; None if nothing has it."""
        found = self._names.get(name)
        if found is None and self._around is not None:
            return self._around.resolve(name)
        return found

    def known(self, name: str) -> Operand | None:
        """Give what is known of a name here."""
        unique = self.resolve(name)
        return self.context.operands.get(unique) if unique else None

    def bind(self, name: str, unique: str) -> None:
        """Let a name mean a tensor that there is already."""
        self._names[name] = unique

    def unique_of(self, name: str) -> str:
        """Give the unique name that a tensor to be defined here gets."""
        if name in self._wanted:
            return self._wanted[name]
        return name if self.is_main else self.context.unique(name)

    def define(self, where: str, name: str, unique: str, operand: Operand | None) -> None:
        """Add a tensor, or complain about its name; `where` says who defines it."""
        if not name:
            self.complain(where, "without a name")
        elif name in self._names:
            self.complain(where, f"{shown(name)} is defined twice")
        else:
            self._names[name] = unique
            self.context.operands[unique] = operand

    def expect(self, name: str, unique: str, declared: Operand | None) -> None:
        """Have what will be defined here as `name` called `unique`, as the caller does."""
        self._wanted.setdefault(name, unique)
        self._declared_around.setdefault(name, declared)

    def complain(self, where: str, reason: str) -> None:
        """Note a reason against the model."""
        self.reasons.append(f"{self.setting.place}{where}: {reason}")

    def read_initialisers(self, messages: Sequence[Message]) -> None:
        """Define the constants of a graph."""
        if self.is_main and self.context.again:
            for name, operand in self.context.known.operands.items():
                self.define("", name, name, operand)
            return
        if not self.is_main:
            self.context.count_items(messages, main=False)
        for index, message in enumerate(messages):
            name = message.get("name", "")
            where = f"initialiser {index} ({shown(name)})"
            found: Operand | None = None
            try:
                found = self.context.constant(tensor_of(message, self.context.limits))
                if self.is_main:
                    self.context.known.operands[name] = found
            except Unreadable as error:
                self.complain(where, str(error))
            self.define(where, name, self.unique_of(name), found)

    def read_declarations(self, messages: Sequence[Message]) -> None:
        """Remember what is said of tensors, for those whose shapes depend on values of a run."""
        for message in messages:
            self._declared.setdefault(message.get("name", ""), message)

    def declared(self, name: str) -> Operand | None:
        """Give the bound that the model declares of a tensor defined here, if any."""
        found = self.context.declared(self._declared.get(name))
        return self._declared_around.get(name) if found is None else found
