"""Einsum: operands are contracted pair by pair from the left (R3 for floats, R4 for integers)."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Final

import numpy as np

from ai_exec.metering import MOVE_PICOSECONDS, gas
from ai_exec.ops.linear import products_cost
from ai_exec.ops.reductions import total
from ai_exec.ops.rules import NUMBERS, one_dtype
from ai_exec.registry import Call, Mismatch, Operand, operator
from ai_exec.semantics.numerics import contract
from ai_exec.tensor import Shape, Tensor

Labels = tuple[str, ...]
Lengths = Mapping[str, int]
Product = Callable[[int, Tensor, Tensor], Tensor]
"""Takes the place of the right operand among the inputs, and both operands."""

ELEMENTS_MAX: Final = 1 << 26
"""Elements of what lies between two steps."""


@dataclass(frozen=True, slots=True)
class Equation:
    """An equation with a label for each axis; axes of an ellipsis are numbered from their end."""

    terms: tuple[Labels, ...]
    output: Labels

    def needed_after(self, index: int) -> frozenset[str]:
        """Labels of the output and of all terms after one."""
        return frozenset(chain(self.output, *self.terms[index + 1 :]))


@dataclass(frozen=True, slots=True)
class Pair:
    """Labels of two operands that are contracted."""

    batch: Labels
    """In both, and needed afterwards."""
    left: Labels
    right: Labels
    summed: Labels
    """In both, and not needed afterwards."""

    @property
    def result(self) -> Labels:
        """Labels of the result."""
        return self.batch + self.left + self.right


def parse(text: str, ranks: tuple[int, ...]) -> Equation:
    """Read an equation for operands with so many axes; raises Mismatch."""
    sides = text.replace(" ", "").split("->")
    parts = sides[0].split(",")
    if len(sides) > 2 or len(parts) != len(ranks):
        raise Mismatch(f"equation {text[:64]!r} is not of {len(ranks)} operands")
    terms = tuple(_term(part, rank) for part, rank in zip(parts, ranks, strict=True))
    open_axes = sorted({label for term in terms for label in term if label.isdigit()}, key=int)
    ellipsis = tuple(reversed(open_axes))
    if len(sides) == 1:
        letters = [label for term in terms for label in term if not label.isdigit()]
        once = sorted(letter for letter in set(letters) if letters.count(letter) == 1)
        return Equation(terms, (*ellipsis, *once))
    before, dots, after = sides[1].partition("...")
    output = (*before, *(ellipsis if dots else ()), *after)
    known = set(chain(*terms))
    if not _are_letters(before + after) or len(set(output)) != len(output):
        raise Mismatch(f"equation {text[:64]!r} has an output that is not one of single letters")
    if not set(output) <= known or not set(ellipsis) <= set(output):
        raise Mismatch(f"equation {text[:64]!r} has an output that does not fit its inputs")
    return Equation(terms, output)


def _term(part: str, rank: int) -> Labels:
    before, dots, after = part.partition("...")
    open_axes = rank - len(before) - len(after)
    if not _are_letters(before + after) or open_axes < 0 or (open_axes and not dots):
        raise Mismatch(f"term {part[:64]!r} is not one of {rank} axes")
    return (*before, *map(str, reversed(range(open_axes))), *after)


def _are_letters(text: str) -> bool:
    return not text or (text.isascii() and text.isalpha())


def lengths_of(equation: Equation, shapes: tuple[Shape, ...]) -> Lengths:
    """Give the length of each label; an axis of length 1 goes with any other; raises Mismatch."""
    found: dict[str, int] = {}
    for term, shape in zip(equation.terms, shapes, strict=True):
        for label, length in zip(term, shape, strict=True):
            before = found.get(label, 1)
            if length != before and 1 not in (length, before):
                raise Mismatch(f"axes {label} have lengths {before} and {length}")
            found[label] = length if before == 1 else before
    return found


def pairs_of(equation: Equation) -> Iterator[Pair]:
    """Give the labels of each step; those of one operand alone are folded before it."""
    left = _kept(equation.terms[0], equation.needed_after(0))
    for index, term in enumerate(equation.terms[1:], start=1):
        needed = equation.needed_after(index)
        right = _kept(term, needed | set(left))
        both = tuple(label for label in left if label in right)
        pair = Pair(
            tuple(label for label in both if label in needed),
            tuple(label for label in left if label not in right),
            tuple(label for label in right if label not in left),
            tuple(label for label in both if label not in needed),
        )
        yield pair
        left = pair.result


def _kept(term: Labels, needed: frozenset[str] | set[str]) -> Labels:
    return tuple(label for label in dict.fromkeys(term) if label in needed)


def _size(labels: Labels, lengths: Lengths) -> int:
    count = 1
    for label in labels:
        count *= lengths[label]
    return count


def _einsum(call: Call) -> tuple[Operand, ...]:
    dtype, equation, lengths = one_dtype(call), *_planned(call)
    for pair in pairs_of(equation):
        for labels in (pair.batch + pair.left + pair.summed, pair.batch + pair.right + pair.summed):
            if _size(labels, lengths) > ELEMENTS_MAX:
                raise Mismatch(f"{_size(labels, lengths)} elements between two operands")
        if _size(pair.result, lengths) > ELEMENTS_MAX:
            raise Mismatch(f"{_size(pair.result, lengths)} elements between two operands")
    return (Operand(dtype, tuple(lengths[label] for label in equation.output)),)


def _planned(call: Call) -> tuple[Equation, Lengths]:
    shapes = tuple(operand.shape for operand in call.inputs if operand is not None)
    equation = parse(call.word("equation"), tuple(map(len, shapes)))
    for term, shape in zip(equation.terms, shapes, strict=True):
        seen: dict[str, int] = {}
        for label, length in zip(term, shape, strict=True):
            if seen.setdefault(label, length) != length:
                raise Mismatch(f"axes {label} of one operand have lengths {seen[label]}, {length}")
    return equation, lengths_of(equation, shapes)


def _cost(call: Call) -> int:
    equation, lengths = _planned(call)
    given = sum(_size(term, lengths) for term in equation.terms)
    found = gas((20_000 + MOVE_PICOSECONDS) * given)
    for pair in pairs_of(equation):
        results = _size(pair.result, lengths)
        summed = _size(pair.summed, lengths)
        operands = (
            _size(pair.batch, lengths)
            * summed
            * (_size(pair.left, lengths) + _size(pair.right, lengths))
        )
        found += products_cost(call.at(0).dtype, results * summed, 2 * operands, results)
        found += 150_000
    return found


def _scratch(call: Call) -> int:
    equation, lengths = _planned(call)
    most = sum(_size(term, lengths) for term in equation.terms)
    for pair in pairs_of(equation):
        summed = _size(pair.batch + pair.summed, lengths)
        operands = summed * (_size(pair.left, lengths) + _size(pair.right, lengths))
        most = max(most, operands + _size(pair.result, lengths))
    return (96 if call.at(0).dtype == "float64" else 48) * most


@operator("Einsum", since=(12, 28), infer=_einsum, cost=_cost, scratch=_scratch, values=NUMBERS)
def einsum(*inputs: Tensor, equation: str) -> Tensor:
    """Products summed over the labels that the output has not: pair by pair from the left.

    Of an operand with a label twice the diagonal is taken.  Labels that only one operand has, and
    not the output, are folded first, by an exact sum.  Then the first two operands are contracted
    over the labels that neither the output nor a later operand has, or multiplied if there is none,
    their result and the third, and so on.  Each step rounds; integers wrap.
    """
    return evaluated(parse(equation, tuple(one.ndim for one in inputs)), inputs, _product)


def evaluated(plan: Equation, inputs: tuple[Tensor, ...], product: Product) -> Tensor:
    """Go through the steps; the product multiplies [batch, M, K] and [batch, K, N]."""
    lengths = lengths_of(plan, tuple(one.shape for one in inputs))
    labels, left = _folded(plan.terms[0], inputs[0], plan.needed_after(0))
    for index, pair in enumerate(pairs_of(plan), start=1):
        needed = plan.needed_after(index) | set(labels)
        other, right = _folded(plan.terms[index], inputs[index], needed)
        left = _paired(pair, (labels, left), (other, right), lengths, partial(product, index))
        labels = pair.result
    whole = np.broadcast_to(left, tuple(lengths[label] for label in labels))
    return whole.transpose([labels.index(label) for label in plan.output])


def _folded(term: Labels, x: Tensor, needed: frozenset[str]) -> tuple[Labels, Tensor]:
    """Take diagonals and sum what is not needed."""
    labels = list(term)
    for label in dict.fromkeys(term):
        while labels.count(label) > 1:
            first = labels.index(label)
            second = labels.index(label, first + 1)
            x = np.diagonal(x, axis1=first, axis2=second)
            labels = [*labels[:first], *labels[first + 1 : second], *labels[second + 1 :], label]
    kept = _kept(term, needed)
    order = [*kept, *(label for label in labels if label not in kept)]
    x = x.transpose([labels.index(label) for label in order])
    folded = tuple(range(len(kept), len(order)))
    return kept, total(x, folded).reshape(x.shape[: len(kept)]) if folded else x


def _product(index: int, rows: Tensor, columns: Tensor) -> Tensor:
    if rows.dtype.kind != "f":
        return np.asarray(np.matmul(rows, columns))
    return contract(rows, columns).astype(rows.dtype)


def _paired(
    pair: Pair,
    left: tuple[Labels, Tensor],
    right: tuple[Labels, Tensor],
    lengths: Lengths,
    product: Callable[[Tensor, Tensor], Tensor],
) -> Tensor:
    shape = tuple(lengths[label] for label in pair.result)
    if not pair.summed:
        a = _spread(left, pair.result, lengths, whole=False)
        b = _spread(right, pair.result, lengths, whole=False)
        return np.broadcast_to(np.multiply(a, b), shape)
    a = _spread(left, pair.batch + pair.left + pair.summed, lengths, whole=True)
    b = _spread(right, pair.batch + pair.summed + pair.right, lengths, whole=True)
    batch, summed = _size(pair.batch, lengths), _size(pair.summed, lengths)
    rows = a.reshape(batch, _size(pair.left, lengths), summed)
    columns = b.reshape(batch, summed, _size(pair.right, lengths))
    return product(rows, columns).reshape(shape)


def _spread(
    operand: tuple[Labels, Tensor], order: Labels, lengths: Lengths, *, whole: bool
) -> Tensor:
    """Give an operand with axes in order, of length 1 where it has none, or of full length."""
    labels, x = operand
    present = [label for label in order if label in labels]
    turned = x.transpose([labels.index(label) for label in present])
    sizes = dict(zip(present, turned.shape, strict=True))
    opened = turned.reshape([sizes.get(label, 1) for label in order])
    if not whole:
        return opened
    return np.broadcast_to(opened, tuple(lengths[label] for label in order))
