"""A tiny checkpoint on disk, and copies of it with something amiss."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from harness_plugins.backbones.settings import TinySettings
from harness_plugins.backbones.tiny import Tiny

SMALL = {
    "hidden": 64, "layers": 2, "heads": 2, "vision_hidden": 32, "vision_layers": 1, "vocabulary": 512,
}  # fmt: skip


@pytest.fixture(scope="session")
def small() -> Callable[..., Tiny]:
    """A tiny backbone of 240 thousand parameters, with other settings if asked."""
    return lambda **changes: Tiny(TinySettings(**{**SMALL, **changes}))


@pytest.fixture(scope="session")
def saved(small, tmp_path_factory) -> Path:
    """Its checkpoint."""
    return Path(small().checkpoint(tmp_path_factory.mktemp("tiny")))


@pytest.fixture
def damaged(saved, tmp_path) -> Callable[[Callable[[Path], object]], Path]:
    """A copy of the checkpoint after something was done to it."""

    def copy(damage):
        folder = tmp_path / "checkpoint"
        shutil.copytree(saved, folder)
        damage(folder)
        return folder

    return copy
