"""Fixtures for all tests."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# A shell that starts a job in the background lets it ignore Ctrl-C, and its children with it; the
# tests of Ctrl-C need processes that hear it.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], Path]:
    """Path of a real data set beside the checkout; skips where it is absent."""
    base = Path(os.environ.get("HARNESS_TEST_DATA", ROOT.parent / "shared" / "data"))

    def find(name: str) -> Path:
        path = base / name
        if not path.exists():
            pytest.skip(f"real data {name!r} is not beside the checkout (set HARNESS_TEST_DATA)")
        return path

    return find
