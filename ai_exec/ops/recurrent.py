"""RNN, GRU and LSTM in all versions (see `recurrent_cells` for what a step computes)."""

from functools import partial
from typing import Final

from ai_exec.ops.recurrent_cells import gru_step, lstm_step, rnn_step
from ai_exec.ops.recurrent_layers import (
    GRU,
    LSTM,
    RNN,
    cost_of,
    infer_of,
    run_layer,
    scratch_of,
)
from ai_exec.ops.rules import FLOATS
from ai_exec.registry import Idle, earlier, operator
from ai_exec.tensor import Tensor

Factors = tuple[float, ...]
Names = tuple[str, ...]

_SEQUENCE: Final = {"output_sequence": Idle("i", 0)}
"""What first versions had; that all hidden states are wanted is told by the output's name."""


@operator(
    "RNN",
    since=(14, 22),
    infer=infer_of(RNN),
    cost=cost_of(RNN),
    scratch=scratch_of(RNN),
    values=FLOATS,
)
def rnn(
    x: Tensor,
    w: Tensor,
    r: Tensor,
    b: Tensor | None = None,
    sequence_lens: Tensor | None = None,
    initial_h: Tensor | None = None,
    *,
    activation_alpha: Factors | None = None,
    activation_beta: Factors | None = None,
    activations: Names = ("Tanh", "Tanh"),
    clip: float | None = None,
    direction: str = "forward",
    hidden_size: int | None = None,
    layout: int = 0,
) -> tuple[Tensor, ...]:
    """Hidden states f((X W^T + (Wb + Rb)) + H R^T), each sum in binary64, rounded."""
    attributes = {
        "activation_alpha": activation_alpha,
        "activation_beta": activation_beta,
        "activations": activations,
        "clip": clip,
        "direction": direction,
        "layout": layout,
    }
    step = rnn_step
    return run_layer(RNN, step, attributes, x, w, r, b, sequence_lens, (initial_h,))


earlier("RNN", since=7, of=14, lacks=("layout",))
earlier("RNN", since=1, of=14, lacks=("layout",), idle=_SEQUENCE)


@operator(
    "GRU",
    since=(14, 22),
    infer=infer_of(GRU),
    cost=cost_of(GRU),
    scratch=scratch_of(GRU),
    values=FLOATS,
)
def gru(
    x: Tensor,
    w: Tensor,
    r: Tensor,
    b: Tensor | None = None,
    sequence_lens: Tensor | None = None,
    initial_h: Tensor | None = None,
    *,
    activation_alpha: Factors | None = None,
    activation_beta: Factors | None = None,
    activations: Names | None = None,
    clip: float | None = None,
    direction: str = "forward",
    hidden_size: int | None = None,
    layout: int = 0,
    linear_before_reset: int = 0,
) -> tuple[Tensor, ...]:
    """Hidden states (1 - z) h + z H in binary64; gates as `RNN`, by exact contractions."""
    attributes = {
        "activation_alpha": activation_alpha,
        "activation_beta": activation_beta,
        "activations": activations,
        "clip": clip,
        "direction": direction,
        "layout": layout,
        "linear_before_reset": linear_before_reset,
    }
    step = partial(gru_step, linear_before_reset=bool(linear_before_reset))
    return run_layer(GRU, step, attributes, x, w, r, b, sequence_lens, (initial_h,))


earlier("GRU", since=7, of=14, lacks=("layout",))
earlier("GRU", since=3, of=14, lacks=("layout",), idle=_SEQUENCE)
earlier(
    "GRU",
    since=1,
    of=14,
    lacks=("layout", "linear_before_reset"),
    idle=_SEQUENCE,
    # So the specification of this version spells its default.
    starts={"direction": "foward"},
)


@operator(
    "LSTM",
    since=(14, 22),
    infer=infer_of(LSTM),
    cost=cost_of(LSTM),
    scratch=scratch_of(LSTM),
    values=FLOATS,
)
def lstm(
    x: Tensor,
    w: Tensor,
    r: Tensor,
    b: Tensor | None = None,
    sequence_lens: Tensor | None = None,
    initial_h: Tensor | None = None,
    initial_c: Tensor | None = None,
    p: Tensor | None = None,
    *,
    activation_alpha: Factors | None = None,
    activation_beta: Factors | None = None,
    activations: Names | None = None,
    clip: float | None = None,
    direction: str = "forward",
    hidden_size: int | None = None,
    input_forget: int = 0,
    layout: int = 0,
) -> tuple[Tensor, ...]:
    """Hidden states o h(C), cells f C + i c in binary64; gates as `RNN`, by exact contractions."""
    attributes = {
        "activation_alpha": activation_alpha,
        "activation_beta": activation_beta,
        "activations": activations,
        "clip": clip,
        "direction": direction,
        "layout": layout,
    }
    step = partial(lstm_step, input_forget=bool(input_forget))
    return run_layer(LSTM, step, attributes, x, w, r, b, sequence_lens, (initial_h, initial_c), p)


earlier("LSTM", since=7, of=14, lacks=("layout",))
earlier("LSTM", since=1, of=14, lacks=("layout",), idle=_SEQUENCE)
