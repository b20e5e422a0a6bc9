#!/bin/sh
# Makes .venv/ with the pinned dependencies and the project in it.  What the system lacks is installed
# where that is possible (root on Debian or Ubuntu); elsewhere the exact command is printed first.
set -eu

PYTHON="${PYTHON:-python3}"

say() { printf '%s\n' "$*" >&2; }

find_python() {
    for candidate in "$PYTHON" python3.12 python3.11 python3; do
        if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' 2>/dev/null; then
            printf '%s' "$candidate"
            return
        fi
    done
    say "Noema needs Python 3.11 or 3.12 (plyvel has wheels for these).  Install one, or name it: make setup PYTHON=/path/to/python3.12"
    exit 1
}

# fastecdsa, which libp2p pins, is compiled: a C compiler, Python's headers and GMP's headers.
can_compile() {
    command -v gcc >/dev/null 2>&1 || command -v cc >/dev/null 2>&1 || return 1
    headers=$("$1" -c 'import sysconfig; print(sysconfig.get_paths()["include"])')
    probe=$(mktemp -d)
    printf '#include <Python.h>\n#include <gmp.h>\nint main(void) { return 0; }\n' >"$probe/probe.c"
    status=0
    ${CC:-cc} ${CFLAGS:-} -I"$headers" -c "$probe/probe.c" -o "$probe/probe.o" 2>/dev/null || status=1
    rm -rf "$probe"
    return $status
}

can_make_environment() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }

install_system_packages() {
    version=$("$1" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
    if command -v apt-get >/dev/null 2>&1; then
        packages="gcc libc6-dev libgmp-dev"
        # A Python that Debian did not package brings its own headers and venv.
        case "$("$1" -c 'import sys; print(sys.base_prefix)')" in /usr) packages="$packages ${version}-dev ${version}-venv" ;; esac
        command="apt-get update && apt-get install -y --no-install-recommends $packages"
        if [ "$(id -u)" = 0 ]; then
            say "Installing what compiling needs: $packages"
            sh -c "DEBIAN_FRONTEND=noninteractive; export DEBIAN_FRONTEND; $command" >/dev/null && return
        fi
        say "Missing: a C compiler, Python's headers or GMP's headers.  Run this once, then try again:"
        say "    sudo sh -c '$command'"
    elif [ "$(uname -s)" = Darwin ]; then
        say "Missing: a C compiler or the GMP and LevelDB headers.  Run this once, then try again:"
        say "    xcode-select --install; brew install gmp leveldb"
        say "    export CFLAGS=\"-I\$(brew --prefix)/include\" LDFLAGS=\"-L\$(brew --prefix)/lib\""
    else
        say "Missing: a C compiler, the headers of $version or of GMP (gmp.h).  Install them with your package manager."
    fi
    exit 1
}

python=$(find_python)
if ! can_compile "$python" || ! can_make_environment "$python"; then
    install_system_packages "$python"
fi
if [ ! -x .venv/bin/python ]; then
    say "Making .venv with $($python --version)"
    rm -rf .venv
    "$python" -m venv .venv
fi
say "Installing the pinned dependencies (a minute or two the first time)"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
say "Compiling the passes of the exact engine (half a minute the first time)"
.venv/bin/python -m ai_exec.fast.prepare
