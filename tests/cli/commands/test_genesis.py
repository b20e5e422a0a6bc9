"""Chain specifications and node settings by command."""

from pathlib import Path

from genesis.build import build_genesis
from genesis.spec import parse_spec, preset
from tests.support.fake_client import noema, shown


def test_a_new_chain(tmp_path: Path) -> None:
    path = tmp_path / "chain.json"
    typed = (
        f"genesis new -o {path} --name Ours --id ours --type Local "
        "--validator //Alice 100NOE --endow //Bob 5NOE --endow //Alice 1NOE --json"
    )

    result = shown(noema(*typed.split()))

    spec = parse_spec(path.read_bytes())
    assert result["genesis_hash"] == "0x" + build_genesis(spec).hash.hex()
    assert sum(spec.endowments.values()) == 106 * 10**12
    assert list(spec.validators.values()) == [100 * 10**12]
    again = noema(*typed.split())
    assert (again.exit_code, "exists" in again.stderr) == (2, True)


def test_a_validator_gets_what_must_stay_free(tmp_path: Path) -> None:
    path = tmp_path / "chain.json"

    shown(noema("genesis", "new", "-o", str(path), "--validator", "//Alice", "100NOE", "--json"))

    assert list(parse_spec(path.read_bytes()).endowments.values()) == [100 * 10**12 + 10**9]


def test_a_chain_that_the_rules_forbid_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "chain.json"
    typed = ("genesis", "new", "-o", str(path), "--validator", "//Alice")

    powerless = noema(*typed, "1")
    dust = noema(*typed, "100NOE", "--endow", "//Bob", "1")

    assert (powerless.exit_code, "validators: a validator has no power" in powerless.stderr) == (
        2,
        True,
    )
    assert (dust.exit_code, "1000000000 is the least" in dust.stderr) == (2, True)
    assert not path.exists()


def test_a_chain_without_validators_is_refused(tmp_path: Path) -> None:
    result = noema("genesis", "new", "-o", str(tmp_path / "chain.json"))

    assert (result.exit_code, "validators" in result.stderr) == (2, True)
    assert not (tmp_path / "chain.json").exists()


def test_a_preset_is_shown_and_written(tmp_path: Path) -> None:
    path = tmp_path / "chain.json"
    hash_of_local = "0x" + build_genesis(preset("local")).hash.hex()

    of_local = shown(noema("genesis", "show", "--json"))
    assert of_local["genesis_hash"] == hash_of_local
    # The chain's own two accounts begin with what must stay free.
    assert of_local["total_issuance"] == str(10**7 * 10**12 + 2 * 10**9)
    written = shown(noema("genesis", "new", "-o", str(path), "--preset", "local", "--json"))
    assert written["genesis_hash"] == hash_of_local
    assert shown(noema("genesis", "show", str(path), "--json"))["genesis_hash"] == hash_of_local


def test_a_broken_specification_is_explained(tmp_path: Path) -> None:
    path = tmp_path / "chain.json"
    path.write_text("{}")

    result = noema("genesis", "show", str(path))

    assert result.exit_code == 2
    assert "validators: missing" in result.stderr
    assert noema("genesis", "show", str(tmp_path / "none")).exit_code == 2


def test_node_settings_are_written_once(tmp_path: Path) -> None:
    typed = ("node", "init", "--base-path", str(tmp_path), "--json")

    assert shown(noema(*typed)) == {"file": str(tmp_path / "node.toml")}
    assert "[rpc]" in (tmp_path / "node.toml").read_text()
    assert noema(*typed).exit_code == 2
