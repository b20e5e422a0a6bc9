"""RNN, GRU and LSTM: one product for all tokens, then all steps in one pass for each direction."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from ai_exec.fast import recurrent_steps
from ai_exec.fast.finishing import NOTHING, WIDTH_MAX, Finish, chain_of
from ai_exec.fast.linear import Matrix, prepared
from ai_exec.fast.products import STANDARD, Part, Products, one_by_one
from ai_exec.fast.recurrent_products import Panels, panels_of, takes_pairs
from ai_exec.fast.recurrent_steps import NAMES, run_steps
from ai_exec.fast.weights import Weights
from ai_exec.ops import recurrent_layers
from ai_exec.ops.recurrent_cells import Chosen, brought_bias
from ai_exec.ops.recurrent_layers import Kind, named_activations
from ai_exec.program import Node, Program
from ai_exec.registry import Attributes
from ai_exec.semantics.numerics import Floats
from ai_exec.tensor import Shape, Tensor

Kernel = Callable[..., tuple[Tensor, ...]]

KINDS: Final[Mapping[str, tuple[Kind, int]]] = {
    "RNN": (recurrent_layers.RNN, recurrent_steps.RNN),
    "GRU": (recurrent_layers.GRU, recurrent_steps.GRU),
    "LSTM": (recurrent_layers.LSTM, recurrent_steps.LSTM),
}
SHARED_MIN: Final = 1 << 20
"""Multiply-adds below which the other direction is not handed to another thread."""

Activations = tuple[Tensor, Tensor]
"""Codes, and alpha and beta of each."""


@dataclass(frozen=True, eq=False)
class Recurrent:
    """R of all directions, made ready."""

    directions: tuple[tuple[Panels, Panels], ...]
    """All gates; or all but the last one, and that one, if it sees the reset state."""


@dataclass(frozen=True, slots=True, eq=False)
class Ready:
    """Weights of a layer, made ready."""

    directions: int
    gates: int
    """Rows of a direction's gates."""
    hidden: int
    kept: Tensor
    """The rows that `matrix` was made of."""
    matrix: Matrix
    finish: Finish
    recurrent: Recurrent
    apart: Floats
    """Rb of each direction's last gate where it stays apart; else nothing of each direction."""
    activations: tuple[Activations, ...]


def find(
    node: Node, program: Program, products: Products = STANDARD, weights: Weights | None = None
) -> Kernel | None:
    """Give the kernel of a recurrent node on binary32, or None; it gives all outputs."""
    x = program.operands[node.inputs[0]]
    if x.dtype != "float32":
        return None
    rows = x.shape[0] * x.shape[1]
    layer = Layer(node.operator.name, node.attributes, rows, products)
    named = [*node.inputs[1:4], ""][:3]
    w, r, b = (program.constants.get(name) if name else None for name in named)
    if w is None or r is None or (named[2] and b is None):
        return layer.run_unprepared
    return partial(layer.run, layer.ready(w, r, b, weights or Weights()))


