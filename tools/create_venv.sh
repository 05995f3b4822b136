#!/bin/sh
# create_venv.sh FOLDER: an empty virtual environment with uv at hand.
# Uses $PYTHON, or the first Python 3.11 or newer it finds; uv from PATH, or else from pip.
set -eu

folder=$1

fail() {
    echo "create_venv.sh: $*" >&2
    exit 1
}

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

if [ -n "${PYTHON:-}" ]; then
    is_new_enough "$PYTHON" || fail "PYTHON=$PYTHON is not a Python 3.11 or newer that runs."
    python=$PYTHON
else
    python=
    for candidate in python3.11 python3.12 python3.13 python3; do
        if is_new_enough "$candidate"; then
            python=$candidate
            break
        fi
    done
    [ -n "$python" ] || fail "found no Python 3.11 or newer (tried python3.11, python3.12, python3.13" \
        "and python3). Install one, or name one: make PYTHON=/path/to/python3"
fi

if uv --version >/dev/null 2>&1; then
    exec uv venv --quiet --clear --python "$("$python" -c 'import sys; print(sys.executable)')" "$folder"
fi

"$python" -c 'import ensurepip, venv' 2>/dev/null || fail "$python comes without venv and ensurepip," \
    "and uv is not on PATH. Install either one (Debian and Ubuntu: apt-get install python3-venv)."
"$python" -m venv --clear "$folder"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check \
    --constraint constraints.txt uv
