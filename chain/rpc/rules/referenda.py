"""Questions about referenda, voters, the treasury and the numbers that a vote may change."""

from typing import Any

from chain.primitives.codec import DecodeError, record
from chain.primitives.keys import Address, ss58_encode
from chain.rpc.typed_json import to_json
from runtime.assembly import CONSTRUCT
from runtime.pallets.governance import Referendum, Upgrade, Voter
from runtime.pallets.governance.stored import Vote
from runtime.parameters import BOUNDS, value_of
from runtime.queries import Queries


def referendum(queries: Queries, number: int) -> dict[str, Any] | None:
    """Give a referendum with its call in words."""
    found = queries.pallets.governance.referenda.find(number)
    return None if found is None else _shown(number, found)


def referenda(queries: Queries, count: int) -> list[dict[str, Any]]:
    """List the referenda that are kept, newest first."""
    recent = queries.pallets.governance.recent()[:count]
    return [_shown(number, found) for number, found in recent]


def voter(queries: Queries, address: Address) -> dict[str, Any]:
    """Give what counts in an account's votes, and where it voted."""
    status = queries.pallets.governance.voter(address)
    votes = [{"referendum": number, **to_json(record(Vote), vote)} for number, vote in status.votes]
    own = {**to_json(record(Voter), status.voter), "votes": votes}
    return {"power": str(_power(status.voter)), **own}


def parameters(queries: Queries) -> list[dict[str, Any]]:
    """List the numbers that a vote may change, with their bounds."""
    changed = queries.pallets.parameters.overrides()
    return [
        {
            "name": name,
            "value": str(value_of(queries.pallets.config, name)),
            "least": str(least),
            "most": str(most),
            "changed": name in changed,
        }
        for name, (least, most) in BOUNDS.items()
    ]


def treasury(queries: Queries) -> dict[str, Any]:
    """Give what a vote could spend."""
    found = queries.pallets.treasury
    return {"account": ss58_encode(found.account), "spendable": str(found.spendable())}


def upgrade(queries: Queries) -> dict[str, Any]:
    """Give the rules that hold, and those that are scheduled."""
    scheduled = queries.pallets.governance.upgrade.find()
    shown = None if scheduled is None else to_json(record(Upgrade), scheduled)
    return {"spec_version": queries.pallets.config.system.version.spec_version, "next": shown}


def _power(found: Voter) -> int:
    return 0 if found.delegate is not None else found.own + found.delegated


def _shown(number: int, found: Referendum) -> dict[str, Any]:
    shown = to_json(record(Referendum), found)
    encoded = shown.pop("call")
    return {"number": number, **_words(found.call), **shown, "encoded": encoded}


def _words(encoded: bytes) -> dict[str, Any]:
    """Give a call by names; what older rules wrote may be no call any more."""
    try:
        decoded = CONSTRUCT.decode_call(encoded)
    except DecodeError:
        return {"call": None, "arguments": {}}
    arguments = {
        each.name: to_json(each.codec, value)
        for each, value in zip(decoded.call.arguments, decoded.values, strict=True)
    }
    return {"call": f"{decoded.pallet}.{decoded.call.name}", "arguments": arguments}
