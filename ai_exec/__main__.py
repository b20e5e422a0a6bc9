"""The shell's way in: `python -m ai_exec admit | explain | run | compare`."""

import json
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from hashlib import blake2b
from pathlib import Path
from zipfile import BadZipFile, ZipFile

import click
import numpy as np

import ai_exec
from ai_exec.admission.verdict import Admission
from ai_exec.axes import lengths_of
from ai_exec.chart import draw_deviations
from ai_exec.deviation import deviations, largest_by_operator
from ai_exec.explanation import rows_of, totals_of
from ai_exec.tensor import Tensor

EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)
TIMING_SECONDS = 0.3
"""Each engine runs at least this long, so that the best of many runs is a stable figure."""

BROKEN = (
    *(ValueError, TypeError, AttributeError, OSError, EOFError, RuntimeError, MemoryError),
    *(BadZipFile, zlib.error),
)
"""What reading an archive raises, whatever its bytes are."""

Tensors = Mapping[str, Tensor]


class Refused(click.ClickException):
    """The model or its inputs cannot be used.  The message lists every reason."""


def _lengths(
    context: click.Context, parameter: click.Parameter, given: tuple[str, ...]
) -> dict[str, int]:
    bounds = {}
    for text in given:
        axis, _, most = text.rpartition("=")
        if not axis or axis in bounds or not (most.isascii() and most.isdigit()):
            raise click.BadParameter(f"{text!r}: write each axis once, for instance batch=8")
        bounds[axis] = int(most)
    return bounds


bounded = click.option(
    "--bound",
    "bounds",
    metavar="AXIS=LENGTH",
    multiple=True,
    callback=_lengths,
    help="Greatest length of an axis that the model leaves open; repeat it for each.",
)


@click.group()
def main() -> None:
    """Judge and run ONNX models the way validators do: the same bits everywhere."""


@main.command()
@click.argument("model", type=EXISTING)
@bounded
def admit(model: Path, bounds: dict[str, int]) -> None:
    """Say whether validators would admit MODEL, at what cost, or every reason why not."""
    admission = _admit(model, bounds)
    click.echo(f"admitted: {admission.cost} gas, at most {admission.peak_bytes} bytes of memory")
    for title, declared in (("input", admission.inputs), ("output", admission.outputs)):
        for tensor in declared:
            click.echo(f"{title} {tensor}")


@main.command()
@click.argument("model", type=EXISTING)
@bounded
@click.option("--json", "as_json", is_flag=True, help="Print all of it as JSON.")
def explain(model: Path, bounds: dict[str, int], as_json: bool) -> None:
    """Show what a run of MODEL consists of: every node's types, gas, memory and kernel."""
    admission = _admit(model, bounds)
    assert admission.program is not None
    rows = rows_of(admission.program)
    totals = totals_of(rows)
    if as_json:
        found = {
            "gas": admission.cost,
            "peak_bytes": admission.peak_bytes,
            "nodes": [asdict(row) for row in rows],
            "operators": [asdict(total) for total in totals],
        }
        click.echo(json.dumps(found, indent=1))
        return
    click.echo(f"{admission.cost} gas, at most {admission.peak_bytes} bytes of memory\n")
    _echo_table(
        ("node", "operator", "version", "result", "gas", "share", "memory", "kernel"),
        [
            (
                *(str(row.node), row.operator, str(row.version)),
                *(", ".join(filter(None, row.outputs)), str(row.gas)),
                *(f"{row.share:.1%}", _short_bytes(row.memory_bytes), row.kernel),
            )
            for row in rows
        ],
    )
    click.echo()
    _echo_table(
        ("operator", "nodes", "gas", "share"),
        [(one.operator, str(one.nodes), str(one.gas), f"{one.share:.1%}") for one in totals],
    )


@main.command()
@click.argument("model", type=EXISTING)
@click.argument("inputs", type=EXISTING)
@click.argument("outputs", type=click.Path(dir_okay=False, path_type=Path))
@bounded
@click.option("--engine", type=click.Choice(["fast", "reference"]), default="fast")
def run(model: Path, inputs: Path, outputs: Path, bounds: dict[str, int], engine: str) -> None:
    """Run MODEL on the arrays of INPUTS (.npz by input name) and write OUTPUTS (.npz)."""
    given = _read_arrays(inputs)
    found = _executable(_admit(model, bounds), engine)(given)
    _write_arrays(outputs, found)
    for name, tensor in found.items():
        click.echo(f"{name} {tensor.dtype}{list(tensor.shape)} {_digest(tensor)}")


