"""The story of the digits on four real validators, told step by step and checked from outside.

Run it with `make demo`.  It leaves nothing running; logs and keys of the last run are in `.demo/`.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from chain.rpc.client import Client
from cli.local_network import LocalNetwork

ROOT: Final = Path(__file__).parents[2]
DIGITS: Final = ROOT / "examples" / "digits"
FOLDER: Final = ROOT / ".demo"
NOE: Final = 10**12
PRICE: Final = 1000 * NOE // 1000
PEOPLE: Final = {
    "alice": "200NOE",
    "bob": "50NOE",
    "carol": "50NOE",
    "mallory": "50NOE",
    "dave": "20NOE",
}
HELD_OUT, SNAPSHOT = 0, 1
"""Numbers of the snapshots of rows to measure by, and of rows to train on."""

STEPS: Final = 120
"""Of 256 rows: longer trainings learn mallory's labels by heart, too."""

COMMAND_S: Final = 300
"""For one command, a training that is followed to its end among them."""
ACCURACY: Final = 0.95
"""Of the network that the chain trains, on rows that it has never seen."""

KILLED: Final = 2
"""Index of the validator that is killed."""


class PromiseBroken(Exception):
    """Something that the story promises did not hold."""


@dataclass
class Story:
    """What happened so far: steps for the reader, promises for the closing table."""

    started: float = field(default_factory=time.monotonic)
    promises: list[tuple[str, str]] = field(default_factory=list)

    def step(self, words: str) -> None:
        """Begin a new step."""
        print(f"\n[{time.monotonic() - self.started:5.1f} s] {words}", flush=True)

    def tell(self, words: str) -> None:
        """Say what happened within a step."""
        print(f"          {words}", flush=True)

    def promise(self, words: str, held: bool, seen: str) -> None:
        """Note a promise with what was seen; one that does not hold ends the story."""
        self.promises.append((words, seen))
        self.tell(f"{'ok' if held else 'BROKEN'}: {words} ({seen})")
        if not held:
            raise PromiseBroken(f"{words}: {seen}")

    def close(self) -> None:
        """Print the closing table."""
        width = max(len(words) for words, _ in self.promises)
        print("\n" + "promise".ljust(width) + "  seen")
        print("-" * width + "  " + "-" * 40)
        for words, seen in self.promises:
            print(f"{words.ljust(width)}  {seen}")
        print(f"\nEverything held; {time.monotonic() - self.started:.0f} s.")


@dataclass(frozen=True)
class Refusal:
    """How a command was refused."""

    status: int
    words: str


def noema(*arguments: str, url: str = "") -> Any:
    """Run a command that must succeed and give its JSON."""
    status, output, errors = _run(arguments, url)
    if status:
        raise PromiseBroken(f"noema {' '.join(arguments)} ended with {status}:\n{errors or output}")
    return json.loads(output)


def refused(*arguments: str) -> Refusal:
    """Run a command that must fail and give how."""
    status, output, errors = _run(arguments, "")
    return Refusal(status, _words_of(errors or output))


def _words_of(said: str) -> str:
    """Give what a refusal says, in one line."""
    try:
        error = json.loads(said)["error"]
    except (ValueError, KeyError, TypeError):
        return said.rsplit("Error: ", 1)[-1].strip()
    return ": ".join(each for each in (error["name"], error["advice"] or error["detail"]) if each)


def _run(arguments: Sequence[str], url: str) -> tuple[int, str, str]:
    environment = {
        **os.environ,
        "NOEMA_KEYS": str(FOLDER / "keys"),
        "NOEMA_PASSWORD": "a password for the demo",
        **({"NOEMA_URL": url} if url else {}),
    }
    command = [sys.executable, "-m", "cli.main", *arguments, "--json"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=COMMAND_S
    )
    return done.returncode, done.stdout, done.stderr


def coins(amount: int | str) -> str:
    """Give an amount in coins for people."""
    return f"{int(amount) / NOE:.6f} NOE"


def short(hashes: set[str]) -> str:
    """Give hashes cut short."""
    return ", ".join(f"{each[:18]}..." for each in sorted(hashes))


