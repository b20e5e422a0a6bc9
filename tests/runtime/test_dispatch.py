"""Dispatch: kept calls run with the origin they were kept for, and nothing else does."""

import pytest

from chain.primitives.numbers import NOE
from runtime.assembly import CONFIG, CONSTRUCT
from runtime.dispatch import DEPTH_MAX, NotACall, Router
from runtime.frame import PostInfo, Root, RuntimeCall, Signed
from runtime.frame.outcome import BadOrigin, DispatchError
from tests.support.economy import ALICE, BOB, Chain


def transfer(value: int) -> bytes:
    arguments = {"dest": BOB, "value": value}
    return CONSTRUCT.encode_call("Balances", "transfer_keep_alive", arguments)


@pytest.fixture
def chain() -> Chain:
    return Chain()


@pytest.fixture
def router(chain: Chain) -> Router:
    return Router(CONSTRUCT, lambda: chain.pallets.by_index, CONFIG.limits.extrinsic_base)


def test_a_kept_call_runs(chain: Chain, router: Router) -> None:
    before = chain.pallets.balances.free(BOB)
    router.dispatch(Signed(ALICE), transfer(NOE))
    assert chain.pallets.balances.free(BOB) == before + NOE
    assert router.weigh(transfer(NOE)) == 200_000_000


@pytest.mark.parametrize("call", [b"", b"\xff\xff", transfer(NOE)[:-1], transfer(NOE) + b"\0"])
def test_what_is_no_call_is_refused(router: Router, call: bytes) -> None:
    for attempt in (router.weigh, lambda call: router.dispatch(Root(), call)):
        with pytest.raises(NotACall):
            attempt(call)


def test_origins_are_kept(router: Router) -> None:
    with pytest.raises(BadOrigin):
        router.dispatch(Root(), transfer(NOE))


def test_calls_in_calls_end(chain: Chain, router: Router, monkeypatch: pytest.MonkeyPatch) -> None:
    depths = []

    def again(self: object, origin: object, call: RuntimeCall, values: object) -> PostInfo:
        depths.append(len(depths))
        return router.dispatch(Signed(ALICE), transfer(NOE))

    monkeypatch.setattr(type(chain.pallets.balances), "run", again)
    with pytest.raises(DispatchError, match=f"more than {DEPTH_MAX} calls"):
        router.dispatch(Signed(ALICE), transfer(NOE))
    assert len(depths) == DEPTH_MAX
    with pytest.raises(DispatchError, match=f"more than {DEPTH_MAX} calls"):
        router.dispatch(Signed(ALICE), transfer(NOE))
    assert len(depths) == 2 * DEPTH_MAX
