"""How results are printed."""

import pytest

from cli.context import CliContext


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


def test_looks_end_when_the_time_is_up() -> None:
    slept: list[float] = []
    context = CliContext(sleep=slept.append)

    assert len(list(context.looks(2.0, 0.5))) == 4
    assert slept == [0.5] * 4


def test_who_found_it_looks_no_more() -> None:
    slept: list[float] = []
    for number, _ in enumerate(CliContext(sleep=slept.append).looks(9.0, 1.0)):
        if number == 1:
            break
    assert slept == [1.0]
