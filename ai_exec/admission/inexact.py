"""Results of nodes whose inputs have shapes that only a run tells: bounds from bounds."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Final

import numpy as np

from ai_exec.registry import Call, Mismatch, Operand, Operator
from ai_exec.span import Span

COUNTS: Final = ("Shape", "Size")
"""Operators whose results tell lengths, and have certain shapes themselves."""


def between_bounds(
    operator: Operator, call: Call, most: tuple[Operand, ...]
) -> tuple[Operand, ...]:
    """Give what is known of results when shapes of inputs are bounds.

    Axes that come out alike with shorter inputs, too, are taken for certain in bounds of others;
    no engine relies on that.
    """
    counts = operator.name in COUNTS and not operator.domain
    inputs = tuple(
        operand if operand is None or operand.exact else _shorter(operand, counts=counts)
        for operand in call.inputs
    )
    try:
        fewer: tuple[Operand | None, ...] = operator.infer(replace(call, inputs=inputs))
    except Mismatch:
        fewer = ()
    if len(fewer) != len(most):
        fewer = tuple(map(partial(_alike, call.inputs), most))
    if counts:
        (high,), (low,) = most, fewer
        assert high.value is not None
        least = np.zeros_like(high.value) if low is None or low.value is None else low.value
        return (Operand(high.dtype, high.shape, within=Span(least, high.value)),)
    return tuple(_between(*pair) for pair in zip(most, fewer, strict=True))


def _shorter(operand: Operand, *, counts: bool) -> Operand:
    """Give an operand with shorter uncertain axes: as short as can be, or of length 1."""
    shape = tuple(
        least if counts or least == length else min(max(least, 1), length - 1)
        for least, length in zip(operand.shortest, operand.shape, strict=True)
    )
    return replace(operand, shape=shape)


def agreeing(inputs: tuple[Operand | None, ...]) -> tuple[Operand | None, ...]:
    """Give inputs whose uncertain axes are as long as those that they meet when they broadcast."""
    lengths: dict[int, int] = {}
    certain: dict[int, int] = {}
    for operand in inputs:
        if operand is not None:
            for place, (least, most) in enumerate(
                zip(reversed(operand.shortest), reversed(operand.shape), strict=True)
            ):
                found = certain if least == most > 1 else lengths
                found[place] = max(most, found.get(place, 0))
    lengths |= certain
    return tuple(None if operand is None else _stretched(operand, lengths) for operand in inputs)


def _stretched(operand: Operand, lengths: Mapping[int, int]) -> Operand:
    """Give an operand with other lengths, counted from the last axis on, of its uncertain axes."""
    places = reversed(range(operand.rank))
    shape = tuple(
        length if least == length else lengths[place]
        for least, length, place in zip(operand.shortest, operand.shape, places, strict=True)
    )
    return operand if shape == operand.shape else replace(operand, shape=shape)


def _alike(inputs: tuple[Operand | None, ...], most: Operand) -> Operand | None:
    """Give for the shorter result the shorter shape of an input that has the same greatest one."""
    for operand in inputs:
        if operand is not None and not operand.exact and operand.shape == most.shape:
            return replace(_shorter(operand, counts=False), dtype=most.dtype)
    return None


def _between(most: Operand, fewer: Operand | None) -> Operand:
    """Give a result between two of one rule."""
    if not most.shape:
        return Operand(most.dtype, ())
    least = most.shortest
    if fewer is None or fewer.rank != most.rank:
        least = (0,) * most.rank
    else:
        triples = zip(least, most.shape, fewer.shape, strict=True)
        least = tuple(low if long == short else 0 for low, long, short in triples)
    return Operand(most.dtype, most.shape, None, exact=False, least=least)


def uncertain(operand: Operand) -> Operand:
    """Give an operand whose shape is no more than a bound."""
    return Operand(operand.dtype, operand.shape, None, exact=False)


def tightened(output: Operand, said: Operand | None) -> Operand:
    """Take the lesser of two bounds."""
    if output.exact or said is None or (said.dtype, said.rank) != (output.dtype, output.rank):
        return output
    shape = tuple(map(min, output.shape, said.shape))
    return replace(output, shape=shape, least=tuple(map(min, output.shortest, shape)))