def main() -> int:
    """Play the story; 0 if every promise held."""
    os.environ.pop("NOEMA_URL", None)
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    network = LocalNetwork(FOLDER / "network")
    story = Story()
    try:
        start_network(story, network)
        make_keys(story)
        contribute(story)
        train(story)
        value(story)
        register(story)
        refuse_bad_input(story)
        kill_validator(story, network)
        receipt = infer(story)
        divide_fee(story, receipt)
        bring_back(story, network)
        compare_nodes(story, network, receipt)
        count_money(story, network)
        story.close()
        return 0
    except PromiseBroken as broken:
        print(f"\nBROKEN: {broken}\nLogs: {FOLDER}/network/node-*/node.log", file=sys.stderr)
        return 1
    finally:
        network.down(lambda words: None)
        alive = [node.name for node in network.nodes if node.pid is not None]
        if alive:
            print(f"still running: {', '.join(alive)}", file=sys.stderr)


def start_network(story: Story, network: LocalNetwork) -> None:
    """Four validators start and agree on blocks."""
    story.step("Four validators start, each a process of its own")
    network.up(lambda words: None)
    status = network.status()
    for node in status:
        story.tell(f"{node['node']:<8} {node['rpc']}  height {node['height']}")
    story.promise(
        "four validators make blocks final",
        all(node["height"] >= 2 and node["peers"] == 3 for node in status),
        f"heights {[node['height'] for node in status]}",
    )


def make_keys(story: Story) -> None:
    """Five people make keys and get their first coins."""
    story.step("alice, bob, carol, mallory and dave make keys and get coins from a test account")
    for person, amount in PEOPLE.items():
        key = noema("key", "new", person)
        noema("tx", "transfer", person, amount, "--from", "//Alice")
        story.tell(f"{person:<6} {key['address']}  {amount}")


def contribute(story: Story) -> None:
    """Alice opens a dataset; bob and carol give true rows, mallory wrong labels."""
    story.step("alice opens the dataset digits; bob, carol and mallory contribute rows")
    form = ("--shape", "8x8", "--classes", "10", "--licence", "CC-BY-4.0", "--neighbours", "5")
    for dataset in ("digits", "held-out"):
        noema("data", "create", dataset, *form, "--from", "alice")
    for person in ("bob", "carol", "mallory"):
        given = give_rows("digits", person, person)
        story.tell(f"{person} gave {given['rows']} rows, fee {coins(given['fee'])}")
    give_rows("held-out", "held-out", "alice")
    story.tell("alice gave 197 rows that nobody has trained on, to measure models")
    dataset = wait_until(
        lambda: noema("data", "show", "digits"), lambda shown: shown["rows"] == 1600
    )
    wait_until(lambda: noema("data", "show", "held-out"), lambda shown: shown["rows"] == 197)
    story.promise(
        "1,600 rows of three contributors count",
        dataset["rows"] == 1600 and len(dataset["records"]) == 3,
        f"{dataset['rows']} rows in {len(dataset['records'])} records",
    )
    held_out = noema("data", "snapshot", "held-out", "--from", "alice")["snapshot"]
    noema("reward", "declare", "digits", "--evaluation", str(held_out), "--from", "alice")
    story.tell("alice declares: rows of digits are worth what they tell of the held-out ones")
    digits = noema("data", "snapshot", "digits", "--from", "alice")["snapshot"]
    story.promise(
        "snapshots fix the rows",
        (held_out, digits) == (HELD_OUT, SNAPSHOT),
        f"held-out is {held_out}, digits {digits}",
    )


def give_rows(dataset: str, file: str, person: str) -> Any:
    """Contribute a file of rows."""
    return noema("data", "contribute", dataset, str(DIGITS / f"{file}.rows"), "--from", person)


def train(story: Story) -> None:
    """The chain trains a network; anyone can compute it again."""
    story.step(f"the chain trains a network on the rows: {STEPS} steps, all validators the same")
    programs = FOLDER / "programs"
    noema(
        *("train", "build", "mlp", "--inputs", "8x8", "--hidden", "64", "--classes", "10"),
        *("--scale", "16", "--batch", "256", "--rate", "0.005", "--out", str(programs)),
    )
    trained = noema(
        *("train", "start", str(programs), "--snapshot", str(SNAPSHOT), "--steps", str(STEPS)),
        *("--budget", "20NOE", "--follow", "--from", "alice"),
    )
    story.tell(f"loss {trained['loss']:.3f}, paid {coins(trained['paid'])}")
    story.promise(
        "the chain trained a network",
        trained["status"] == "Finished" and trained["done"] == STEPS,
        f"{STEPS} steps, {trained['model'][:18]}...",
    )
    replayed = noema("train", "replay", "0")
    story.promise(
        "anyone computes the same network",
        replayed["chain"] == replayed["here"] == trained["model"],
        f"{replayed['here'][:18]}... on this machine alone",
    )
    noema("train", "fetch", "0", "--output", str(FOLDER / "digits.onnx"))


