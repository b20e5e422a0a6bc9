"""One step of a recurrent layer: gates by exact contractions (R3), then activations (R1, R2).

What a token brings, x W^T + (Wb + Rb) in binary64, is rounded.  The input of an activation is that,
plus h R^T in binary64, a peephole P c added last where there is one, rounded, then clipped.  What
an activation gives is rounded.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from ai_exec.ops import activations
from ai_exec.registry import Mismatch
from ai_exec.semantics import functions
from ai_exec.semantics.numerics import Floats, columns_of, contract_with, maximum, minimum
from ai_exec.tensor import Tensor

Activation = Callable[[Tensor], Tensor]
States = tuple[Tensor, ...]
Step = Callable[[Floats, States], States]
"""Takes what a token brings and the states; gives the new states."""


def _affine(x: Tensor, *, alpha: float = 1.0, beta: float = 0.0) -> Tensor:
    line: Tensor = x.dtype.type(alpha) * x + x.dtype.type(beta)
    return line


def _scaled_tanh(x: Tensor, *, alpha: float = 1.0, beta: float = 1.0) -> Tensor:
    scaled: Tensor = x.dtype.type(alpha) * functions.tanh(x.dtype.type(beta) * x)
    return scaled


ACTIVATIONS: dict[str, tuple[Callable[..., Tensor], tuple[str, ...]]] = {
    "affine": (_affine, ("alpha", "beta")),
    "elu": (activations.elu, ("alpha",)),
    "hardsigmoid": (activations.hard_sigmoid, ("alpha", "beta")),
    "leakyrelu": (activations.leaky_relu, ("alpha",)),
    "relu": (activations.relu, ()),
    "scaledtanh": (_scaled_tanh, ("alpha", "beta")),
    "sigmoid": (functions.sigmoid, ()),
    "softplus": (functions.softplus, ()),
    "softsign": (activations.softsign, ()),
    "tanh": (functions.tanh, ()),
    "thresholdedrelu": (activations.thresholded_relu, ("alpha",)),
}
"""Activations by their names in small letters, with the factors that they take."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """An activation of a layer."""

    name: str
    """In small letters."""
    factors: Mapping[str, float]
    """Those that were given; others are the activation's own."""

    def __call__(self, x: Tensor) -> Tensor:
        """Apply it to each element."""
        return ACTIVATIONS[self.name][0](x, **self.factors)

    def factor(self, name: str) -> float:
        """Give a factor, as given or the activation's own; 0 if it takes none of that name."""
        if name not in ACTIVATIONS[self.name][1]:
            return 0.0
        own = ACTIVATIONS[self.name][0].__kwdefaults__ or {}
        return float(self.factors.get(name, own[name]))


def activations_of(
    names: tuple[str, ...], alphas: tuple[float, ...], betas: tuple[float, ...]
) -> tuple[Chosen, ...]:
    """Give activations by name; those that take factors take the next one; raises Mismatch."""
    left = {"alpha": iter(alphas), "beta": iter(betas)}
    return tuple(_with_factors(name, left) for name in names)


def _with_factors(name: str, left: dict[str, Iterator[float]]) -> Chosen:
    small = name.lower()
    if small not in ACTIVATIONS:
        raise Mismatch(f"activation {name[:32]!r} is not supported")
    given = {factor: next(left[factor], None) for factor in ACTIVATIONS[small][1]}
    return Chosen(small, {name: value for name, value in given.items() if value is not None})


