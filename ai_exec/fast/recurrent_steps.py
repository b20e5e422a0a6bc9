"""All steps of a recurrent layer in one direction, in one pass: products, gates, states.

Each rounding is that of `ops/recurrent_cells.py`.
"""

from typing import Any, Final

import numpy as np

from ai_exec.fast.compilation import borrowing, compiled, inlined
from ai_exec.fast.recurrent_products import copy_numbers, multiply_rows, room_for
from ai_exec.fast.scalar import expm1_f32, sigmoid_f32, softplus_f32, tanh_f32

NAMES: Final = (
    *("sigmoid", "tanh", "relu", "affine", "elu", "hardsigmoid", "leakyrelu", "scaledtanh"),
    *("softplus", "softsign", "thresholdedrelu"),
)
"""Activations; their places are their codes."""
SIGMOID: Final = NAMES.index("sigmoid")
TANH: Final = NAMES.index("tanh")
RELU: Final = NAMES.index("relu")
AFFINE: Final = NAMES.index("affine")
ELU: Final = NAMES.index("elu")
HARD_SIGMOID: Final = NAMES.index("hardsigmoid")
LEAKY_RELU: Final = NAMES.index("leakyrelu")
SCALED_TANH: Final = NAMES.index("scaledtanh")
SOFTPLUS: Final = NAMES.index("softplus")
SOFTSIGN: Final = NAMES.index("softsign")

RNN, GRU, LSTM = range(3)
"""Kinds of layers."""


@borrowing
def activate_line(values: Any, code: int, alpha: Any, beta: Any) -> None:
    """Apply an activation that is made of lines."""
    zero, one = np.float32(0), np.float32(1)
    if code == RELU:
        for index in range(values.shape[0]):
            values[index] = zero if values[index] <= zero else values[index]
    elif code == AFFINE:
        for index in range(values.shape[0]):
            values[index] = alpha * values[index] + beta
    elif code == HARD_SIGMOID:
        for index in range(values.shape[0]):
            line = alpha * values[index] + beta
            line = one if line > one else line
            values[index] = zero if line <= zero else line
    elif code == LEAKY_RELU:
        for index in range(values.shape[0]):
            x = values[index]
            values[index] = alpha * x if x < zero else x
    elif code == SOFTSIGN:
        for index in range(values.shape[0]):
            values[index] = values[index] / (one + abs(values[index]))
    else:
        for index in range(values.shape[0]):
            values[index] = values[index] if values[index] > alpha else zero


@borrowing
def activate(values: Any, code: int, alpha: Any, beta: Any) -> None:
    """Apply an activation, by its code, to each value."""
    if code == SIGMOID:
        for index in range(values.shape[0]):
            values[index] = sigmoid_f32(values[index])
    elif code == TANH:
        for index in range(values.shape[0]):
            values[index] = tanh_f32(values[index])
    elif code == SCALED_TANH:
        for index in range(values.shape[0]):
            values[index] = alpha * tanh_f32(beta * values[index])
    elif code == ELU:
        for index in range(values.shape[0]):
            x = values[index]
            values[index] = alpha * expm1_f32(x) if x < np.float32(0) else x
    elif code == SOFTPLUS:
        for index in range(values.shape[0]):
            values[index] = softplus_f32(values[index])
    else:
        activate_line(values, code, alpha, beta)


@borrowing
def finish_gate(values: Any, clip: Any, activations: Any, place: int) -> None:
    """Clip the inputs of an activation, if the layer does that, and apply it."""
    if clip.shape[0]:
        low, high, zero = -clip[0], clip[0], np.float32(0)
        for index in range(values.shape[0]):
            x = values[index]
            above = x if x > low or x != x else low
            values[index] = (above if above < high or above != above else high) + zero
    codes, factors = activations
    activate(values, codes[place], factors[place, 0], factors[place, 1])


@borrowing
def add_up(brought: Any, totals: Any, values: Any) -> None:
    """What a token brings plus the products with the hidden state, rounded."""
    for index in range(values.shape[0]):
        values[index] = np.float32(np.float64(brought[index]) + totals[index])


@borrowing
def add_peephole(brought: Any, totals: Any, hole: Any, cell: Any, values: Any) -> None:
    """The same, with a peephole added before it is rounded."""
    for index in range(values.shape[0]):
        total = np.float64(brought[index]) + totals[index]
        values[index] = np.float32(total + hole[index] * np.float64(cell[index]))


