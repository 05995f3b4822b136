"""What `make setup` says on machines that lack something."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOO_OLD = "exit 1"
NO_ENSUREPIP = 'case "$2" in *ensurepip*) exit 1;; esac; exit 0'


def _programs(tmp_path: Path, scripts: dict[str, str]) -> Path:
    """A folder of shell scripts, to be all that PATH holds."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, script in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    return folder


def _run(script: str, argument: Path, environment: dict[str, str]) -> tuple[int, str]:
    done = subprocess.run(
        ["/bin/sh", ROOT / "tools" / script, argument],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


def _create(tmp_path: Path, programs: dict[str, str], python: str = "") -> tuple[int, str]:
    folder = _programs(tmp_path, programs)
    environment = {"PATH": str(folder), "PYTHON": python}
    return _run("create_venv.sh", tmp_path / "venv", environment)


@pytest.mark.parametrize("programs", [{}, {"python3": TOO_OLD, "python3.12": TOO_OLD}])
def test_no_new_enough_python_is_found(tmp_path: Path, programs: dict[str, str]) -> None:
    message = (
        "create_venv.sh: found no Python 3.11 or newer (tried python3.11, python3.12, python3.13 "
        "and python3). Install one, or name one: make PYTHON=/path/to/python3\n"
    )
    assert _create(tmp_path, programs) == (1, message)


def test_named_python_is_too_old(tmp_path: Path) -> None:
    programs = {"python3": NO_ENSUREPIP, "old": TOO_OLD}
    message = "create_venv.sh: PYTHON=old is not a Python 3.11 or newer that runs.\n"
    assert _create(tmp_path, programs, python="old") == (1, message)


def test_python_without_ensurepip_and_no_uv(tmp_path: Path) -> None:
    message = (
        "create_venv.sh: python3.12 comes without venv and ensurepip, and uv is not on PATH. "
        "Install either one (Debian and Ubuntu: apt-get install python3-venv).\n"
    )
    assert _create(tmp_path, {"python3.12": NO_ENSUREPIP}) == (1, message)


@pytest.mark.parametrize(
    ("programs", "message"),
    [
        (
            {},
            (
                "check_compiler.sh: found no C++ compiler (c++), which DeepSpeed needs. "
                "Install gcc and g++ (Debian and Ubuntu: apt-get install build-essential).\n"
            ),
        ),
        (
            {"c++": "exit 1"},
            (
                "check_compiler.sh: c++ cannot compile against /include/Python.h, which DeepSpeed "
                "needs. Install Python's headers (Debian and Ubuntu: apt-get install python3-dev).\n"
            ),
        ),
        ({"c++": "exit 0"}, ""),
    ],
)
def test_compiler_is_checked(tmp_path: Path, programs: dict[str, str], message: str) -> None:
    folder = _programs(tmp_path, programs | {"python": "echo /include"})
    assert _run("check_compiler.sh", folder / "python", {"PATH": str(folder)}) == (
        int(bool(message)),
        message,
    )
