"""Making an admitted program ready to run by the engine one names."""

from ai_exec.executable import Executable
from ai_exec.fast.products import STANDARD, Products
from ai_exec.program import Program
from ai_exec.reference import ReferenceExecutable


class UnknownEngine(Exception):
    """There is no engine of this name.  Say fast or reference."""


def compile(program: Program, engine: str = "fast", products: Products = STANDARD) -> Executable:
    """Give an executable of the program; all engines, and all `products`, give the same bits."""
    if engine == "reference":
        return ReferenceExecutable(program)
    if engine == "fast":
        from ai_exec.fast.executable import FastExecutable

        return FastExecutable(program, products)
    raise UnknownEngine(engine)
