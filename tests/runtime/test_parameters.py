"""Parameters: every name is a number of the configuration that lies within its bounds."""

from dataclasses import replace

from runtime.assembly import CONFIG, conflict_of
from runtime.pallets.parameters.pallet import CHANGED_MAX
from runtime.parameters import BOUNDS, Table, applied, value_of


def test_every_name_is_a_number_within_its_bounds() -> None:
    assert list(BOUNDS) == sorted(BOUNDS)
    assert len(BOUNDS) <= CHANGED_MAX
    for name, (least, most) in BOUNDS.items():
        assert least <= value_of(CONFIG, name) <= most, name


def test_changes_are_applied_to_their_part() -> None:
    fees = replace(CONFIG.fees, base=5)
    assert applied(CONFIG, {"fees.base": 5}) == replace(CONFIG, fees=fees)
    assert applied(CONFIG, {}) is CONFIG


def test_the_table_knows_what_the_release_decided() -> None:
    table = Table(CONFIG, conflict_of)
    assert table.original("fees.base") == CONFIG.fees.base
    assert table.bounds("fees.base") == BOUNDS["fees.base"]
    assert table.bounds("fees") is None
    assert table.conflict({}) == ""
