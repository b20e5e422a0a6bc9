"""A sample of the exhaustive proof: hard inputs, a regular sample, and faults that it must find."""

from dataclasses import replace

import numpy as np
import pytest

from ai_exec.fast import passes
from ai_exec.semantics import functions
from tests.exhaustive import operators, proof, run
from tests.exhaustive.segments import segments_between, table_of

RESULTS = run.read_results()
FIRST = 0x3F00_0000
"""The bits of 1/2."""
EDGES = (0.0, -0.0, np.inf, -np.inf, np.nan, 1e-45, -1e-45, 1.0, -1.0, 3e38, -3e38)


def hardest(name: str) -> list[float]:
    found: dict[str, str] = RESULTS.get(name, {}).get("hardest", {})  # type: ignore[assignment]
    return [float.fromhex(number) for number in found]


def sample(step: int) -> np.ndarray:
    """A regular sample of all inputs, by a prime, so that it meets all patterns of low bits."""
    bits = np.arange(0, 1 << 32, step, dtype=np.uint64).astype(np.uint32)
    return np.concatenate([bits.view(np.float32), np.float32(EDGES)])


def test_all_functions_are_proved() -> None:
    """Operators of `STEPS` may be proved too; all of them are tested on a sample below."""
    assert {*proof.NAMES} <= {*RESULTS} <= {*run.NAMES}
    assert [name for name, found in RESULTS.items() if found["wrong"]] == []
    assert {found["inputs"] for found in RESULTS.values()} == {1 << 32}


def test_all_operators_of_one_number_are_proved() -> None:
    """A new operator needs a line in `operators.py`."""
    assert set(operators.of_one_number()) == {*operators.FUNCTIONS, *operators.STEPS}
    assert {*operators.FUNCTIONS.values(), "expm1"} == {*functions.FUNCTIONS}


@pytest.mark.parametrize("name", sorted(RESULTS))
def test_nothing_changed_since_its_proof(name: str) -> None:
    assert RESULTS[name]["stamp"] == run.current_stamp(name), f"make exhaustive NAMES={name}"


def test_readme_is_written_from_the_results() -> None:
    text = run.README.read_text()
    assert text == run.readme(text, RESULTS)


@pytest.mark.parametrize("name", proof.NAMES)
def test_hardest_inputs_and_a_sample(name: str) -> None:
    numbers = [*hardest(name), *sample(8_388_593).tolist()]
    assert proof.wrong_among(name, numbers) == []


@pytest.mark.parametrize("name", [*operators.FUNCTIONS, *operators.STEPS])
def test_operators_give_the_functions(name: str) -> None:
    more = hardest(operators.FUNCTIONS[name]) if name in operators.FUNCTIONS else []
    x = np.float32([*sample(262_147), *more])
    assert operators.wrong_among(name, x) == []


@pytest.mark.parametrize("name", ["erf", "gelu"])
def test_a_piece_of_all_inputs(name: str) -> None:
    table = table_of(segments_between(name, FIRST, FIRST + proof.CHUNK - 1))
    assert proof.prove(name, [(FIRST, proof.CHUNK)], 1, table).wrong == []


@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
@pytest.mark.parametrize("first", [0x3F40_0000, 0x7F00_0000, 0xC490_0000])
def test_a_piece_of_all_angles(name: str, first: int) -> None:
    assert proof.prove(name, [(first, 4096)]).wrong == []


def found_for_exp(first: int = FIRST, count: int = 8) -> proof.Findings:
    table = table_of(segments_between("exp", FIRST, FIRST + 255))
    return proof.prove("exp", [(first, count)], 1, table)


def test_a_wrong_bit_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = float(proof.numbers_of((FIRST + 3, 1))[0])

    def faulty(x: np.ndarray, result: np.ndarray) -> None:
        passes.exp(x, result)
        result.view(np.uint32)[x == wrong] ^= 1

    monkeypatch.setitem(passes.PASSES, "exp", faulty)  # type: ignore[arg-type]
    assert set(found_for_exp().wrong) == {wrong}


def test_a_wrong_bit_of_both_engines_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def faulty(x: np.ndarray, result: np.ndarray) -> None:
        passes.exp(x, result)
        result.view(np.uint32)[:] += 1

    def faulty_reference(name: str, x: np.ndarray) -> np.ndarray:
        result = np.empty(x.shape, np.float32)
        faulty(x, result)
        return result

    monkeypatch.setitem(passes.PASSES, "exp", faulty)  # type: ignore[arg-type]
    monkeypatch.setattr(functions, "apply", faulty_reference)
    assert set(found_for_exp().wrong) == set(proof.numbers_of((FIRST, 8)).tolist())


def test_a_wrong_answer_where_the_filter_cannot_decide_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    number = hardest("exp")[0]
    wrong = float(np.nextafter(np.float32(functions.rounded("exp", number)), np.float32(0)))

    def faulty(x: np.ndarray, result: np.ndarray) -> None:
        result[:] = wrong

    monkeypatch.setitem(passes.PASSES, "exp", faulty)  # type: ignore[arg-type]
    assert proof.wrong_among("exp", [number]) == [number]


def test_a_wrong_answer_of_the_reference_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    exp = functions.FUNCTIONS["exp"]
    worse = replace(exp, sequence=lambda x: exp.sequence(x) * (1 + 2.0**-22))
    monkeypatch.setattr(functions, "FUNCTIONS", {"exp": worse})
    assert set(found_for_exp().wrong) == set(proof.numbers_of((FIRST, 8)).tolist())


def test_a_wrong_operator_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operators, "STEPS", {"Neg": lambda x: np.where(x == 2, x, -x)})
    assert operators.wrong_among("Neg", np.float32([1.0, 2.0])) == [2.0]
