"""16-bit floats before operators that do not know them: widened first, rounded after."""

from ai_exec.admission.nodes import Refusal
from ai_exec.registry import Operand, Operator
from ai_exec.tensor import NARROW


def narrow_type(operator: Operator, inputs: tuple[Operand | None, ...]) -> str | None:
    """Give the float type of the results if inputs must be widened, else None; raises Refusal."""
    if operator.moves or operator.native or operator.domain:
        return None
    floats = [
        operand.dtype
        for operand in inputs
        if operand is not None and operand.dtype.startswith(("float", "bfloat"))
    ]
    narrow = [dtype for dtype in floats if dtype in NARROW]
    if narrow and not operator.mixed and any(dtype != floats[0] for dtype in floats):
        listed = ", ".join(dict.fromkeys(floats))
        raise Refusal(f"float inputs differ in element type: {listed}")
    return floats[0] if narrow else None