def brought_bias(bias: Floats, hidden: int, *, apart: bool) -> Floats:
    """Wb + Rb in binary64; Wb alone for the last gate if its Rb stays apart."""
    first, second = np.split(bias, 2)
    total: Floats = first + second
    if apart:
        total[-hidden:] = first[-hidden:]
    return total


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """What a direction of a layer multiplies with."""

    recurrent: Tensor
    """R: a row for each gate and hidden element."""
    bias: Floats
    """Wb and Rb, one after the other, in binary64."""
    peepholes: Floats | None
    """P of the input, output and forget gates in binary64, if there are any."""
    activations: tuple[Activation, ...]
    clip: float | None

    @property
    def hidden(self) -> int:
        """Elements of the hidden state."""
        return int(self.recurrent.shape[1])

    @property
    def fine(self) -> bool:
        """Whether the layer is of binary64."""
        return bool(self.recurrent.dtype == np.float64)

    def gate(self, total: Floats) -> Tensor:
        """Round the input of an activation and clip it."""
        rounded = total.astype(self.recurrent.dtype)
        if self.clip is None:
            return rounded
        bound = rounded.dtype.type(self.clip)
        return minimum(maximum(rounded, -bound), bound)

    def rounded(self, total: Floats) -> Tensor:
        """Round to the element type of the layer."""
        return total.astype(self.recurrent.dtype)


def wide(x: Tensor) -> Floats:
    """Widen to binary64."""
    return x.astype(np.float64)


def rnn_step(weights: Weights) -> Step:
    """h = f(gate)."""
    right = columns_of(weights.recurrent.T, fine=weights.fine)
    activate = weights.activations[0]

    def step(brought: Tensor, states: States) -> States:
        return (activate(weights.gate(wide(brought) + contract_with(states[0], right))),)

    return step


def gru_step(weights: Weights, *, linear_before_reset: bool) -> Step:
    """h = (1 - z) g(hidden gate) + z h, in binary64, rounded once.

    The reset gate r multiplies h before its contraction, rounded; or, if linear_before_reset, the
    contraction plus its bias in binary64: r (h R^T + Rb), and the token brings x W^T + Wb.
    """
    size = weights.hidden
    right = columns_of(weights.recurrent[: 2 * size].T, fine=weights.fine)
    last = columns_of(weights.recurrent[2 * size :].T, fine=weights.fine)
    recurrent_bias = weights.bias[-size:]
    f, g = weights.activations

    def step(brought: Tensor, states: States) -> States:
        h = states[0]
        total = wide(brought[:, : 2 * size]) + contract_with(h, right)
        z = f(weights.gate(total[:, :size]))
        r = f(weights.gate(total[:, size:]))
        if linear_before_reset:
            kept = wide(r) * (contract_with(h, last) + recurrent_bias)
        else:
            kept = contract_with(r * h, last)
        candidate = g(weights.gate(wide(brought[:, 2 * size :]) + kept))
        mixed = (1.0 - wide(z)) * wide(candidate) + wide(z) * wide(h)
        return (weights.rounded(mixed),)

    return step


def lstm_step(weights: Weights, *, input_forget: bool) -> Step:
    """c = f c + i g(cell gate) in binary64, rounded once; h = o h(c), rounded.

    If input_forget, f is 1 - i.  The output gate's peephole sees the new c.
    """
    size = weights.hidden
    right = columns_of(weights.recurrent.T, fine=weights.fine)
    f, g, h = weights.activations

    def seen(total: Floats, place: int, cell: Tensor) -> Tensor:
        """Add a peephole, if there are any, and round."""
        if weights.peepholes is not None:
            total = total + weights.peepholes[place * size : (place + 1) * size] * wide(cell)
        return weights.gate(total)

    def step(brought: Tensor, states: States) -> States:
        hidden, cell = states
        total = wide(brought) + contract_with(hidden, right)
        i, o, forget, candidate = (total[:, n * size : (n + 1) * size] for n in range(4))
        let_in = f(seen(i, 0, cell))
        kept = let_in.dtype.type(1) - let_in
        if not input_forget:
            kept = f(seen(forget, 2, cell))
        new = g(weights.gate(candidate))
        cell = weights.rounded(wide(kept) * wide(cell) + wide(let_in) * wide(new))
        out = f(seen(o, 1, cell))
        return out * h(cell), cell

    return step
