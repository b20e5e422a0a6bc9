"""Making an admitted program ready to run by the engine one names."""

from collections.abc import Callable
from functools import partial

from ai_exec.executable import Executable, OpenExecutable
from ai_exec.fast.products import STANDARD, Products
from ai_exec.program import Program
from ai_exec.reference import ReferenceExecutable


class UnknownEngine(Exception):
    """There is no engine of this name.  Say fast or reference."""


def compile(program: Program, engine: str = "fast", products: Products = STANDARD) -> Executable:
    """Give an executable of the program; all engines, and all `products`, give the same bits."""
    make = _maker(engine, products)
    return make(program) if program.specialise is None else OpenExecutable(program, make)


def _maker(engine: str, products: Products) -> Callable[[Program], Executable]:
    if engine == "reference":
        return ReferenceExecutable
    if engine == "fast":
        from ai_exec.fast.executable import FastExecutable
        from ai_exec.fast.weights import Weights

        return partial(FastExecutable, products=products, weights=Weights())
    raise UnknownEngine(engine)
