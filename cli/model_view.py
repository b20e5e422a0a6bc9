"""What people are shown of a model: its history as a table, its channels, its family as a tree."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

JSON = dict[str, Any]
SHOWN: Final = ("owner", "licence", "policy", "registered")


def model_for_people(model: JSON) -> JSON:
    """Give a model with its versions as a table, and the tensors of the one that calls run."""
    from ai_exec.tensor import DTYPE_NAMES

    def named(types: list[JSON]) -> list[JSON]:
        return [{**each, "element": DTYPE_NAMES[each["element"]]} for each in types]

    shown: JSON = {"name": model["name"], **{key: model[key] for key in SHOWN}}
    shown["control"] = control_text(model["control"])
    shown["channels"] = channel_rows(model)
    shown["versions"] = [_row(model, each) for each in model["versions"]]
    default = next((e for e in model["versions"] if e["number"] == model["default"]), None)
    if default is not None:
        shown |= {key: named(default[key]) for key in ("inputs", "outputs")}
    reasons = [(each["number"], each["reasons"]) for each in model["versions"] if each["reasons"]]
    if reasons:
        shown["reasons"] = [f"version {number}: {'; '.join(why)}" for number, why in reasons]
    return shown


def control_text(control: JSON) -> str:
    """Give in words who moves channels, and what stands before a move."""
    authority = control["authority"]
    words = [authority.lower()] if isinstance(authority, str) else [_multisig(authority)]
    if control["gate"] is not None:
        words.append(f"gate on snapshot {control['gate']}")
    if control["time_lock"]:
        words.append(f"time-lock of {control['time_lock']} blocks")
    return ", ".join(words)


def channel_rows(model: JSON) -> list[JSON]:
    """Give each channel with where it points, where it goes, and who wants that."""
    moves = {each["channel"]: each for each in model["moves"]}
    names = [each["name"] for each in model["channels"]]
    wanted = [each["action"]["MoveTo"]["channel"] for each in _wants_to_move(model)]
    points = {each["name"]: each["version"] for each in model["channels"]}
    return [
        {
            "channel": name,
            "version": points.get(name),
            "moves": _move_text(moves.get(name)),
            "approvals": ", ".join(_approvals(model, name)) or None,
        }
        for name in dict.fromkeys((*names, *moves, *wanted))
    ]


def open_actions(model: JSON, channel: str) -> list[int | None]:
    """Give the versions to which signatories want to move a channel, each once."""
    actions = (each["action"]["MoveTo"] for each in _wants_to_move(model))
    return list(dict.fromkeys(each["version"] for each in actions if each["channel"] == channel))


def lineage_of(name: str, number: int, ask: Callable[[str], JSON], generations: int) -> JSON:
    """Give a version with its ancestors, so many generations of them; each is told once."""
    models: dict[str, JSON] = {}
    told: set[tuple[str, int]] = set()

    def known(model: str) -> JSON:
        if model not in models:
            models[model] = ask(model)
        return models[model]

    def node(model: str, version: int, left: int) -> JSON:
        found = next((e for e in known(model)["versions"] if e["number"] == version), None)
        shown: JSON = {"model": model, "version": version, "owner": models[model]["owner"]}
        shown["royalty"] = models[model]["policy"]["royalty"]
        if found is None:
            return {**shown, "note": "older than the versions that are shown"}
        lineage = found["lineage"]
        shown |= {"status": found["status"], "job": lineage["job"], "trained": found["trained"]}
        shown["datasets"] = lineage["datasets"]
        if (model, version) in told:
            return {**shown, "note": "see above"} if lineage["parents"] else shown
        told.add((model, version))
        if not left and lineage["parents"]:
            return {**shown, "note": f"{len(lineage['parents'])} parents"}
        parents = [node(each["model"], each["version"], left - 1) for each in lineage["parents"]]
        return {**shown, "parents": parents}

    return node(name, number, generations)


def tree_lines(node: JSON) -> Iterator[str]:
    """Give the lines of a lineage, a version above what it was made from."""
    yield _node_text(node)
    yield from _branches(node)


def _branches(node: JSON) -> Iterator[str]:
    leaves = []
    if node.get("trained"):
        trained = node["trained"]
        where = f"snapshot {trained['snapshot']} of {trained['dataset']}"
        leaves.append(f"job {node['job']} on {where}")
    leaves += [f"dataset {each}" for each in node.get("datasets", ())]
    parents = node.get("parents", [])
    last = len(leaves) + len(parents) - 1
    for place, leaf in enumerate(leaves):
        yield f"{'└─' if place == last else '├─'} {leaf}"
    for place, parent in enumerate(parents, len(leaves)):
        yield f"{'└─' if place == last else '├─'} {_node_text(parent)}"
        bar = "   " if place == last else "│  "
        yield from (bar + line for line in _branches(parent))


def _node_text(node: JSON) -> str:
    words = [f"{node['model']}@{node['version']}", f"of {node['owner']}"]
    if node["royalty"]:
        words.append(f"royalty {node['royalty'] / 10_000:g}%")
    if node.get("status") not in ("Active", None):
        words.append(node["status"].lower())
    if "note" in node:
        words.append(f"({node['note']})")
    return "  ".join(words)


def _row(model: JSON, version: JSON) -> JSON:
    channels = [each["name"] for each in model["channels"] if each["version"] == version["number"]]
    owed = sum(each["parts"] for each in version["royalties"])
    return {
        "number": version["number"],
        "status": version["status"],
        "channels": ", ".join(channels) or None,
        "published": version["published"],
        "length": version["length"],
        "gas": version["gas"],
        "made_from": _origin(version),
        "royalties": f"{owed / 10_000:g}%",
    }


def _origin(version: JSON) -> str | None:
    lineage = version["lineage"]
    words = [f"{each['model']}@{each['version']}" for each in lineage["parents"]]
    if version["trained"]:
        words.append(f"job {lineage['job']} ({version['trained']['dataset']})")
    return ", ".join((*words, *lineage["datasets"])) or None


def _multisig(authority: Mapping[str, Any]) -> str:
    multisig = authority["Multisig"]
    return f"{multisig['threshold']} of {', '.join(multisig['signatories'])}"


def _move_text(move: JSON | None) -> str | None:
    if move is None:
        return None
    aim = "nothing" if move["version"] is None else f"version {move['version']}"
    when = "being scored" if move["due"] is None else f"in block {move['due']}"
    return f"to {aim}, {when}"


def _wants_to_move(model: JSON) -> list[JSON]:
    return [each for each in model["approvals"] if "MoveTo" in each["action"]]


def _approvals(model: JSON, channel: str) -> list[str]:
    wants: dict[str, int] = {}
    for each in model["approvals"]:
        ((kind, action),) = each["action"].items()
        if action.get("channel") == channel:
            aim = f"version {action['version']}" if kind == "MoveTo" else "cancel"
            wants[aim] = wants.get(aim, 0) + 1
    return [f"{count} for {aim}" for aim, count in wants.items()]
