"""What operators see of an engine."""

from consensus.engine.machine import Machine
from consensus.engine.view import EngineView, view_of
from consensus.engine.write_ahead_log import WriteAheadLog
from tests.consensus.engine.test_machine import CONFIG, Bench, prevotes
from tests.simulation.ledger import is_body_of_header
from tests.support.consensus_cast import FOUR, V


def test_view_counts_power() -> None:
    bench = Bench()
    bench.hear(*prevotes(V))
    assert view_of(bench.machine) == EngineView(
        height=1,
        round=0,
        prevoted_power=2,
        precommitted_power=0,
        validators=FOUR,
        is_validator=True,
        is_halted=False,
    )


def test_no_view_before_the_first_head() -> None:
    log = WriteAheadLog(Bench().disk)
    assert view_of(Machine(CONFIG, log, None, is_body_of_header)) is None