@main.command()
@click.argument("model", type=EXISTING)
@click.argument("inputs", type=EXISTING)
@bounded
@click.option(
    "--png",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Draw there, node by node, where onnxruntime deviates.",
)
def compare(model: Path, inputs: Path, bounds: dict[str, int], png: Path | None) -> None:
    """Run MODEL by the reference, the fast engine and plain onnxruntime, side by side.

    The table at the end tells for each operator at which node onnxruntime deviates most: of the
    node alone on exact inputs, and in its own run so far; relative to the result's scale.
    """
    given = _read_arrays(inputs)
    admission = _admit(model, bounds)
    engines = {
        "reference": _executable(admission, "reference"),
        "fast": _executable(admission, "fast"),
        "onnxruntime": _plain_onnxruntime(model.read_bytes()),
    }
    found = {engine: execute(given) for engine, execute in engines.items()}
    seconds = {engine: best_seconds(partial(execute, given)) for engine, execute in engines.items()}
    exact = found["reference"]
    for name in exact:
        for engine, outputs in found.items():
            click.echo(f"{name:20} {engine:12} {_difference(exact[name], outputs[name])}")
    for engine, taken in seconds.items():
        ratio = taken / seconds["onnxruntime"]
        click.echo(f"time {engine:12} {taken * 1e6:12.1f} us {ratio:8.2f} x onnxruntime")
    _echo_deviations(model, admission, given, png)
    if any(_digest(exact[name]) != _digest(found["fast"][name]) for name in exact):
        raise Refused("the fast engine's bits differ from the reference's: please report this")


def _echo_deviations(model: Path, admission: Admission, given: Tensors, png: Path | None) -> None:
    assert admission.program is not None
    program = admission.program
    if program.specialise is not None:
        shapes = {name: tensor.shape for name, tensor in given.items()}
        program = program.specialise(lengths_of(program.inputs, shapes))
    found = deviations(model.read_bytes(), program, given)
    click.echo()
    _echo_table(
        ("operator", "nodes", "most at", "alone", "so far", "tensor"),
        [
            (
                *(operator, str(nodes), str(worst.node)),
                *(_short_share(worst.own), _short_share(worst.so_far), worst.output),
            )
            for operator, nodes, worst in largest_by_operator(found)
        ],
    )
    if png is not None:
        try:
            draw_deviations(found, model.name).save(png, format="PNG")
        except OSError as error:
            raise Refused(f"cannot write {png}: {error}") from error


def _echo_table(titles: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Write columns as wide as they must be; numbers to the right."""
    widths = [max(map(len, column)) for column in zip(titles, *rows, strict=True)]
    for row in (titles, *rows):
        cells = [
            cell.rjust(width) if cell[:1].isdigit() else cell.ljust(width)
            for cell, width in zip(row, widths, strict=True)
        ]
        click.echo("  ".join(cells).rstrip())


def _short_bytes(count: int) -> str:
    if count < 10_000:
        return f"{count} B"
    return f"{count / 1e3:.0f} kB" if count < 10_000_000 else f"{count / 1e6:.0f} MB"


def _short_share(share: float | None) -> str:
    return "-" if share is None else f"{share:.2g}"


def best_seconds(execute: Callable[[], object]) -> float:
    """Return the least wall time of one call among many, in seconds."""
    best = float("inf")
    start = time.perf_counter()
    while (begun := time.perf_counter()) - start < TIMING_SECONDS:
        execute()
        best = min(best, time.perf_counter() - begun)
    return best


def _admit(model: Path, bounds: dict[str, int]) -> Admission:
    admission = ai_exec.admit(model.read_bytes(), bounds=bounds)
    if not admission.admitted:
        raise Refused("\n".join([f"{model} is not admitted", *admission.reasons]))
    return admission


def _executable(admission: Admission, engine: str) -> Callable[[Tensors], Tensors]:
    assert admission.program is not None
    executable = ai_exec.compile(admission.program, engine=engine)

    def execute(inputs: Tensors) -> Tensors:
        try:
            return executable.run(inputs)
        except ai_exec.Trap as trap:
            raise Refused(str(trap)) from trap

    return execute


def _plain_onnxruntime(model: bytes) -> Callable[[Tensors], Tensors]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(model, options)
    except Exception as error:
        # A border: this library's errors have no common class.
        raise Refused(f"onnxruntime cannot load the model: {error}") from error
    names = [output.name for output in session.get_outputs()]

    def execute(inputs: Tensors) -> Tensors:
        return dict(zip(names, session.run(names, dict(inputs)), strict=True))

    return execute


def _read_arrays(path: Path) -> Tensors:
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except BROKEN as error:
        raise Refused(f"{path} is no .npz of plain arrays: {error}") from error


def _write_arrays(path: Path, tensors: Tensors) -> None:
    """Write an archive as `np.savez` does, whatever the tensors are called."""
    try:
        with ZipFile(path, "w") as archive:
            for name, tensor in tensors.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                    np.lib.format.write_array(entry, np.asarray(tensor), allow_pickle=False)
    except OSError as error:
        raise Refused(f"cannot write {path}: {error}") from error


def _digest(tensor: Tensor) -> str:
    return blake2b(np.ascontiguousarray(tensor).tobytes(), digest_size=8).hexdigest()


def _difference(exact: Tensor, other: Tensor) -> str:
    if exact.shape != other.shape or exact.dtype != other.dtype:
        return f"{other.dtype}{list(other.shape)} instead of {exact.dtype}{list(exact.shape)}"
    if _digest(exact) == _digest(other):
        return f"{_digest(other)} same bits"
    if exact.dtype.kind != "f":
        return f"{_digest(other)} {np.count_nonzero(exact != other)} elements differ"
    error = np.abs(exact.astype(np.float64) - other.astype(np.float64))
    return f"{_digest(other)} largest error {np.nanmax(error):.3g}"


if __name__ == "__main__":
    main(prog_name="python -m ai_exec")