class Layer:
    """What a node's attributes say, and how its weights become ready."""

    def __init__(self, name: str, attributes: Attributes, rows: int, products: Products) -> None:
        self._kind, self._code = KINDS[name]
        self._attributes, self._rows, self._products = attributes, rows, products
        self._apart = bool(attributes.get("linear_before_reset"))
        self._input_forget = int(bool(attributes.get("input_forget")))
        self._layout = bool(attributes.get("layout"))
        self._reverse = attributes["direction"] == "reverse"
        clip = attributes["clip"]
        self._clip = np.array([clip] if isinstance(clip, float) else [], np.float32)

    def ready(self, w: Tensor, r: Tensor, b: Tensor | None, weights: Weights) -> Ready:
        """Make weights ready."""
        directions, gates, width = w.shape
        hidden = r.shape[2]
        flat = (directions * gates, width)
        kept = weights.ready(w, "gates of all directions", lambda own: own.reshape(flat))
        matrix = prepared(kept, self._rows, self._products, turned=True, weights=weights)
        bias = np.zeros((directions, 2 * gates)) if b is None else b.astype(np.float64)
        added = np.zeros(directions * gates + WIDTH_MAX)
        for number in range(directions):
            own = brought_bias(bias[number], hidden, apart=self._apart)
            added[number * gates : (number + 1) * gates] = own
        finish = Finish(chain_of((), matrix.columns), 1.0, added)
        apart = np.ascontiguousarray(bias[:, -hidden:] if self._apart else bias[:, :0])
        named = named_activations(self._kind, self._attributes, directions)
        activations = tuple(map(_activations, named))
        recurrent = self._recurrent(r, weights)
        return Ready(directions, gates, hidden, kept, matrix, finish, recurrent, apart, activations)

    def _recurrent(self, r: Tensor, weights: Weights) -> Recurrent:
        pairs = takes_pairs(self._products)
        resets = self._code == recurrent_steps.GRU and not self._apart

        def make(constant: Tensor) -> Recurrent:
            cut = constant.shape[1] - resets * constant.shape[2]
            return Recurrent(
                tuple(
                    (panels_of(own[:cut].T, pairs=pairs), panels_of(own[cut:].T, pairs=pairs))
                    for own in constant
                )
            )

        return weights.ready(r, ("steps", pairs, resets), make)

    def run_unprepared(
        self, x: Tensor, w: Tensor, r: Tensor, b: Tensor | None = None, *rest: Tensor | None
    ) -> tuple[Tensor, ...]:
        """Give the outputs for weights that only the run knows."""
        return self.run(self.ready(w, r, b, Weights()), x, w, r, b, *rest)

    def run(
        self,
        ready: Ready,
        x: Tensor,
        w: Tensor,
        r: Tensor,
        b: Tensor | None = None,
        sequence_lens: Tensor | None = None,
        initial_h: Tensor | None = None,
        initial_c: Tensor | None = None,
        p: Tensor | None = None,
    ) -> tuple[Tensor, ...]:
        """Give the outputs of all tokens and the last states."""
        batch, length = x.shape[:2] if self._layout else x.shape[1::-1]
        tokens = np.empty((length * batch, ready.directions * ready.gates), np.float32)
        rows = np.ascontiguousarray(x).reshape(length * batch, x.shape[2])
        if x.shape[2]:
            ready.matrix.apply(rows, ready.finish, NOTHING[0], tokens)
        else:
            tokens[:] = ready.finish.bias[: tokens.shape[1]]
        lengths = np.full(batch, length, np.int64)
        if sequence_lens is not None:
            lengths = np.clip(sequence_lens.astype(np.int64), 0, length)
        shape = (ready.directions, batch, ready.hidden)
        h, c = (self._start(state, shape) for state in (initial_h, initial_c))
        across = ready.directions * ready.hidden
        out = np.empty(length * batch * across, np.float32)
        orders = ((batch, 1), (batch * across, ready.hidden))
        if self._layout:
            orders = ((1, length), (across, length * across))
        parts: list[Part] = []
        for number, matrices in enumerate(ready.recurrent.directions):
            backwards = int(self._reverse or number == 1)
            holes = np.zeros(0) if p is None else p[number].astype(np.float64)
            given = (tokens, number * ready.gates, orders, lengths, backwards)
            constants = (_read(matrices), ready.apart[number], holes, self._clip)
            first = number * ready.hidden * (1 if self._layout else batch)
            parts.append(
                partial(
                    run_steps,
                    *(self._code, length, *given, *constants),
                    *(ready.activations[number], self._input_forget),
                    *(h[number], c[number], out, first),
                )
            )
        self._do(parts, length * batch * ready.gates * ready.hidden)
        return self._outputs(out, length, h, c)

    def _do(self, parts: Sequence[Part], work: int) -> None:
        if self._products.threads > 1 and work >= SHARED_MIN:
            self._products.together(parts)
        else:
            one_by_one(parts)

    def _start(self, state: Tensor | None, shape: Shape) -> Tensor:
        if state is None:
            return np.zeros(shape, np.float32)
        return np.array(state.transpose(1, 0, 2) if self._layout else state, order="C")

    def _outputs(self, out: Tensor, length: int, h: Tensor, c: Tensor) -> tuple[Tensor, ...]:
        directions, batch, hidden = h.shape
        states = (h, c)[: self._kind.states]
        if self._layout:
            turned = (state.transpose(1, 0, 2) for state in states)
            return out.reshape(batch, length, directions, hidden), *turned
        return out.reshape(length, directions, batch, hidden), *states


def _read(matrices: tuple[Panels, Panels]) -> tuple[tuple[Tensor, Tensor], ...]:
    return tuple((own.panels, own.scales) for own in matrices)


def _activations(chosen: tuple[Chosen, ...]) -> Activations:
    codes = np.array([NAMES.index(one.name) for one in chosen], np.int64)
    factors = [(one.factor("alpha"), one.factor("beta")) for one in chosen]
    return codes, np.array(factors, np.float32)
