"""The table of supported operators in the readme, written from the registry."""

from ai_exec import ops
from ai_exec.admission.nodes import OPSETS
from ai_exec.registry import all_operators

assert ops.__all__


def supported_table() -> str:
    """Give the operators with their versions and what their newest kernel says, as Markdown."""
    versions: dict[tuple[str, str], list[int]] = {}
    formulas: dict[tuple[str, str], str] = {}
    for operator in all_operators():
        key = (operator.domain, operator.name)
        versions.setdefault(key, []).append(operator.since)
        if not formulas.get(key) or not operator.kernel_summary.startswith("As later"):
            formulas[key] = operator.kernel_summary
    lines = ["| operator | versions | result |", "|---|---|---|"]
    for key in sorted(versions):
        name = f"{key[0]}.{key[1]}" if key[0] else key[1]
        # The bar is the mark between columns.
        formula = formulas[key].replace("|", "\\|")
        lines.append(f"| {name} | {', '.join(map(str, versions[key]))} | {formula} |")
    return "\n".join(lines)


def supported_opsets() -> str:
    """Give the operator sets that a model may import, in words."""
    return ", ".join(
        f"{domain or 'ai.onnx'} {versions[0]} to {versions[-1]}"
        for domain, versions in OPSETS.items()
    )
