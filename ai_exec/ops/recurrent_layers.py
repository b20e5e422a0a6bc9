"""Recurrent layers: shapes, directions, lengths of sequences, and the run over all tokens."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ai_exec.metering import FUNCTION_PICOSECONDS, QUANTISE_PICOSECONDS, contraction, gas
from ai_exec.ops.linear import products_cost
from ai_exec.ops.recurrent_cells import (
    Chosen,
    States,
    Step,
    Weights,
    activations_of,
    brought_bias,
)
from ai_exec.ops.rules import require_dtype, require_rank, require_shape, require_word, size
from ai_exec.registry import Attributes, Call, Cost, Infer, Mismatch, Operand
from ai_exec.semantics.numerics import Floats, contract
from ai_exec.tensor import Shape, Tensor

STEP_GAS = 700
"""One step of all sequences in one direction, whatever its width."""
WIDE_STEP_GAS = 900_000
"""The same of binary64, and of 16-bit floats, which no engine has a pass for."""
STEP_FUNCTION_PICOSECONDS = 6_000
"""One activation of one element, and what is made of it."""
STEP_ROW_PICOSECONDS = 3_000
"""Quantising one element of a token or a hidden state."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What tells one recurrent operator from another."""

    gates: int
    activations: tuple[str, ...]
    """Of one direction, by default."""
    states: int
    """The hidden state, and the cell of an LSTM."""
    functions: int
    """Activations of one element of the hidden state at one step."""


RNN = Kind(1, ("Tanh",), 1, 1)
GRU = Kind(3, ("Sigmoid", "Tanh"), 1, 3)
LSTM = Kind(4, ("Sigmoid", "Tanh", "Tanh"), 2, 5)


@dataclass(frozen=True, slots=True)
class Layer:
    """Lengths of a layer."""

    length: int
    batch: int
    directions: int
    hidden: int

    def sequence(self, layout: int) -> Shape:
        """Shape of the output of all tokens."""
        if layout:
            return (self.batch, self.length, self.directions, self.hidden)
        return (self.length, self.directions, self.batch, self.hidden)

    def state(self, layout: int) -> Shape:
        """Shape of a state."""
        if layout:
            return (self.batch, self.directions, self.hidden)
        return (self.directions, self.batch, self.hidden)


def _layout(attributes: Attributes) -> int:
    return 1 if attributes.get("layout") else 0


def _layer(call: Call, kind: Kind) -> Layer:
    data, weights, recurrent = call.at(0), call.at(1), call.at(2)
    for operand, what in ((data, "X"), (weights, "W"), (recurrent, "R")):
        require_rank(operand, range(3, 4), what)
        require_dtype(operand, (data.dtype,), what)
    length, batch, width = data.shape
    if _layout(call.attributes):
        length, batch = batch, length
    directions, hidden = recurrent.shape[0], recurrent.shape[2]
    given = call.attributes["hidden_size"]
    if given not in (None, hidden) or not hidden:
        raise Mismatch(f"hidden_size is {given}, R is {recurrent}")
    require_shape(weights, (directions, kind.gates * hidden, width), "W")
    require_shape(recurrent, (directions, kind.gates * hidden, hidden), "R")
    return Layer(length, batch, directions, hidden)


def infer_of(kind: Kind) -> Infer:
    """Give the rule of types of an operator."""

    def infer(call: Call) -> tuple[Operand, ...]:
        layer, dtype = _layer(call, kind), call.at(0).dtype
        layout = _layout(call.attributes)
        if "direction" in call.attributes and call.word("direction") != "foward":
            require_word(call, "direction", ("forward", "reverse", "bidirectional"))
        both = call.word("direction") == "bidirectional"
        if layer.directions != 1 + both:
            raise Mismatch(f"R is {call.at(2)}, direction is {call.word('direction')}")
        named_activations(kind, call.attributes, layer.directions)
        double = (layer.directions, 2 * kind.gates * layer.hidden)
        state = layer.state(layout)
        expected = [(3, "B", double), (5, "initial_h", state), (6, "initial_c", state)]
        expected.append((7, "P", (layer.directions, 3 * layer.hidden)))
        for index, what, shape in expected:
            operand = call.optional(index)
            if operand is not None:
                require_dtype(operand, (dtype,), what)
                require_shape(operand, shape, what)
        lengths = call.optional(4)
        if lengths is not None:
            require_dtype(lengths, ("int32",), "sequence_lens")
            require_shape(lengths, (layer.batch,), "sequence_lens")
        outputs = (layer.sequence(layout), *[state] * kind.states)
        return tuple(Operand(dtype, shape) for shape in outputs)

    return infer


def named_activations(
    kind: Kind, attributes: Attributes, directions: int
) -> tuple[tuple[Chosen, ...], ...]:
    """Give the activations of each direction; raises Mismatch."""
    given: tuple[str, ...] = attributes["activations"] or kind.activations * directions  # type: ignore[assignment]
    count = len(kind.activations)
    if len(given) < count * directions:
        raise Mismatch(f"{len(given)} activations for {directions} directions of {count}")
    alphas: tuple[float, ...] = attributes["activation_alpha"] or ()  # type: ignore[assignment]
    betas: tuple[float, ...] = attributes["activation_beta"] or ()  # type: ignore[assignment]
    found = activations_of(given[: count * directions], alphas, betas)
    return tuple(found[n * count : (n + 1) * count] for n in range(directions))


