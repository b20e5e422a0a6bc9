"""How results are printed."""

import pytest

from cli.context import CliContext

RESULT = {
    "model": "digits@1",
    "price": "1500000000000",
    "active": True,
    "note": None,
    "shares": {"owner": 3},
    "rows": [{"name": "a", "free": 5}, {"name": "longer", "free": "2000000000000"}],
    "list": [1, 2],
    "empty": [],
}

TEXT = """\
model   digits@1
price   1.5 NOE
active  yes
note    -
shares
  owner  3
rows
  name    free
  a       0.000000000005 NOE
  longer  2 NOE
list
  - 1
  - 2
empty   -
"""


def test_lines_and_tables_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    CliContext().show(RESULT)

    assert capsys.readouterr().out == TEXT


def test_nothing_is_said_in_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    CliContext().show([])

    assert capsys.readouterr().out == "nothing\n"


def test_json_for_machines_and_talk_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    context = CliContext(as_json=True)
    context.say("talk")
    context.show({"ü": [1]})

    captured = capsys.readouterr()
    assert captured.out == '{\n  "ü": [\n    1\n  ]\n}\n'
    assert captured.err == "talk\n"


def test_without_a_terminal_progress_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    context = CliContext()
    with context.progress("uploading") as update, context.waiting("block") as tell:
        update(1, 2)
        tell("waiting")

    assert capsys.readouterr() == ("", "")