@borrowing
def update_cell(let_in: Any, kept: Any, new: Any, input_forget: int, cell: Any, copy: Any) -> None:
    """f C + i c of one sequence, or (1 - i) C + i c; also a copy to go on with."""
    if input_forget:
        for index in range(cell.shape[0]):
            kept[index] = np.float32(1) - let_in[index]
    for index in range(cell.shape[0]):
        old = np.float64(kept[index]) * np.float64(cell[index])
        found = np.float32(old + np.float64(let_in[index]) * np.float64(new[index]))
        cell[index], copy[index] = found, found


@borrowing
def multiply_singles(left: Any, right: Any, out: Any) -> None:
    """Products of binary32 numbers."""
    for index in range(out.shape[0]):
        out[index] = left[index] * right[index]


@borrowing
def multiply_reset(reset: Any, products: Any, bias: Any, out: Any) -> None:
    """Products with the hidden state, and their bias, times the reset gate."""
    for index in range(out.shape[0]):
        out[index] = np.float64(reset[index]) * (products[index] + bias[index])


@inlined
def part_of(values: Any, place: int, row: int, h: Any) -> Any:
    """A gate of one sequence among those of all."""
    first = (place * h.shape[0] + row) * h.shape[1]
    return values[first : first + h.shape[1]]


@borrowing
def steps_of_lstm(
    tokens: Any,
    column: int,
    places: Any,
    holes: Any,
    clip: Any,
    activations: Any,
    input_forget: int,
    states: Any,
    totals: Any,
    values: Any,
) -> None:
    """What follows the product in a step of all sequences that have a token.

    Values are input, forget and output gates, new cells and what becomes of them, of all sequences
    each; one without a token has any.
    """
    h, c = states
    batch, size = h.shape
    n = batch * size
    for row in range(batch):
        if places[row] >= 0:
            for place, gate in ((0, 0), (1, 2), (2, 1), (3, 3)):
                target = part_of(values, place, row, h)
                brought = tokens[places[row], column + gate * size : column + (gate + 1) * size]
                products = totals[row, gate * size : (gate + 1) * size]
                if holes.shape[0] and place < 2:
                    hole = holes[gate * size : (gate + 1) * size]
                    add_peephole(brought, products, hole, c[row], target)
                else:
                    add_up(brought, products, target)
    apart = 2 * n if holes.shape[0] else 3 * n
    finish_gate(values[:apart], clip, activations, 0)
    finish_gate(values[3 * n : 4 * n], clip, activations, 1)
    for row in range(batch):
        if places[row] >= 0:
            let_in, kept = part_of(values, 0, row, h), part_of(values, 1, row, h)
            new, copy = part_of(values, 3, row, h), part_of(values, 4, row, h)
            update_cell(let_in, kept, new, input_forget, c[row], copy)
            if holes.shape[0]:
                brought = tokens[places[row], column + size : column + 2 * size]
                products, hole = totals[row, size : 2 * size], holes[size : 2 * size]
                add_peephole(brought, products, hole, c[row], part_of(values, 2, row, h))
    if holes.shape[0]:
        finish_gate(values[2 * n : 3 * n], clip, activations, 0)
    codes, factors = activations
    activate(values[4 * n : 5 * n], codes[2], factors[2, 0], factors[2, 1])
    for row in range(batch):
        if places[row] >= 0:
            multiply_singles(part_of(values, 2, row, h), part_of(values, 4, row, h), h[row])


@borrowing
def mix_states(update: Any, candidate: Any, h: Any) -> None:
    """(1 - z) H + z h of one sequence."""
    for index in range(h.shape[0]):
        z = np.float64(update[index])
        new = (1.0 - z) * np.float64(candidate[index]) + z * np.float64(h[index])
        h[index] = np.float32(new)