def value(story: Story) -> None:
    """The chain measures what the rows were worth; wrong labels are worth nothing."""
    story.step("the chain measures what every row was worth")
    valued = noema(
        *("reward", "value", str(SNAPSHOT), "--max-price", "20NOE", "--follow", "--from", "dave")
    )
    story.tell(f"{valued['found']['stage']}, paid {coins(valued['found']['paid'])}")
    explained = noema("reward", "explain", "digits")
    worth = {each["record"]: each["worth"] for each in explained["records"]}
    givers = ("bob", "carol", "mallory")
    story.promise(
        "true rows are worth something, wrong ones nothing",
        worth[0] > 0 and worth[1] > 0 and worth[2] <= 0,
        ", ".join(f"{name} {worth[record] / 10**12:.3f}" for record, name in enumerate(givers)),
    )
    story.promise("anyone computes the same worth", explained["same_here"], explained["exact"][:18])


def register(story: Story) -> None:
    """Alice publishes what the chain trained, and the chain measures it."""
    story.step("alice publishes the network with its lineage, and the chain measures it")
    registered = noema(
        *("model", "register", "digits", str(FOLDER / "digits.onnx"), "--from", "alice"),
        *("--job", "0", "--bound", "rows=256", "--price", "1NOE", "--validators", "30%"),
        *("--owner", "30%", "--contributors", "30%", "--treasury", "10%"),
    )
    story.promise(
        "the model is admitted by every validator",
        registered["status"] == "Active",
        f"{registered['model']} {registered['status']}",
    )
    measured = noema("evaluate", "digits", str(HELD_OUT), "--from", "alice")
    story.promise(
        f"it knows {ACCURACY:.0%} of digits it has never seen",
        measured["accuracy"] >= ACCURACY,
        f"{measured['correct']} of {measured['rows']}",
    )


def refuse_bad_input(story: Story) -> None:
    """What is broken is refused with a reason, and nothing changes."""
    story.step("mallory's tricks are refused")
    truncated = FOLDER / "truncated.onnx"
    truncated.write_bytes((DIGITS / "digits.onnx").read_bytes()[:5000])
    wrong_shape = FOLDER / "wrong.json"
    wrong_shape.write_text(json.dumps([[0.0] * 63]))
    before = noema("query", "account", "dave")
    cases = {
        "a truncated model": refused("model", "check", str(truncated)),
        "an input of the wrong shape": refused(
            "infer", "digits", str(wrong_shape), "--from", "dave"
        ),
        "an unknown model": refused("infer", "nothing", str(wrong_shape), "--from", "dave"),
        "more coins than there are": refused("tx", "transfer", "bob", "900NOE", "--from", "dave"),
    }
    for what, refusal in cases.items():
        story.tell(f"{what}: exit {refusal.status}, {refusal.words[:88]}")
    after = noema("query", "account", "dave")
    paid = int(before["free"]) - int(after["free"])
    story.promise(
        "bad input is refused with a reason",
        all(refusal.status in (1, 2) for refusal in cases.values()) and paid < NOE // 100,
        f"{len(cases)} refusals, {coins(paid)} of fees",
    )


def kill_validator(story: Story, network: LocalNetwork) -> None:
    """One validator is killed with SIGKILL; the others go on."""
    node = network.nodes[KILLED]
    story.step(f"{node.name} is killed with SIGKILL")
    before = network.status()[0]["height"]
    assert node.pid is not None
    os.kill(node.pid, signal.SIGKILL)
    status = wait_until(lambda: network.status()[0], lambda shown: shown["height"] >= before + 3)
    story.promise(
        "three of four validators go on",
        network.nodes[KILLED].pid is None and status["height"] >= before + 3,
        f"height {before} to {status['height']} without {node.name}",
    )


def infer(story: Story) -> dict[str, Any]:
    """Dave asks for the price, pays it, and gets the right digit, final."""
    story.step("dave asks what a digit costs, then sends a picture that nobody has seen")
    truth = json.loads((DIGITS / "dave.json").read_text())
    image = str(DIGITS / "dave.png")
    picture = ("infer", "digits", image, "--white", str(truth["white"]), "--from", "dave")
    known = noema(*picture, "--dry-run")
    story.tell(f"price {coins(known['price'])} + network fee {coins(known['network_fee'])}")
    before = int(noema("query", "account", "dave")["free"])
    receipt: dict[str, Any] = noema(*picture)
    paid = before - int(noema("query", "account", "dave")["free"])
    label = receipt["outputs"]["label"]
    story.promise(
        "the right digit, final",
        label == [truth["label"]] and receipt["status"] == "final",
        f"{label} in block {receipt['block']}",
    )
    story.promise(
        "the fee was known before",
        int(known["total"]) == paid == int(receipt["total"]),
        f"{coins(known['total'])} said, {coins(paid)} paid",
    )
    return receipt


