"""What the first step of `make setup` says on machines that lack something."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOO_OLD = "exit 1"
NO_ENSUREPIP = 'case "$2" in *ensurepip*) exit 1;; esac; exit 0'


def _create(tmp_path: Path, programs: dict[str, str], python: str = "") -> tuple[int, str]:
    """Run the script where PATH holds nothing but the given shell scripts."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, script in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", ROOT / "tools" / "create_venv.sh", tmp_path / "venv"],
        env={"PATH": str(folder), "PYTHON": python},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


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
