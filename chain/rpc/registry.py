"""Methods by name: small functions with typed parameters, registered by a decorator."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from inspect import Parameter, isawaitable, iscoroutinefunction, signature
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

from chain.rpc.json_rpc import INVALID_PARAMS, RpcError

Handler = TypeVar("Handler", bound=Callable[..., Any])
Notify = Callable[[Any], None]
"""Sends one value to a subscriber; raises SlowReader."""

Pump = Callable[[Notify], Awaitable[None]]
"""Feeds one subscription until it is cancelled or has nothing more to say."""


@dataclass(frozen=True, slots=True)
class Argument:
    """One parameter of a method."""

    name: str

    parse: Callable[[Any], Any]
    """Turns JSON into a value; raises ValueError with a reason."""

    required: bool

    default: Any


@dataclass(frozen=True, slots=True)
class Method:
    """One method a client can call."""

    name: str
    handler: Callable[..., Any]
    arguments: tuple[Argument, ...]

    notification: str | None = None
    """Of a subscription: the method name of its messages; its handler gives a Pump."""

    unsubscribe: tuple[str, ...] = ()
    """Of a subscription: the methods that end it."""

    in_thread: bool = False
    """Whether the handler may take long and is safe in a thread of its own."""

    async def call(self, ports: Any, params: list[Any] | dict[str, Any]) -> Any:
        """Run the handler; raises RpcError."""
        value = self.handler(ports, **self.bind(params))
        return await value if isawaitable(value) else value

    def compute(self, ports: Any, params: list[Any] | dict[str, Any]) -> Any:
        """Run a handler that may run in a thread; raises RpcError."""
        return self.handler(ports, **self.bind(params))

    def bind(self, params: list[Any] | dict[str, Any]) -> dict[str, Any]:
        """Read parameters given by position or by name; trailing nulls are as good as none."""
        given = params if isinstance(params, dict) else self._by_position(params)
        unknown = sorted(set(given) - {argument.name for argument in self.arguments})
        if unknown:
            raise RpcError(INVALID_PARAMS, f"Invalid params: no parameter named {unknown[0]}")
        return {each.name: _parsed(each, given.get(each.name)) for each in self.arguments}

    def _by_position(self, params: list[Any]) -> dict[str, Any]:
        surplus = params[len(self.arguments) :]
        if any(value is not None for value in surplus):
            raise RpcError(
                INVALID_PARAMS, f"Invalid params: at most {len(self.arguments)} are expected"
            )
        names = (argument.name for argument in self.arguments)
        return dict(zip(names, params, strict=False))


def _parsed(argument: Argument, value: Any) -> Any:
    if value is None:
        if argument.required:
            raise RpcError(INVALID_PARAMS, f"Invalid params: {argument.name} is missing")
        return argument.default
    try:
        return argument.parse(value)
    except ValueError as error:
        raise RpcError(INVALID_PARAMS, f"Invalid params: {argument.name}: {error}") from error


class Registry:
    """All methods of a server by every name they have.

    Plain handlers run in threads, so that none holds up the node, unless the registry is
    `at_once`: for answers that are read from the trio thread's own objects.
    """

    def __init__(self, *, at_once: bool = False) -> None:
        self._at_once = at_once
        self._methods: dict[str, Method] = {}
        self._ends: dict[str, str] = {}

    def method(self, name: str, *aliases: str) -> Callable[[Handler], Handler]:
        """Register a handler `(ports, parameters...)` that gives the answer."""

        def register(handler: Handler) -> Handler:
            in_thread = not self._at_once and not iscoroutinefunction(handler)
            for each in (name, *aliases):
                self._add(Method(each, handler, _arguments(handler), in_thread=in_thread))
            return handler

        return register

    def subscription(
        self, name: str, *aliases: str, notification: str, unsubscribe: tuple[str, ...]
    ) -> Callable[[Handler], Handler]:
        """Register a handler `(ports, parameters...)` that gives the Pump of a subscription."""

        def register(handler: Handler) -> Handler:
            for each in (name, *aliases):
                self._add(
                    Method(each, handler, _arguments(handler), notification, tuple(unsubscribe))
                )
            self._ends.update(dict.fromkeys(unsubscribe, name))
            return handler

        return register

    def __iter__(self) -> Iterator[str]:
        """Give every name a client can call, sorted."""
        return iter(sorted({*self._methods, *self._ends}))

    def find(self, name: str) -> Method | None:
        """Give the method of a name."""
        return self._methods.get(name)

    def ends_subscription(self, name: str) -> bool:
        """Say whether the name ends a subscription."""
        return name in self._ends

    def merged(self, *others: "Registry") -> "Registry":
        """Give one registry of this one and others; a name that two of them have is a mistake."""
        both = Registry()
        for each in (self, *others):
            for method in each._methods.values():
                both._add(method)
            both._ends.update(each._ends)
        return both

    def _add(self, method: Method) -> None:
        assert method.name not in self._methods, f"{method.name} is registered twice"
        self._methods[method.name] = method


def _arguments(handler: Callable[..., Any]) -> tuple[Argument, ...]:
    hints: Mapping[str, Any] = get_type_hints(handler, include_extras=True)
    parameters = list(signature(handler).parameters.values())[1:]
    return tuple(_argument(parameter, hints[parameter.name]) for parameter in parameters)


def _argument(parameter: Parameter, hint: Any) -> Argument:
    parse = _parser(hint)
    assert parse is not None, f"{parameter.name}: write Annotated[type, parser]"
    required = parameter.default is Parameter.empty
    return Argument(parameter.name, parse, required, None if required else parameter.default)


def _parser(hint: Any) -> Callable[[Any], Any] | None:
    if get_origin(hint) is Annotated:
        return next((extra for extra in get_args(hint)[1:] if callable(extra)), None)
    inner = (_parser(each) for each in get_args(hint))
    return next((each for each in inner if each is not None), None)
