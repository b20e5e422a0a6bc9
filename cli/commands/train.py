"""Training: the chain itself trains a network on a snapshot."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click

from cli.border import REFUSED, Failed, Group, LocalCommand
from cli.contents import after, fetch_content, publish_content
from cli.context import CliContext, pass_context
from cli.parameters import AMOUNT, BOUND, SHAPE
from cli.sending import Sending, event_fields, send, sending_options

FILES: Final = {"step": "step.onnx", "predict": "predict.onnx", "parameters": "parameters.tensors"}
KIND_OF: Final = {"step": "model", "predict": "model", "parameters": "parameters"}
OPEN: Final = ("Waiting", "Admitted")
JUDGED_AT_ONCE: Final = ("rows", 256)
"""Bound of the batch axis of predict graphs that `train build` writes, unless another is given."""

_POLL_S: Final = 0.5
_PATIENCE_S: Final = 3600.0


@click.group(cls=Group)
def train() -> None:
    """Train networks on the chain."""


@train.command("build", cls=LocalCommand)
@click.argument("architecture", type=click.Choice(["linear", "mlp", "cnn"]))
@click.option("--inputs", type=SHAPE, required=True, help="Shape of a row: 64, or 8x8.")
@click.option("--classes", type=click.IntRange(1), required=True, help="Different labels.")
@click.option(
    "--hidden", type=SHAPE, default="32", show_default=True, help="Widths of hidden layers."
)
@click.option(
    "--optimizer",
    type=click.Choice(["sgd", "momentum", "adam"]),
    default="adam",
    show_default=True,
    help="How parameters move.",
)
@click.option("--rate", type=float, default=0.01, show_default=True, help="How far they move.")
@click.option(
    "--batch", type=click.IntRange(1), default=32, show_default=True, help="Rows of a step."
)
@click.option(
    "--element",
    type=click.Choice(["uint8", "float32"]),
    default="uint8",
    show_default=True,
    help="Of the rows.",
)
@click.option(
    "--scale", type=float, default=255.0, show_default=True, help="Features are divided by it."
)
@click.option("--seed", type=click.IntRange(0, 2**64 - 1), default=0, help="Of the parameters.")
@click.option("--out", "-o", type=click.Path(path_type=Path), required=True, help="New folder.")
@pass_context
def build_files(
    context: CliContext,
    architecture: str,
    inputs: tuple[int, ...],
    classes: int,
    hidden: tuple[int, ...],
    optimizer: str,
    rate: float,
    batch: int,
    element: str,
    scale: float,
    seed: int,
    out: Path,
) -> None:
    """Write the programs of a network: a step, a prediction, and parameters to begin with.

    \b
    Examples:
      noema train build mlp --inputs 64 --hidden 32 --classes 10 --scale 16 --out digits
      noema train build cnn --inputs 8x8 --hidden 8 --classes 10 --scale 16 --out digits
    """
    from cli.training import Plan, build
    from cli.training.build import Unbuildable

    plan = Plan(
        *(architecture, inputs, classes, hidden, optimizer, rate, batch),
        element={"float32": 1, "uint8": 2}[element],
        scale=scale,
        seed=seed,
    )
    try:
        built = build(plan)
    except Unbuildable as error:
        raise click.UsageError(str(error)) from error
    shown: dict[str, Any] = {}
    out.mkdir(parents=True, exist_ok=True)
    for name, file in FILES.items():
        content: bytes = getattr(built, name)
        (out / file).write_bytes(content)
        shown[name] = {"file": str(out / file), "length": len(content)}
    context.show({**shown, "step_gas": _gas_of(built.step)})


@train.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option("--snapshot", type=click.IntRange(0), required=True, help="Rows to train on.")
@click.option("--evaluation", type=click.IntRange(0), help="Snapshot to measure the model on.")
@click.option("--steps", type=click.IntRange(1), required=True, help="Batches to learn from.")
@click.option("--budget", type=AMOUNT, required=True, help="What the steps may cost.")
@click.option("--bound", "bounds", type=BOUND, multiple=True, help="Of the predict graph.")
@click.option("--follow", is_flag=True, help="Wait until the training has ended.")
@sending_options()
@pass_context
def start(
    context: CliContext,
    folder: Path,
    snapshot: int,
    evaluation: int | None,
    steps: int,
    budget: int,
    bounds: tuple[tuple[str, int], ...],
    follow: bool,
    sending: Sending,
) -> None:
    """Bring the programs in FOLDER onto the chain and train them on a snapshot.

    The budget is set aside and pays each step as it is taken; what is left comes back.

    Example: noema train start digits --snapshot 0 --steps 700 --budget 2NOE --from //Alice
    """
    roots: dict[str, str] = {}
    for name, file in FILES.items():
        put = publish_content(context, sending, (folder / file).read_bytes(), KIND_OF[name])
        if sending.estimate:
            context.show(put)
            return
        sending, roots[name] = after(sending, put), put["root"]
    given = sorted(dict(bounds or (JUDGED_AT_ONCE,)).items(), key=lambda each: each[0].encode())
    arguments = {
        **roots,
        "bounds": [{"axis": axis, "most": most} for axis, most in given],
        "snapshot": snapshot,
        "evaluation": evaluation,
        "steps": steps,
        "budget": budget,
    }
    outcome = send(context, sending, "Training.start", arguments)
    started = event_fields(outcome, "Training.Started") if "events" in outcome else None
    shown = {**({"job": started["job"]} if started else {}), **outcome}
    if follow and started:
        shown |= _summary(_follow(context, int(started["job"])))
    context.show(shown)


@train.command()
@click.argument("job", type=click.IntRange(0))
@click.option("--follow", is_flag=True, help="Wait until the training has ended.")
@pass_context
def show(context: CliContext, job: int, follow: bool) -> None:
    """Show how far JOB is, what it cost, and how its loss went.

    Example: noema train show 0 --follow
    """
    found = _follow(context, job) if follow else context.client.request("ai_job", [job])
    if context.as_json:
        context.show(found)
        return
    from cli.training.chart import chart

    context.show({name: value for name, value in found.items() if name != "curve"})
    for line in chart([(point["step"], point["loss"]) for point in found["curve"]]):
        click.echo(line)


@train.command("list")
@click.option("--first", type=click.IntRange(0), default=0, help="Number of the first one.")
@click.option("--count", type=click.IntRange(1, 1000), default=100, help="At most so many.")
@pass_context
def list_jobs(context: CliContext, first: int, count: int) -> None:
    """List trainings, the oldest first.

    Example: noema train list
    """
    found = context.client.request("ai_jobs", [first, count])
    context.show([_summary(each) for each in found])


@train.command()
@click.argument("job", type=click.IntRange(0))
@sending_options()
@pass_context
def cancel(context: CliContext, job: int, sending: Sending) -> None:
    """End JOB of the sender; what is left of its budget comes back.

    Example: noema train cancel 0 --from //Alice
    """
    context.show(send(context, sending, "Training.cancel", {"job": job}))


@train.command()
@click.argument("job", type=click.IntRange(0))
@click.option("--output", "-o", type=click.Path(path_type=Path), required=True, help="ONNX file.")
@pass_context
def fetch(context: CliContext, job: int, output: Path) -> None:
    """Save the model that JOB made as an ONNX file that anybody can run.

    Example: noema train fetch 0 -o digits.onnx
    """
    root = _finished(context, job)["model"]
    content = fetch_content(context, root)
    output.write_bytes(content)
    context.show({"job": job, "root": root, "length": len(content), "file": str(output)})


@train.command()
@click.argument("job", type=click.IntRange(0))
@pass_context
def replay(context: CliContext, job: int) -> None:
    """Compute every step of JOB anew on this machine and compare the model with the chain's.

    Programs, parameters and rows come from the node, each checked against its root.

    Example: noema train replay 0
    """
    from ai_exec.backend import InProcess
    from cli.training.replay import replay as compute
    from cli.training.replay import root_text, training_of
    from runtime.execution import BackendExecutor

    found = _finished(context, job)
    snapshot = context.client.request("ai_snapshot", [found["snapshot"]])
    dataset = context.client.request("ai_dataset", [snapshot["dataset"]])
    names = [found[name] for name in FILES] + [part["blob"] for part in snapshot["parts"]]
    contents = {
        bytes.fromhex(name[2:]): fetch_content(context, name) for name in dict.fromkeys(names)
    }
    executor = BackendExecutor(InProcess(), contents.__getitem__)
    with context.progress("replaying") as update:
        model = compute(training_of(found, snapshot, dataset), executor, update)
    shown = {"job": job, "steps": found["steps"], "chain": found["model"], "here": root_text(model)}
    if shown["chain"] != shown["here"]:
        detail = f"{shown['chain']} on the chain, {shown['here']} here"
        raise Failed(REFUSED, "Another model", "Compare this release with the chain's.", detail)
    context.show({**shown, "same": True})


def _follow(context: CliContext, job: int) -> dict[str, Any]:
    """Wait until a training has ended."""
    with context.progress(f"training {job}") as update:
        for _ in context.looks(_PATIENCE_S, _POLL_S):
            found: dict[str, Any] = context.client.request("ai_job", [job])
            update(found["done"], found["steps"])
            if found["status"] not in OPEN:
                return found
    raise click.ClickException(f"not ended yet; ask again with `noema train show {job}`")


def _finished(context: CliContext, job: int) -> dict[str, Any]:
    found: dict[str, Any] = context.client.request("ai_job", [job])
    if found["model"] is None:
        reasons = "\n  ".join(found["reasons"])
        advice = "Only a finished training has a model."
        raise Failed(REFUSED, f"Training {job} is {found['status'].lower()}", advice, reasons)
    return found


def _summary(found: Mapping[str, Any]) -> dict[str, Any]:
    names = ("number", "status", "snapshot", "done", "steps", "loss", "paid", "model", "reasons")
    return {name: found[name] for name in names}


def _gas_of(step: bytes) -> int:
    import ai_exec

    return ai_exec.admit(step).cost
