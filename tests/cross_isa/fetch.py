"""What other processors need: an emulator and a small Debian from Debian, wheels from PyPI.

Everything goes below `.cross-isa/`; what is there is not fetched again.  Debian's packages come
through apt with settings of its own, from the mirror that this machine's apt uses, signatures
checked; nothing is installed and the machine's own apt is not touched.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[2]
HOME = ROOT / ".cross-isa"
OTHER_ONNXRUNTIME = "1.24.4"
"""A release that is older than the pinned one."""
EMULATOR = HOME / "qemu"
SYSROOT = HOME / "sysroot"
ARM_WHEELS = HOME / "aarch64"
OTHER = HOME / "onnxruntime-other"
OTHER_ARM = HOME / "aarch64-onnxruntime-other"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
SYSROOT_PACKAGES = (
    "libc6",
    "libgcc-s1",
    "libstdc++6",
    "python3.11",
    "python3.11-minimal",
    "libpython3.11-minimal",
    "libpython3.11-stdlib",
    "zlib1g",
    "libexpat1",
    "libssl3",
    "libbz2-1.0",
    "liblzma5",
    "libffi8",
    "libuuid1",
    "libtinfo6",
    "libncursesw6",
    "libreadline8",
    "libsqlite3-0",
    "libdb5.3",
    "media-types",
)
ARM_TAGS = ("manylinux_2_28_aarch64", "manylinux_2_27_aarch64", "manylinux2014_aarch64")
WHEELS = ("numpy", "ml-dtypes", "numba", "llvmlite", "onnxruntime")


class NotFetched(Exception):
    """Something cannot be fetched.  The message says what, and what the tool said."""


@dataclass(frozen=True)
class Suite:
    """A release of Debian for a processor."""

    name: str
    architecture: str

    @property
    def folder(self) -> Path:
        """Where apt keeps its lists and packages."""
        return HOME / "apt" / f"{self.name}-{self.architecture}"


TRIXIE = Suite("trixie", "amd64")
BOOKWORM_ARM = Suite("bookworm", "arm64")


def fetch() -> None:
    """Fetch all that is missing; raises NotFetched."""
    _once(EMULATOR, _fetch_emulator)
    _once(SYSROOT, _fetch_sysroot)
    _once(ARM_WHEELS, lambda folder: _fetch_wheels(folder, _pinned(), ARM_TAGS))
    other = (f"onnxruntime=={OTHER_ONNXRUNTIME}",)
    _once(OTHER, lambda folder: _fetch_wheels(folder, other, ()))
    _once(OTHER_ARM, lambda folder: _fetch_wheels(folder, other, ARM_TAGS))


def _once(folder: Path, make: Callable[[Path], None]) -> None:
    """Make a folder that is either whole or not there."""
    if folder.exists():
        return
    print(f"fetching {folder.relative_to(ROOT)}", flush=True)
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    make(partial)
    partial.rename(folder)


def _fetch_emulator(folder: Path) -> None:
    with TemporaryDirectory() as whole:
        _unpack(TRIXIE, ("qemu-user",), Path(whole))
        for name in ("qemu-x86_64", "qemu-aarch64"):
            shutil.copy2(Path(whole) / "usr/bin" / name, folder)


def _fetch_sysroot(folder: Path) -> None:
    _unpack(BOOKWORM_ARM, SYSROOT_PACKAGES, folder)


def _pinned() -> tuple[str, ...]:
    return tuple(f"{name}=={version(name)}" for name in WHEELS)


def _fetch_wheels(folder: Path, wheels: Sequence[str], tags: Sequence[str]) -> None:
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    only = ("--no-deps", "--only-binary=:all:", "--target", str(folder))
    foreign = (*(f"--platform={tag}" for tag in tags), *(["--python-version=3.11"] * bool(tags)))
    what = f"wheels {', '.join(wheels)} for {tags[0] if tags else 'this machine'}"
    _run((*pip, *only, *foreign, *wheels), what)


def _unpack(suite: Suite, packages: Sequence[str], folder: Path) -> None:
    configuration = _apt(suite)
    archives = suite.folder / "packages"
    archives.mkdir(exist_ok=True)
    what = f"{', '.join(packages)} of Debian {suite.name} for {suite.architecture}"
    apt = ["apt-get", "-q", "-c", str(configuration)]
    _run([*apt, "update"], f"the list of packages of Debian {suite.name}")
    _run([*apt, "download", *packages], what, folder=archives)
    for archive in sorted(archives.glob("*.deb")):
        _run(["dpkg-deb", "-x", str(archive), str(folder)], what)


def _apt(suite: Suite) -> Path:
    """Write settings under which apt touches nothing outside the folder."""
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise NotFetched("apt-get and dpkg-deb are needed: run this on Debian or Ubuntu")
    if not KEYRING.exists():
        raise NotFetched(f"{KEYRING} is missing: install debian-archive-keyring")
    home = suite.folder
    for name in ("lists/partial", "archives/partial", "etc"):
        (home / name).mkdir(parents=True, exist_ok=True)
    (home / "status").touch()
    (home / "sources.list").write_text(
        f"deb [signed-by={KEYRING} arch={suite.architecture}] {_mirror()} {suite.name} main\n"
    )
    configuration = home / "apt.conf"
    configuration.write_text(
        f'Dir::State::lists "{home}/lists";\n'
        f'Dir::State::status "{home}/status";\n'
        f'Dir::Cache "{home}";\n'
        f'Dir::Etc::sourcelist "{home}/sources.list";\n'
        f'Dir::Etc::sourceparts "{home}/etc";\n'
        f'APT::Architecture "{suite.architecture}";\n'
        f'APT::Architectures "{suite.architecture}";\n'
        'Acquire::Languages "none";\n'
        f'APT::Sandbox::User "{os.environ.get("USER", "root")}";\n'
    )
    return configuration


def _mirror() -> str:
    """Give the mirror of Debian that this machine uses."""
    folder = Path("/etc/apt")
    sources = [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*"))]
    for source in sources:
        if source.is_file():
            found = re.search(r"^[^#]*?(\S+://\S+/debian)/?\s", source.read_text() + "\n", re.M)
            if found:
                return found[1]
    raise NotFetched("apt on this machine names no mirror of Debian in /etc/apt")


def _run(command: Sequence[str], what: str, folder: Path | None = None) -> None:
    answer = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if answer.returncode:
        told = "\n".join((answer.stdout + answer.stderr).splitlines()[-8:])
        raise NotFetched(
            f"cannot fetch {what}.  Is this machine online?  What is there already stays; "
            f"run this again.\n{told}"
        )
