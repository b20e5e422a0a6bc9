"""What a pallet is made of: storage, calls, origins, events, errors, and how they meet."""

from runtime.frame.calls import Call, call
from runtime.frame.construct import (
    ApplyExtrinsic,
    Construct,
    EventRecord,
    Finalization,
    Initialization,
    Refusal,
    RuntimeCall,
    UnknownCall,
)
from runtime.frame.origin import Inherent, Origin, Root, Signed
from runtime.frame.outcome import BadOrigin, DispatchError, Event, PostInfo
from runtime.frame.overlay import Iterate, Overlay, Read
from runtime.frame.pallet import Constant, Pallet
from runtime.frame.storage import (
    BLAKE2_128_CONCAT,
    TWOX_64_CONCAT,
    StorageDoubleMap,
    StorageMap,
    StorageValue,
)
from runtime.frame.weight import MICROSECOND, MILLISECOND, SECOND

__all__ = [
    "BLAKE2_128_CONCAT",
    "MICROSECOND",
    "MILLISECOND",
    "SECOND",
    "TWOX_64_CONCAT",
    "ApplyExtrinsic",
    "BadOrigin",
    "Call",
    "Constant",
    "Construct",
    "DispatchError",
    "Event",
    "EventRecord",
    "Finalization",
    "Inherent",
    "Initialization",
    "Iterate",
    "Origin",
    "Overlay",
    "Pallet",
    "PostInfo",
    "Read",
    "Refusal",
    "Root",
    "RuntimeCall",
    "Signed",
    "StorageDoubleMap",
    "StorageMap",
    "StorageValue",
    "UnknownCall",
    "call",
]
