"""Assembly: decisions that must fit together, and genesis."""

from dataclasses import replace

import pytest

from chain.primitives.block import BLOCK_BYTES_MAX
from chain.primitives.extrinsic import EXTRINSIC_BYTES_MAX
from chain.primitives.keys import Keypair
from chain.primitives.numbers import NOE, WEIGHT_PER_GAS
from consensus.core.validators import InvalidValidatorSet
from runtime.assembly import CODE_KEY, CONFIG, Genesis, code, description_of, genesis_changes
from runtime.block_execution import RESULT_BYTES
from runtime.frame import DispatchError
from runtime.pallets.balances.pallet import ExistentialDeposit, Expendability, InsufficientBalance
from runtime.pallets.rewards import Rewards
from runtime.queries import Queries

ALICE, BOB = (Keypair.from_uri(f"//{name}").address for name in ("Alice", "Bob"))


def test_limits_fit_together() -> None:
    limits = CONFIG.limits
    assert limits.length_max < BLOCK_BYTES_MAX
    assert limits.length_max >= EXTRINSIC_BYTES_MAX + RESULT_BYTES
    assert CONFIG.models.gas_max * WEIGHT_PER_GAS + limits.extrinsic_base < limits.weight_max
    assert CONFIG.system.block_hash_count.bit_count() == 1


def test_genesis_is_the_sum_of_its_pallets() -> None:
    state = genesis_changes(Genesis({ALICE: 10 * NOE, BOB: NOE}, {ALICE: 5 * NOE}, 1_000))
    queries = Queries(state.get, lambda prefix: sorted(_under(state, prefix)))

    pots = 2 * CONFIG.balances.existential_deposit
    assert queries.pallets.balances.total_issuance.get() == 11 * NOE + pots
    assert queries.account(ALICE).data.reserved == 5 * NOE
    assert queries.pallets.timestamp.milliseconds() == 1_000
    queries.pallets.balances.check_invariants()
    queries.pallets.staking.check_invariants()


@pytest.mark.parametrize(
    ("genesis", "error"),
    [
        (Genesis({ALICE: 1}, {ALICE: 1}), ExistentialDeposit),
        (Genesis({ALICE: NOE}, {ALICE: 2 * NOE}), InsufficientBalance),
        (Genesis({ALICE: NOE}, {ALICE: NOE}), Expendability),
        (Genesis({ALICE: NOE}, {}), InvalidValidatorSet),
    ],
)
def test_a_genesis_against_the_rules_is_refused(
    genesis: Genesis, error: type[DispatchError | InvalidValidatorSet]
) -> None:
    with pytest.raises(error):
        genesis_changes(genesis)


def test_the_code_moves_with_version_and_description() -> None:
    version = replace(CONFIG.system.version, spec_version=2)
    fees = replace(CONFIG.fees, base=1)
    configs = [
        CONFIG,
        replace(CONFIG, system=replace(CONFIG.system, version=version)),
        replace(CONFIG, fees=fees),
    ]
    codes = [code(config) for config in configs]

    assert len(dict.fromkeys(codes)) == 3
    assert genesis_changes(Genesis({ALICE: 10 * NOE}, {ALICE: NOE}))[CODE_KEY] == codes[0]


def test_words_are_no_part_of_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    before = code()
    monkeypatch.setattr(Rewards.claim, "__doc__", "In other words.")
    monkeypatch.setattr(Rewards.pending, "docs", "In other words.")
    monkeypatch.setattr(Rewards, "__doc__", "In other words.")

    assert description_of()[5].docs == "In other words."
    assert code() == before


def test_state_and_extrinsics_have_the_layouts_that_clients_expect() -> None:
    """Version 1: V1 for the state, V0 for the extrinsics root."""
    assert CONFIG.system.version.system_version == 1


def _under(state: dict[bytes, bytes], prefix: bytes) -> list[tuple[bytes, bytes]]:
    return [(key, value) for key, value in state.items() if key.startswith(prefix)]