def divide_fee(story: Story, receipt: dict[str, Any]) -> None:
    """The price became reward balances; bob claims his."""
    story.step("the fee became reward balances; bob claims his")
    parts = noema("query", "receipt", str(receipt["receipt"]))["parts"]
    people = ("alice", "bob", "carol", "mallory")
    rewards = {person: noema("reward", "show", person) for person in people}
    for person, reward in rewards.items():
        story.tell(f"{person:<6} can claim {coins(reward['claimable'])}")
    total = sum(int(part) for part in parts.values())
    story.promise(
        "the parts add up to the price",
        total == int(receipt["price"]) == PRICE,
        ", ".join(f"{name} {int(part) / NOE:.2f}" for name, part in parts.items()),
    )
    earned = [int(rewards[person]["claimable"]) for person in ("bob", "carol", "mallory")]
    story.promise(
        "contributors are paid by measured worth",
        min(earned[:2]) > 0 and sum(earned[:2]) > int(parts["contributors"]) - 10 and not earned[2],
        f"bob {coins(earned[0])}, carol {coins(earned[1])}, mallory {coins(earned[2])}",
    )
    before = int(noema("query", "account", "bob")["free"])
    claimed = noema("reward", "claim", "--from", "bob")
    gained = int(noema("query", "account", "bob")["free"]) - before
    story.promise(
        "bob has his reward",
        gained == int(claimed["claimed"]["amount"]) - int(claimed["fee"]) > 0,
        f"{coins(claimed['claimed']['amount'])} less the fee of {coins(claimed['fee'])}",
    )


def bring_back(story: Story, network: LocalNetwork) -> None:
    """The killed validator comes back and catches up."""
    node = network.nodes[KILLED]
    story.step(f"{node.name} comes back and fetches what it missed")
    target = network.status()[0]["height"]
    network.start(KILLED)
    status = wait_until(
        lambda: network.status()[KILLED],
        lambda shown: shown["height"] is not None and shown["height"] >= target,
    )
    story.promise(
        "the killed validator catches up", status["height"] >= target, f"height {status['height']}"
    )


def compare_nodes(story: Story, network: LocalNetwork, receipt: dict[str, Any]) -> None:
    """All four nodes hold the same blocks, roots and results."""
    story.step("the four nodes are compared")
    height = min(node["height"] for node in network.status())
    hashes, roots, results = set(), set(), set()
    for node in network.nodes:
        with Client(node.url) as client:
            head = client.request("chain_getBlockHash", [height])
            hashes.add(head)
            roots.add(client.request("chain_getHeader", [head])["stateRoot"])
            found = client.request("ai_receipt", [receipt["receipt"]])
            results.add(found["output_hash"])
    seen = f"block {height}, {short(hashes)}"
    story.promise("one block hash on all nodes", len(hashes) == 1, seen)
    story.promise("one state root on all nodes", len(roots) == 1, short(roots))
    story.promise(
        "one inference result on all nodes",
        results == {receipt["output_hash"]},
        short(results),
    )


def count_money(story: Story, network: LocalNetwork) -> None:
    """Everybody's funds, added up from raw storage, are what was issued, block by block."""
    story.step("all accounts are added up from raw storage")
    prefix = "0x26aa394eea5630e07c48ae0c9558cef7b99d880ec681799c0cf30e8886371da9"
    with Client(network.nodes[0].url) as client:
        head = client.request("chain_getFinalizedHead")
        issued = client.request("ai_issuance", [head])["total_issuance"]
        keys = client.request("state_getKeysPaged", [prefix, 1000, None, head])
        values = [client.request("state_getStorage", [key, head]) for key in keys]
    accounts = [bytes.fromhex(value[2:]) for value in values]
    total = sum(int.from_bytes(raw[at : at + 16], "little") for raw in accounts for at in (16, 32))
    story.promise(
        "no coin appeared or vanished",
        total == int(issued),
        f"{total / NOE:,.3f} NOE in {len(keys)} accounts",
    )


def wait_until(look: Callable[[], Any], good: Callable[[Any], bool], seconds: float = 60.0) -> Any:
    """Look until what is seen is good; gives the last look when time is up."""
    deadline = time.monotonic() + seconds
    while not good(seen := look()) and time.monotonic() < deadline:
        time.sleep(0.3)
    return seen


if __name__ == "__main__":
    sys.exit(main())
