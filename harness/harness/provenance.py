"""What a run was made with: versions, git state, machine."""

from __future__ import annotations

import platform
import subprocess
import sys
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, distributions, version
from pathlib import Path
from typing import Any

# Those whose version can change a number; `environment` holds all.
DECISIVE = (
    "vsi-harness",
    "torch",
    "torchvision",
    "transformers",
    "trl",
    "peft",
    "accelerate",
    "datasets",
    "tokenizers",
    "numpy",
    "av",
    "vllm",
    "deepspeed",
)


def record(name: str, hash_: str, seed: int, description: str) -> dict[str, Any]:
    """The content of `run.json`."""
    return {
        "name": name,
        "hash": hash_,
        "seed": seed,
        "recipe_description": description,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": sys.argv,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "versions": {package: found for package in DECISIVE if (found := _version(package))},
        "environment": dict(_environment()),
        "git": git_state(Path(__file__).parent),
        "warnings": [],
    }


@cache
def _environment() -> tuple[tuple[str, str], ...]:
    return tuple(sorted((d.name, d.version) for d in distributions()))


def git_state(folder: Path) -> dict[str, Any] | None:
    """Commit and whether files were changed, or None outside a checkout.

    Nor is a folder that git ignores one, such as an environment inside somebody's project.
    """
    try:
        if not _git(folder, "ls-files", "."):
            return None
        commit = _git(folder, "rev-parse", "HEAD")
        dirty = bool(_git(folder, "status", "--porcelain"))
    except (OSError, subprocess.SubprocessError):
        return None
    return {"commit": commit, "dirty": dirty}


def _git(folder: Path, *command: str) -> str:
    result = subprocess.run(  # noqa: S603  (fixed words)
        ["git", "-C", str(folder), *command],  # noqa: S607  (git from the user's PATH)
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
    )
    return result.stdout.strip()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
