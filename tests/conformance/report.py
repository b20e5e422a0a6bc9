"""Tables of verdicts: by kind, by reason, by operator."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

import onnx

from ai_exec.tensor import DTYPE_NUMBERS
from tests.conformance.cases import KINDS, Case, element_types, operators_of
from tests.conformance.judge import Verdict

WORDS = ("passed", "refused", "wrong", "crashed")


def is_supported_by_type(case: Case) -> bool:
    """Tell whether all element types that a case's model speaks of are supported."""
    return element_types(onnx.load_from_string(case.model)) <= set(DTYPE_NUMBERS) | {"undefined"}


def totals(cases: Sequence[Case], verdicts: Mapping[str, Verdict]) -> str:
    """Give the table of kinds."""
    lines = [f"{'kind':20}{'cases':>8}" + "".join(f"{word:>9}" for word in WORDS)]
    rows = [(kind, [case for case in cases if case.kind == kind]) for kind in KINDS]
    rows += [
        ("all but light", [case for case in cases if case.kind != "light"]),
        ("of supported types", [case for case in cases if is_supported_by_type(case)]),
    ]
    for title, chosen in rows:
        if chosen:
            words = Counter(verdicts[case.key].word for case in chosen)
            counts = "".join(f"{words[word]:9}" for word in WORDS)
            share = f"{100 * words['passed'] / len(chosen):7.1f} % passed"
            lines.append(f"{title:20}{len(chosen):8}{counts}{share}")
    return "\n".join(lines)


def family(reason: str) -> str:
    """Give what reasons of one kind have in common."""
    first = reason.split(" | ")[0]
    operator = re.match(r"node \d+ \((\w+)\): the operator is not supported", first)
    if operator:
        return f"the operator is not supported: {operator[1]}"
    first = re.sub(r"^(node|input|output|initialiser) \d+ \(.*?\)", r"\1", first)
    first = re.sub(r"\b(u?int|b?float|bool)\w*\[[^\]]*\]", "T", first)
    return re.sub(r"\d+(, \d+)*", "n", first)[:110]


def by_reason(verdicts: Mapping[str, Verdict], word: str) -> str:
    """Give the table of reasons of one word, the most frequent first."""
    families = Counter(family(v.reason) for v in verdicts.values() if v.word == word)
    return "\n".join(f"{count:6}  {name}" for name, count in families.most_common())


def by_operator(cases: Sequence[Case], verdicts: Mapping[str, Verdict]) -> str:
    """List what did not pass, by operator."""
    found: dict[str, list[str]] = {}
    for case in cases:
        verdict = verdicts[case.key]
        if verdict.word == "passed":
            continue
        named = re.match(r"node \d+ \((\w+)\)", verdict.reason)
        operators = operators_of(onnx.load_from_string(case.model))
        operator = named[1] if named else "+".join(operators[:3])
        types = "" if is_supported_by_type(case) else " [types]"
        line = f"  {verdict.word:8}{case.key}{types}: {verdict.reason[:200]}"
        found.setdefault(operator, []).append(line)
    lines = []
    for operator in sorted(found):
        lines += [f"{operator} ({len(found[operator])})", *found[operator]]
    return "\n".join(lines)