def cost_of(kind: Kind) -> Cost:
    """Give the price of an operator."""

    def cost(call: Call) -> int:
        layer = _layer(call, kind)
        if call.at(0).dtype != "float32":
            return _wide_cost(call, kind, layer)
        steps = layer.directions * layer.length
        rows, gates = steps * layer.batch, kind.gates * layer.hidden
        width = call.at(1).shape[2]
        unknown = sum(size(one.shape) for one in (call.at(1), call.at(2)) if one.value is None)
        products = contraction(rows * gates * (width + layer.hidden), unknown, rows * gates)
        each = kind.functions * layer.hidden * STEP_FUNCTION_PICOSECONDS
        quantised = (width + 2 * layer.hidden) * STEP_ROW_PICOSECONDS
        return steps * STEP_GAS + products + gas(rows * (each + quantised))

    return cost


def _wide_cost(call: Call, kind: Kind, layer: Layer) -> int:
    rows = layer.directions * layer.length * layer.batch
    gates = kind.gates * layer.hidden
    width = call.at(1).shape[2]
    multiply_adds = rows * gates * (width + 2 * layer.hidden)
    quantised = rows * (width + 2 * layer.hidden)
    weights = size(call.at(1).shape) + 2 * size(call.at(2).shape)
    dtype = call.at(0).dtype
    products = products_cost(dtype, multiply_adds, quantised + weights, 3 * rows * gates)
    each = gas(rows * layer.hidden * (6 * FUNCTION_PICOSECONDS + 8 * QUANTISE_PICOSECONDS))
    return layer.directions * layer.length * WIDE_STEP_GAS + products + each


def scratch_of(kind: Kind) -> Callable[[Call], int]:
    """Give the memory of an operator: products of all tokens, and weights in binary64."""

    def scratch(call: Call) -> int:
        layer = _layer(call, kind)
        times = 4 if call.at(0).dtype == "float64" else 1
        products = layer.length * layer.batch * kind.gates * layer.hidden
        operands = [*(one for one in call.inputs if one is not None), *call.outputs]
        return times * (32 * products + 48 * sum(size(operand.shape) for operand in operands))

    return scratch


MakeStep = Callable[[Weights], Step]


def run_layer(
    kind: Kind,
    make_step: MakeStep,
    attributes: Attributes,
    x: Tensor,
    w: Tensor,
    r: Tensor,
    b: Tensor | None,
    sequence_lens: Tensor | None,
    states: tuple[Tensor | None, ...],
    p: Tensor | None = None,
) -> tuple[Tensor, ...]:
    """Give the outputs of all tokens and the last states."""
    layout, directions, hidden = _layout(attributes), r.shape[0], r.shape[2]
    tokens = x.transpose(1, 0, 2) if layout else x
    length, batch = tokens.shape[:2]
    lengths = np.full(batch, length)
    if sequence_lens is not None:
        lengths = np.clip(sequence_lens, 0, length)
    named = named_activations(kind, attributes, directions)
    clip = attributes["clip"]
    outputs, finals = [], []
    for number in range(directions):
        bias = np.zeros(2 * kind.gates * hidden) if b is None else b[number].astype(np.float64)
        holes = None if p is None else p[number].astype(np.float64)
        bound = clip if isinstance(clip, float) else None
        weights = Weights(r[number], bias, holes, named[number], bound)
        start = tuple(_start(state, layout, number, (batch, hidden), x.dtype) for state in states)
        backwards = number == 1 or attributes["direction"] == "reverse"
        order = _order(length, lengths, backwards=backwards)
        apart = bool(attributes.get("linear_before_reset"))
        added = brought_bias(bias, hidden, apart=apart)
        step = make_step(weights)
        output, final = _run(tokens, w[number], added, step, start, lengths, order)
        outputs.append(output)
        finals.append(final)
    sequence = np.stack(outputs, axis=1)
    last = [np.stack([final[n] for final in finals]) for n in range(kind.states)]
    if layout:
        return sequence.transpose(2, 0, 1, 3), *(state.transpose(1, 0, 2) for state in last)
    return sequence, *last


def _start(
    state: Tensor | None, layout: int, number: int, shape: Shape, dtype: np.dtype[Any]
) -> Tensor:
    if state is None:
        return np.zeros(shape, dtype)
    return state[:, number] if layout else state[number]


def _order(length: int, lengths: Tensor, *, backwards: bool) -> Tensor:
    """Give for each step the token of each sequence; backwards each sequence by itself."""
    steps = np.arange(length)[:, np.newaxis]
    if not backwards:
        return np.broadcast_to(steps, (length, lengths.shape[0]))
    return np.where(steps < lengths, lengths - 1 - steps, steps)


def _run(
    tokens: Tensor,
    w: Tensor,
    bias: Floats,
    step: Step,
    states: States,
    lengths: Tensor,
    order: Tensor,
) -> tuple[Tensor, States]:
    """Run over the tokens; beyond its length a sequence gives +0 and keeps its states."""
    length, batch, width = tokens.shape
    ordered = np.take_along_axis(tokens, order[..., np.newaxis], axis=0)
    products = contract(ordered.reshape(length * batch, width), w.T) + bias
    brought = products.astype(tokens.dtype).reshape(length, batch, w.shape[0])
    outputs = np.zeros((length, *states[0].shape), tokens.dtype)
    for place in range(length):
        found = step(brought[place], states)
        inside = (place < lengths)[:, np.newaxis]
        states = tuple(np.where(inside, new, old) for new, old in zip(found, states, strict=True))
        outputs[place] = np.where(inside, states[0], states[0].dtype.type(0))
    return np.take_along_axis(outputs, order[..., np.newaxis], axis=0), states
