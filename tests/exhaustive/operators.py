"""Operators of one binary32 number: which there are, what each must give, and how engines run it.

`FUNCTIONS` names those that are one function (R2).  `STEPS` writes all others again, for numbers
in binary64: every step is rounded to binary32.  For one operation on binary32 numbers two
roundings are one, since 53 bits are at least 2 x 24 + 2.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from itertools import starmap
from typing import Any

import numpy as np
from onnx import TensorProto, helper

import ai_exec
from ai_exec.admission.nodes import OPSETS
from ai_exec.fast import passes
from ai_exec.registry import all_operators
from tests.exhaustive.proof import Findings, Piece, canonical_bits, differing, numbers_of

Numbers = np.ndarray
Engine = Callable[[Numbers], Numbers]

FUNCTIONS: Mapping[str, str] = {
    **{
        name: name.lower()
        for name in (
            *("Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "Cos", "Cosh", "Erf", "Exp"),
            *("Gelu", "Log", "Mish", "Sigmoid", "Sin", "Sinh", "Softplus", "Tan", "Tanh"),
        )
    },
    "Gelu tanh": "gelu_tanh",
    "Swish": "silu",
}
"""The function of each operator; of Gelu also with `approximate="tanh"`."""

SELU_ALPHA, SELU_GAMMA = 1.6732631921768188, 1.0507010221481323
PROBES = np.float32([-3.5, -1.0, -0.25, 0.0, 0.3, 1.0, 2.5, 1e20])


def rounded(value: Numbers) -> Numbers:
    """Round to binary32, and widen again."""
    return value.astype(np.float32).astype(np.float64)


def power_less_one(x: Numbers) -> Numbers:
    """e^x - 1, which is proved by itself."""
    return passes.apply("expm1", x.astype(np.float32)).astype(np.float64)


def line(x: Numbers, slope: float) -> Numbers:
    """max(0, min(1, slope x + 1/2)), a zero +0."""
    sloped = rounded(rounded(float(np.float32(slope)) * x) + 0.5)
    return np.where(np.isnan(x), x, np.where(sloped > 0, np.where(sloped > 1, 1.0, sloped), 0.0))


def celu(x: Numbers) -> Numbers:
    """max(0, x) + min(0, e^x - 1)."""
    return np.where(x > 0, x, power_less_one(x)) + 0.0


def selu(x: Numbers) -> Numbers:
    """gamma x, below zero gamma (alpha (e^x - 1))."""
    below = rounded(SELU_ALPHA * power_less_one(np.where(x > 0, 0.0, x)))
    return SELU_GAMMA * np.where(x > 0, x, np.where(x <= 0, below, x))


def elu(x: Numbers) -> Numbers:
    """x, below zero e^x - 1."""
    return np.where(x < 0, power_less_one(x), x)


def clipped(x: Numbers) -> Numbers:
    """max(x, 0), a zero +0."""
    return np.where(x > 0, x, np.where(np.isnan(x), x, 0.0))


STEPS: Mapping[str, Engine] = {
    "Abs": lambda x: np.copysign(x, 1.0),
    "Ceil": np.ceil,
    "Celu": celu,
    "Elu": elu,
    "Floor": np.floor,
    "HardSigmoid": lambda x: line(x, 0.2),
    "HardSwish": lambda x: x * line(x, 1 / 6),
    "LeakyRelu": lambda x: np.where(x < 0, float(np.float32(0.01)) * x, x),
    "Neg": lambda x: -x,
    "Reciprocal": lambda x: 1.0 / x,
    "Relu": clipped,
    "Round": np.rint,
    "Selu": selu,
    "Shrink": lambda x: np.where(np.isnan(x) | (np.abs(x) <= 0.5), 0.0, x),
    "Sign": lambda x: np.where(x > 0, 1.0, np.where(x < 0, -1.0, np.where(x == 0, 0.0, x))),
    "Softsign": lambda x: x / rounded(1.0 + np.abs(x)),
    "Sqrt": np.sqrt,
    "ThresholdedRelu": lambda x: np.where(x > 1.0, x, 0.0),
    "ai.onnx.ml.Binarizer": lambda x: np.where(x > 0, 1.0, 0.0),
}
"""All other operators that do not hand on their numbers, with the default of each attribute."""


def expected(name: str, x: Numbers) -> Numbers:
    """Give what an operator must give for binary32 numbers."""
    if name in FUNCTIONS:
        return passes.apply(FUNCTIONS[name], x)
    return STEPS[name](x.astype(np.float64)).astype(np.float32)


@cache
def engine_of(name: str, engine: str, length: int) -> Engine:
    """Give an operator of so many numbers as an engine runs it."""
    program = ai_exec.admit(_model(name, length)).program
    assert program is not None
    executable = ai_exec.compile(program, engine=engine)  # type: ignore[arg-type]
    return lambda x: executable.run({"x": x})["y"]


def of_one_number() -> Iterator[str]:
    """Give all operators that make of each binary32 number another one, by itself.

    Whatever takes one such tensor is run on some numbers together and one by one.
    """
    known = sorted({(operator.domain, operator.name) for operator in all_operators()})
    names = [f"{domain}.{name}" if domain else name for domain, name in known]
    for name in (*names, "Gelu tanh"):
        if all(ai_exec.admit(_model(name, length)).admitted for length in (1, len(PROBES))):
            alone = engine_of(name, "reference", 1)
            with np.errstate(all="ignore"):
                together = engine_of(name, "reference", len(PROBES))(PROBES)
                apart = np.concatenate(list(map(alone, PROBES.reshape(-1, 1))))
            if together.tobytes() == apart.tobytes() != PROBES.tobytes():
                yield name


def wrong_among(name: str, x: Numbers) -> list[float]:
    """Give the numbers for which an engine's result is not what the operator must give."""
    with np.errstate(all="ignore"):
        return _wrong_for(name, x, canonical_bits(expected(name, x)))


def prove(name: str, pieces: Iterable[Piece]) -> Findings:
    """Prove an operator of `STEPS` for the inputs in pieces."""
    found, hashed = Findings(), hashlib.sha256()
    with np.errstate(all="ignore"):
        for piece in pieces:
            x = numbers_of(piece)
            bits = canonical_bits(expected(name, x))
            hashed.update(bits)
            found.wrong += _wrong_for(name, x, bits)
    found.digest = hashed.digest()
    return found


def _wrong_for(name: str, x: Numbers, bits: Numbers) -> list[float]:
    results = [engine_of(name, engine, x.size)(x) for engine in ("fast", "reference")]
    wrong = [differing(bits, result.view(np.uint32)) for result in results]
    return x[np.union1d(*wrong)].tolist() if any(map(len, wrong)) else []


def _model(name: str, length: int) -> bytes:
    domain, _, operator = name.split(" ")[0].rpartition(".")
    attributes: dict[str, Any] = {"approximate": "tanh"} if name == "Gelu tanh" else {}
    x, y = starmap(
        helper.make_tensor_value_info,
        (("x", TensorProto.FLOAT, [length]), ("y", TensorProto.FLOAT, [length])),
    )
    node = helper.make_node(operator, ["x"], ["y"], domain=domain, **attributes)
    imports = [helper.make_opsetid(domain, versions[-1]) for domain, versions in OPSETS.items()]
    graph = helper.make_graph([node], "one", [x], [y])
    model = helper.make_model(graph, opset_imports=imports, ir_version=10)
    return model.SerializeToString()
