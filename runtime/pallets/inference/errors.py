"""Why a run is refused, and what to do then."""

from runtime.frame import DispatchError


class PriceAboveMaximum(DispatchError, index=0):
    """The model's price is above your maximum.  Raise the maximum, or choose another model."""


class MalformedInput(DispatchError, index=1):
    """The input is not canonical tensor bytes.  Encode it with a current client."""


class WrongInputNames(DispatchError, index=2):
    """The input does not hold exactly the model's tensors.  Look its inputs up."""


class WrongElementType(DispatchError, index=3):
    """A tensor has another element type than the model takes.  Convert it."""


class WrongShape(DispatchError, index=4):
    """A tensor has another shape than the model takes.  Reshape or resize it."""


class RunTrapped(DispatchError, index=5):
    """The run was broken off by a rule that all nodes share.  Change the input; see dry runs."""
