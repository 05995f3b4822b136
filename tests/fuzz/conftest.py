"""Campaigns of mutations, each in a process of its own."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

HERE = Path(__file__).parent
PEAK = Path("/proc/self/clear_refs")
COUNTS = json.loads((HERE / "counts.json").read_text())
# Seconds; a whole campaign takes a tenth of it, and a machine may be busy.
LONGEST = 600


@pytest.fixture
def campaign() -> Callable[..., None]:
    """Runs the mutations of some readers, with the seeds from 0 on, and asserts that all is well."""

    if not PEAK.exists():
        pytest.skip(f"no {PEAK} here, which measuring a reader's memory needs")

    def run(*readers: str) -> None:
        triples = [text for name in readers for text in (name, "0", str(COUNTS[name]))]
        done = subprocess.run(
            [sys.executable, str(HERE / "campaign.py"), *triples],
            capture_output=True,
            text=True,
            timeout=LONGEST,
            check=False,
        )
        found: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]
        assert [one["failures"] for one in found] == [[] for _ in readers], done.stderr[-2000:]
        assert done.returncode == 0, f"a reader ended its process: {done.stderr[-2000:]}"
        assert [(one["reader"], one["run"]) for one in found] == [(n, COUNTS[n]) for n in readers]
        # Damage that nobody notices, or that lets nothing through, tests nothing.
        assert all(one["valid"] and one["refused"] for one in found), found

    return run


@pytest.fixture(scope="session")
def releases() -> ModuleType:
    """The module of valid files."""
    return _module("releases")


@pytest.fixture(scope="session")
def mutations() -> ModuleType:
    """The module of mutations, with those that it looks up by name."""
    for name in ("mutations", "structured", "containers"):
        _module(name)
    return _module("mutations")


def _module(name: str) -> ModuleType:
    """A module beside this file: this folder is not on the path of the tests."""
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
