"""Run the same programs on many processors, emulated ones too: one hash for each, everywhere."""

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.cross_isa import fetch
from tests.cross_isa.programs import write_programs

PROGRAMS = fetch.HOME / "programs"
LOGS = fetch.HOME / "logs"
RECORD = Path(__file__).with_name("hashes.txt")
PROGRAM = Path(__file__).with_name("machine.py")


@dataclass(frozen=True)
class Machine:
    """A processor, and what runs on it."""

    name: str
    processor: str
    """Compiled passes are kept for each, the way that its own machine would keep them."""
    command: tuple[str, ...] = (sys.executable,)
    paths: tuple[Path, ...] = ()
    """Folders of packages that come before the environment's own."""
    threads: int = 1

    def run(self, names: Sequence[str]) -> Mapping[str, str]:
        """Give the hash of every program that came to its end."""
        start = time.monotonic()
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(str, (*self.paths, fetch.ROOT))),
            "NUMBA_CACHE_DIR": str(fetch.HOME / "passes" / self.processor),
            "OPENBLAS_NUM_THREADS": str(self.threads),
            "OMP_NUM_THREADS": str(self.threads),
        }
        command = [*self.command, str(PROGRAM), str(PROGRAMS), *names]
        log = LOGS / f"{self.name}.txt"
        with log.open("w") as written:
            code = subprocess.run(
                command, env=environment, stdout=written, stderr=written, check=False
            ).returncode
        lines = [line.split(" ", 2) for line in log.read_text().splitlines()]
        found = {line[0]: line[2] for line in lines if len(line) == 3 and line[0] in set(names)}
        told = f"{len(found)} of {len(names)} programs, {time.monotonic() - start:.0f} s"
        print(f"{self.name:28} {told}" + f", ended with {code}: see {log}" * bool(code), flush=True)
        return found


def machines() -> tuple[Machine, ...]:
    """Give all that is tried; the first one is this machine."""
    intel = str(fetch.EMULATOR / "qemu-x86_64")
    nehalem = (intel, "-cpu", "Nehalem", sys.executable)
    haswell = (intel, "-cpu", "Haswell-noTSX", sys.executable)
    arm = (
        *(str(fetch.EMULATOR / "qemu-aarch64"), "-L", str(fetch.SYSROOT)),
        str(fetch.SYSROOT / "usr/bin/python3.11"),
    )
    other = f"onnxruntime-{fetch.OTHER_ONNXRUNTIME}"
    wheels = (fetch.ARM_WHEELS,)
    return (
        Machine("native", "native"),
        Machine("native-2-threads", "native", threads=2),
        Machine(f"native-{other}", "native", paths=(fetch.OTHER,)),
        Machine("nehalem", "nehalem", nehalem),
        Machine("nehalem-2-threads", "nehalem", nehalem, threads=2),
        Machine(f"nehalem-{other}", "nehalem", nehalem, (fetch.OTHER,)),
        Machine("haswell", "haswell", haswell),
        Machine("haswell-2-threads", "haswell", haswell, threads=2),
        Machine(f"haswell-{other}", "haswell", haswell, (fetch.OTHER,)),
        Machine("aarch64", "aarch64", arm, wheels),
        Machine("aarch64-2-threads", "aarch64", arm, wheels, threads=2),
        Machine(f"aarch64-{other}", "aarch64", arm, (fetch.OTHER_ARM, *wheels)),
    )


def main() -> None:
    """Fetch what is missing, write the programs, run them everywhere, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="machines whose name contains this, and native")
    parser.add_argument("--programs", default="", help="programs whose name contains this")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--record", action="store_true", help=f"write {RECORD.name}")
    options = parser.parse_args()
    try:
        fetch.fetch()
    except fetch.NotFetched as error:
        sys.exit(f"error: {error}")
    shutil.rmtree(PROGRAMS, ignore_errors=True)
    write_programs(PROGRAMS)
    LOGS.mkdir(exist_ok=True)
    names = sorted(path.stem for path in PROGRAMS.glob("*.onnx") if options.programs in path.stem)
    native, *others = (
        machine
        for machine in machines()
        if machine.name == "native" or options.only in machine.name
    )
    expected = native.run(names)
    with ThreadPoolExecutor(options.processes) as pool:
        found = dict(zip(others, pool.map(lambda machine: machine.run(names), others), strict=True))
    if options.record:
        RECORD.write_text("".join(f"{name} {expected[name]}\n" for name in sorted(expected)))
    sys.exit(0 if _agree(names, expected, found) else 1)


def _agree(
    names: Sequence[str],
    expected: Mapping[str, str],
    found: Mapping[Machine, Mapping[str, str]],
) -> bool:
    problems = [
        f"{name}: {machine.name} gives {hashes.get(name, 'nothing')}, native {expected.get(name)}"
        for machine, hashes in found.items()
        for name in names
        if hashes.get(name) != expected.get(name)
    ]
    problems += [
        f"{name}: not one hash on this machine: {expected.get(name)}"
        for name in names
        if " " in expected.get(name, " ")
    ]
    recorded = read_record()
    problems += [
        f"{name}: recorded is {recorded.get(name)}, this machine gives {expected.get(name)}"
        for name in names
        if recorded.get(name) != expected.get(name)
    ]
    print("\n".join(problems))
    whole = blake2b("\n".join(f"{n} {expected.get(n)}" for n in names).encode(), digest_size=16)
    print(
        f"{len(names)} programs on {len(found) + 1} machines, {len(problems)} problems, "
        f"hash of all {whole.hexdigest()}"
    )
    return not problems


def read_record() -> dict[str, str]:
    """Give the hash of every program as it was recorded."""
    return dict(line.split(" ", 1) for line in RECORD.read_text().splitlines())


if __name__ == "__main__":
    main()
