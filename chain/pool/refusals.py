"""Why the pool refuses a transaction, in the codes that Substrate's clients know."""

from runtime.validation import InvalidTransaction

BAD_FORMAT = 1001
INVALID = 1010
UNKNOWN_VALIDITY = 1011
BANNED = 1012
ALREADY_IMPORTED = 1013
PRIORITY_TOO_LOW = 1014
IMMEDIATELY_DROPPED = 1016
FUTURE_REFUSED = 1021


class PoolRefused(Exception):
    """The pool does not take the transaction.  The text says what to do."""

    def __init__(self, code: int, message: str, data: str = "") -> None:
        super().__init__(f"{message}: {data}" if data else message)
        self.code = code
        """JSON-RPC error code, one of Substrate's 1001 to 1021."""
        self.message = message
        """The refusal in a few words."""
        self.data = data
        """What is wrong and what to do, for a person."""


def bad_format(reason: str) -> PoolRefused:
    """Refuse bytes that are no extrinsic."""
    return PoolRefused(BAD_FORMAT, "Extrinsic has invalid format", reason)


def unsigned() -> PoolRefused:
    """Refuse a bare extrinsic."""
    return PoolRefused(
        INVALID, "Invalid Transaction", "Only signed transactions wait here: sign it."
    )


def invalid(error: InvalidTransaction) -> PoolRefused:
    """Refuse what the runtime refuses."""
    advice = " ".join((type(error).__doc__ or "").split())
    return PoolRefused(INVALID, "Invalid Transaction", f"{advice} {error}".strip())


def unknown_validity(reason: str) -> PoolRefused:
    """Refuse what this node cannot judge now."""
    return PoolRefused(UNKNOWN_VALIDITY, "Unknown Transaction Validity", reason)


def banned(left_ms: int) -> PoolRefused:
    """Refuse what was invalid a short time ago."""
    seconds = -(-left_ms // 1000)
    return PoolRefused(
        BANNED,
        "Transaction is temporarily banned",
        f"It was invalid a short time ago. Sign a new one, or wait {seconds} s.",
    )


def already_imported(extrinsic_hash: bytes) -> PoolRefused:
    """Refuse what waits already."""
    return PoolRefused(
        ALREADY_IMPORTED, "Transaction is already imported", f"0x{extrinsic_hash.hex()} waits here."
    )


def priority_too_low(priority: int, needed: int) -> PoolRefused:
    """Refuse a replacement that offers too little."""
    return PoolRefused(
        PRIORITY_TOO_LOW,
        f"Priority is too low: ({priority} vs {needed})",
        "Another transaction of this account has the nonce. Use the next nonce, or raise the tip "
        f"until the priority is {needed}.",
    )


def pool_full() -> PoolRefused:
    """Refuse what is weaker than everything in a full pool."""
    return PoolRefused(
        IMMEDIATELY_DROPPED,
        "Immediately Dropped",
        "The pool is full of transactions that offer more. Raise the tip, or wait.",
    )


def account_full(count: int) -> PoolRefused:
    """Refuse one more transaction of an account that has many."""
    return PoolRefused(
        IMMEDIATELY_DROPPED,
        "Immediately Dropped",
        f"{count} transactions of this account wait already. Wait until some are included.",
    )


def nonce_too_far(nonce: int, next_nonce: int) -> PoolRefused:
    """Refuse a nonce that many others must come before."""
    return PoolRefused(
        FUTURE_REFUSED,
        "The pool is not accepting future transactions",
        f"Nonce {nonce} is too far above {next_nonce}, the account's next. Sign with that.",
    )
