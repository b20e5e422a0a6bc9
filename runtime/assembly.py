"""Assembly: what this chain is.

Reads from top to bottom: its name and versions, what it decided and why, its pallets by index, how
they are joined, and with what it begins.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from chain.primitives.block import BLOCK_BYTES_MAX
from chain.primitives.codec import U32
from chain.primitives.hashing import blake2_256
from chain.primitives.keys import Address
from chain.primitives.numbers import NOE, WEIGHT_PER_GAS
from runtime.dispatch import Router
from runtime.frame import MICROSECOND, MILLISECOND, SECOND, Construct, Overlay, Pallet
from runtime.frame.description import PalletDescription, describe, without_docs
from runtime.frame.ports import Dispatcher, Executor, NoExecutor
from runtime.pallets.attribution import Attribution, AttributionConfig
from runtime.pallets.balances import Balances, BalancesConfig
from runtime.pallets.blobs import Blobs, BlobsConfig
from runtime.pallets.data import Data, DataConfig
from runtime.pallets.evaluation import Evaluation, EvaluationConfig
from runtime.pallets.fees import Fees, FeesConfig
from runtime.pallets.governance import Governance, GovernanceConfig
from runtime.pallets.inference import Inference, InferenceConfig
from runtime.pallets.models import Models, ModelsConfig
from runtime.pallets.multisig import Multisig, MultisigConfig
from runtime.pallets.parameters import Parameters
from runtime.pallets.randomness import Randomness, RandomnessConfig
from runtime.pallets.rewards import POT, TREASURY, IssuanceConfig, Rewards
from runtime.pallets.snapshots import Snapshots, SnapshotsConfig
from runtime.pallets.staking import Staking, StakingConfig
from runtime.pallets.system import System, SystemConfig
from runtime.pallets.system.version import RuntimeApi, RuntimeVersion
from runtime.pallets.timestamp import Timestamp, TimestampConfig
from runtime.pallets.training import Training, TrainingConfig
from runtime.pallets.treasury import Treasury
from runtime.pallets.utility import Utility
from runtime.parameters import Table, applied

VERSION: Final = RuntimeVersion(
    spec_name="noema",
    impl_name="noema-python",
    authoring_version=1,
    spec_version=1,
    impl_version=1,
    apis=(
        RuntimeApi.named("Core", 5),
        RuntimeApi.named("Metadata", 2),
        RuntimeApi.named("TaggedTransactionQueue", 3),
        RuntimeApi.named("AccountNonceApi", 1),
        RuntimeApi.named("TransactionPaymentApi", 4),
    ),
    transaction_version=1,
    system_version=1,
)


@dataclass(frozen=True, slots=True)
class BlockLimits:
    """How much a block may hold."""

    weight_max: int
    """Picoseconds of all transactions: half of a block time, since a block is executed once by
    its proposer and once by everybody else before it can be final."""

    extrinsic_base: int
    """Picoseconds of any transaction beside its call: signature, decoding, fee, root."""

    length_max: int
    """Bytes of all transactions, each counted with room for one result hash."""


@dataclass(frozen=True, slots=True)
class RuntimeConfig:
    """Everything that the chain decided, pallet by pallet."""

    limits: BlockLimits
    system: SystemConfig
    timestamp: TimestampConfig
    balances: BalancesConfig
    fees: FeesConfig
    staking: StakingConfig
    blobs: BlobsConfig
    models: ModelsConfig
    data: DataConfig
    inference: InferenceConfig
    randomness: RandomnessConfig
    issuance: IssuanceConfig
    snapshots: SnapshotsConfig
    training: TrainingConfig
    evaluation: EvaluationConfig
    attribution: AttributionConfig
    governance: GovernanceConfig
    multisig: MultisigConfig


HEADER_ROOM: Final = 16 * 1024
"""Bytes of a block that are left for its header."""

CONFIG: Final = RuntimeConfig(
    limits=BlockLimits(
        weight_max=SECOND // 2,
        extrinsic_base=100 * MICROSECOND,
        length_max=BLOCK_BYTES_MAX - HEADER_ROOM,
    ),
    # A power of two: clients round the life of a transaction up to one.
    system=SystemConfig(VERSION, block_hash_count=4096),
    timestamp=TimestampConfig(minimum_period_ms=100),
    # A thousandth of a coin: filling the state with a million accounts binds a thousand coins.
    balances=BalancesConfig(existential_deposit=NOE // 1000),
    # One coin buys a second of a reference core; a transfer costs about 0.0014 NOE.
    fees=FeesConfig(base=NOE // 1000, per_byte=NOE // 1_000_000, weight_per_unit=1),
    staking=StakingConfig(power_unit=NOE),
    # A text encoder of 90 MB binds 90 coins and fits three times.
    blobs=BlobsConfig(
        length_max=256 * 1024 * 1024,
        deposit_base=NOE // 100,
        deposit_per_byte=NOE // 1_000_000,
    ),
    # One run may take four fifths of a block's weight; bytes have ten minutes and more to come.
    models=ModelsConfig(
        model_deposit=NOE,
        version_deposit=NOE // 10,
        # A tenth of a coin a block keeps the queue full; ten nanoseconds are counted for a byte.
        examination_base=NOE // 10,
        examination_per_byte=NOE // 100_000_000,
        gas_max=400_000_000,
        admissions_per_block=1,
        waiting_blocks=1200,
        # Two weeks of blocks of one second.
        time_lock_max=1_209_600,
    ),
    data=DataConfig(
        dataset_deposit=NOE,
        record_deposit=NOE // 10,
        row_bytes_max=1024 * 1024,
        waiting_blocks=1200,
        # About a tenth of a second of hashing and state for all validators.
        rows_per_block=4096,
        row_fee=NOE // 10_000,
    ),
    # Two hours of blocks of one second: time to fetch the proof of a receipt.
    inference=InferenceConfig(receipt_blocks=7200),
    # Ten blocks of one second: what waits for a seed waits ten to twenty.
    randomness=RandomnessConfig(epoch_blocks=10, chain_length=1024),
    # A step of a small network weighs a millisecond and a half: forty in each block.  Four
    # processes on two cores take a quarter of a second for them.
    training=TrainingConfig(
        examination_base=NOE // 10,
        examination_per_byte=NOE // 100_000_000,
        program_bytes_max=1024 * 1024,
        state_bytes_max=256 * 1024,
        steps_max=1_000_000,
        weight_per_block=60 * MILLISECOND,
        price_per_weight=1,
    ),
    # A gate's 300 rows of a small network take a block or two.
    evaluation=EvaluationConfig(weight_per_block=60 * MILLISECOND, price_per_weight=1),
    # A coin in ten blocks, three million a year; half of it at most for data that was used.
    issuance=IssuanceConfig(per_epoch=NOE, datasets=500_000),
    snapshots=SnapshotsConfig(deposit_per_record=NOE // 100, deposit_per_byte=NOE // 1_000_000),
    # A second of a reference core costs a coin, as in transactions.
    attribution=AttributionConfig(
        base_fee=NOE // 10,
        record_fee=NOE // 1000,
        weight_per_block=150 * MILLISECOND,
        price_per_weight=1,
    ),
    # Half a minute to vote and ten seconds to object, for networks that are tried out; a vote
    # makes them longer.  No account of a preset owns a fifth of all coins.
    governance=GovernanceConfig(
        deposit=10 * NOE,
        least_lock=NOE,
        voting_blocks=30,
        enactment_blocks=10,
        delay_blocks=600,
        quorum=200_000,
        approval=500_000,
        deposit_back=10_000,
        weight_per_block=100 * MILLISECOND,
    ),
    multisig=MultisigConfig(deposit_base=NOE // 10, deposit_factor=NOE // 100),
)

CONSTRUCT: Final = Construct(
    {
        0: System,
        1: Timestamp,
        2: Balances,
        3: Fees,
        4: Staking,
        5: Rewards,
        6: Blobs,
        7: Models,
        8: Data,
        9: Inference,
        10: Randomness,
        11: Training,
        12: Evaluation,
        14: Attribution,
        15: Governance,
        16: Treasury,
        17: Parameters,
        18: Utility,
        19: Multisig,
        21: Snapshots,
    }
)


@dataclass(frozen=True, slots=True)
class Pallets:
    """The pallets over one state, joined."""

    system: System
    timestamp: Timestamp
    balances: Balances
    fees: Fees
    staking: Staking
    rewards: Rewards
    blobs: Blobs
    models: Models
    data: Data
    inference: Inference
    randomness: Randomness
    training: Training
    evaluation: Evaluation
    attribution: Attribution
    governance: Governance
    treasury: Treasury
    parameters: Parameters
    utility: Utility
    multisig: Multisig
    snapshots: Snapshots
    by_index: Mapping[int, Pallet]
    config: RuntimeConfig
    """What holds in this block: what the release decided, as votes have changed it."""

    def check_invariants(self) -> None:
        """Assert what must hold after every block; needs a state that can be listed."""
        for pallet in self.by_index.values():
            pallet.check_invariants()


def assemble(state: Overlay, executor: Executor, config: RuntimeConfig = CONFIG) -> Pallets:
    """Join the pallets over a state, by the rules as votes have changed them."""
    parameters = Parameters(state, Table(config, conflict_of))
    config = applied(config, parameters.overrides())
    router = Router(CONSTRUCT, lambda: joined.by_index, config.limits.extrinsic_base)
    joined = _join(state, executor, config, parameters, router)
    return joined


def _join(
    state: Overlay,
    executor: Executor,
    config: RuntimeConfig,
    parameters: Parameters,
    router: Dispatcher,
) -> Pallets:
    """Join the pallets; here stands who knows whom."""
    money = _money(state, config)
    system, timestamp, balances, fees, staking, rewards, randomness = money
    blobs = Blobs(state, config.blobs, balances, validators=staking, heights=system)
    data = Data(
        *(state, config.data, balances, blobs),
        earnings=rewards,
        content=executor,
        sink=rewards,
        heights=system,
    )
    snapshots = Snapshots(state, config.snapshots, balances, blobs, datasets=data, heights=system)
    evaluation = Evaluation(
        *(state, config.evaluation, balances, blobs, snapshots),
        models=lambda: models,
        sink=rewards,
        executor=executor,
    )
    training = Training(
        *(state, config.training, balances, blobs, snapshots, randomness),
        sink=rewards,
        executor=executor,
        heights=system,
        evaluations=evaluation,
    )
    models = Models(
        *(state, config.models, balances, blobs, data, snapshots),
        training=training,
        evaluations=evaluation,
        earnings=rewards,
        sink=rewards,
        executor=executor,
        heights=system,
        treasury=TREASURY,
    )
    inference = Inference(
        state, config.inference, models, till=rewards, executor=executor, heights=system
    )
    attribution = Attribution(
        *(state, config.attribution, balances, blobs, data, snapshots, models),
        *(rewards, rewards, executor, randomness, system),
    )
    governing = _governing(state, config, money, parameters, router)
    return _named(
        config,
        *(system, timestamp, balances, fees, staking),
        *(rewards, blobs, models, data, inference, randomness, training, evaluation),
        *(attribution, *governing, snapshots),
    )


Money = tuple[System, Timestamp, Balances, Fees, Staking, Rewards, Randomness]


def _money(state: Overlay, config: RuntimeConfig) -> Money:
    """Join the pallets that every chain of this kind has."""
    system = System(state, config.system)
    timestamp = Timestamp(state, config.timestamp, heights=system)
    balances = Balances(state, config.balances, store=system)
    staking = Staking(state, config.staking, currency=balances)
    randomness = Randomness(state, config.randomness, authorship=system, heights=system)
    rewards = Rewards(
        *(state, config.issuance, balances),
        validators=staking,
        authorship=system,
        epochs=randomness,
    )
    fees = Fees(state, config.fees, currency=balances, sink=rewards)
    return system, timestamp, balances, fees, staking, rewards, randomness


def _governing(
    state: Overlay,
    config: RuntimeConfig,
    money: Money,
    parameters: Parameters,
    router: Dispatcher,
) -> tuple[Pallet, ...]:
    """Join the pallets by which several decide together."""
    system, _, balances, _, staking, _, _ = money
    governance = Governance(
        *(state, config.governance, balances, staking, router, system),
        issuance=balances.total_issuance.get,
        treasury=TREASURY,
        spec_version=config.system.version.spec_version,
    )
    treasury, utility = Treasury(state, balances, TREASURY), Utility(state, router)
    multisig = Multisig(state, config.multisig, balances, router, system)
    return governance, treasury, parameters, utility, multisig


def conflict_of(config: RuntimeConfig) -> str:
    """Say which limits do not fit together; nothing if all do."""
    heaviest = config.models.gas_max * WEIGHT_PER_GAS + config.limits.extrinsic_base
    if heaviest >= config.limits.weight_max:
        return f"a run of {config.models.gas_max} gas does not fit into a block"
    return ""


def _named(config: RuntimeConfig, *pallets: Any) -> Pallets:
    """Give pallets, in the order of their indices, by name and by index."""
    parts: tuple[Any, ...] = (*pallets, dict(zip(CONSTRUCT.pallets, pallets, strict=True)), config)
    return Pallets(*parts)


POTS: Final = (POT, TREASURY)
"""Accounts of pallets; they get the existential deposit at genesis, so that they never die."""


@dataclass(frozen=True, slots=True)
class Genesis:
    """With what a chain begins."""

    endowments: Mapping[Address, int]
    """First funds of each account, smallest units."""

    validators: Mapping[Address, int]
    """Stake of each validator, set aside in its account."""

    timestamp_ms: int = 0
    """Time of block zero, milliseconds since 1970."""


def genesis_changes(genesis: Genesis, config: RuntimeConfig = CONFIG) -> dict[bytes, bytes]:
    """Give the state that a chain begins with; raises DispatchError or InvalidValidatorSet."""
    state = Overlay.over({})
    pallets = assemble(state, NoExecutor(), config)
    pots = dict.fromkeys(POTS, config.balances.existential_deposit)
    pallets.timestamp.build_genesis(genesis.timestamp_ms)
    pallets.balances.build_genesis({**genesis.endowments, **pots})
    pallets.staking.build_genesis(genesis.validators)
    changes = state.changes()
    return {CODE_KEY: code(config), **{k: v for k, v in changes.items() if v is not None}}


CODE_KEY: Final = b":code"
"""Where Substrate keeps a runtime's program."""


def code(config: RuntimeConfig = CONFIG) -> bytes:
    """Give what stands for the program: the version, and a hash that moves with the description.

    Words for people are left out: mending them must not make another chain.
    """
    description = repr(without_docs(description_of(config))).encode()
    return b"noema" + U32.encode(config.system.version.spec_version) + blake2_256(description)


def description_of(config: RuntimeConfig = CONFIG) -> tuple[PalletDescription, ...]:
    """Describe the chain: pallets, calls, events, errors, storage, constants."""
    pallets = assemble(Overlay.over({}), NoExecutor(), config)
    return describe(tuple(pallets.by_index.items()))