@borrowing
def steps_of_gru(
    tokens: Any,
    column: int,
    places: Any,
    last: Any,
    bias: Any,
    clip: Any,
    activations: Any,
    h: Any,
    totals: Any,
    values: Any,
    room: Any,
) -> None:
    """What follows the product in a step of all sequences that have a token.

    With a bias the reset gate comes after the product of the last gate, without before it.  Values
    are update and reset gates and candidates of all sequences each.
    """
    batch, size = h.shape
    n = batch * size
    for row in range(batch):
        if places[row] >= 0:
            for gate in range(2):
                brought = tokens[places[row], column + gate * size : column + (gate + 1) * size]
                own = totals[row, gate * size : (gate + 1) * size]
                add_up(brought, own, part_of(values, gate, row, h))
    finish_gate(values[: 2 * n], clip, activations, 0)
    products, reset, digits = room
    if bias.shape[0]:
        for row in range(batch):
            own = totals[row, 2 * size : 3 * size]
            multiply_reset(part_of(values, 1, row, h), own, bias, products[row])
    else:
        for row in range(batch):
            multiply_singles(part_of(values, 1, row, h), h[row], reset[row])
        multiply_rows(reset, last[0], last[1], digits, products)
    for row in range(batch):
        if places[row] >= 0:
            brought = tokens[places[row], column + 2 * size : column + 3 * size]
            add_up(brought, products[row], part_of(values, 2, row, h))
    finish_gate(values[2 * n : 3 * n], clip, activations, 1)
    for row in range(batch):
        if places[row] >= 0:
            mix_states(part_of(values, 0, row, h), part_of(values, 2, row, h), h[row])


@borrowing
def steps_of_rnn(
    tokens: Any,
    column: int,
    places: Any,
    clip: Any,
    activations: Any,
    h: Any,
    totals: Any,
    values: Any,
) -> None:
    """What follows the product in a step of all sequences that have a token."""
    batch, size = h.shape
    for row in range(batch):
        if places[row] >= 0:
            brought = tokens[places[row], column : column + size]
            add_up(brought, totals[row], part_of(values, 0, row, h))
    finish_gate(values[: batch * size], clip, activations, 0)
    for row in range(batch):
        if places[row] >= 0:
            copy_numbers(part_of(values, 0, row, h), h[row])


@borrowing
def find_tokens(step: int, order: Any, lengths: Any, backwards: int, places: Any) -> None:
    """The number of each sequence's token at a step, backwards from its last one; -1 for none."""
    token_step, batch_step = order
    for row in range(lengths.shape[0]):
        token = lengths[row] - 1 - step if backwards else np.int64(step)
        inside = step < lengths[row]
        places[row] = token * token_step + row * batch_step if inside else np.int64(-1)


@borrowing
def store_states(
    step: int, lengths: Any, backwards: int, h: Any, out: Any, start: int, order: Any
) -> None:
    """Copy the hidden states of a step to the outputs; +0 beyond a sequence's end."""
    token_step, batch_step = order
    for row in range(h.shape[0]):
        inside = step < lengths[row]
        token = lengths[row] - 1 - step if backwards and inside else np.int64(step)
        first = start + token * token_step + row * batch_step
        if inside:
            copy_numbers(h[row], out[first : first + h.shape[1]])
        else:
            out[first : first + h.shape[1]] = np.float32(0)


@compiled
def run_steps(
    kind: int,
    steps: int,
    tokens: Any,
    column: int,
    orders: Any,
    lengths: Any,
    backwards: int,
    matrices: Any,
    bias: Any,
    holes: Any,
    clip: Any,
    activations: Any,
    input_forget: int,
    h: Any,
    c: Any,
    out: Any,
    start: int,
) -> None:
    """Run over all tokens: states are overwritten, hidden ones of each token copied to `out`.

    What tokens bring is [token, gate and element from a column on]; `orders` tell how many places
    lie between tokens of a sequence and between sequences, there and in the outputs.
    """
    (panels, scales), last = matrices
    batch, size = h.shape
    room, last_room = room_for(h, panels, scales), room_for(h, last[0], last[1])
    wide = (1, 3, 4)[kind]
    totals, values = np.empty((batch, wide * size)), np.zeros(5 * batch * size, np.float32)
    resets = (np.empty((batch, size)), np.zeros((batch, size), np.float32), last_room)
    places = np.empty(batch, np.int64)
    for step in range(steps):
        find_tokens(step, orders[0], lengths, backwards, places)
        multiply_rows(h, panels, scales, room, totals)
        if kind == LSTM:
            steps_of_lstm(
                *(tokens, column, places, holes, clip, activations, input_forget),
                *((h, c), totals, values),
            )
        elif kind == GRU:
            steps_of_gru(
                *(tokens, column, places, last, bias, clip, activations, h, totals, values, resets)
            )
        else:
            steps_of_rnn(tokens, column, places, clip, activations, h, totals, values)
        store_states(step, lengths, backwards, h, out, start, orders[1])
