"""Fake plugins and recipes for the tests of the core."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from harness.catalogue import Catalogue
from harness.plugins import load_catalogue

FAKES = Path(__file__).parent / "fixtures" / "plugins"


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Puts fake distributions on the path; what was imported from them is forgotten afterwards."""

    def put(*names: str) -> None:
        for name in names:
            monkeypatch.syspath_prepend(str(FAKES / name))
        importlib.invalidate_caches()

    before = set(sys.modules)
    yield put
    for name in set(sys.modules) - before:
        if str(FAKES) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.fixture
def acme(install: Callable[..., None]) -> Catalogue:
    """A catalogue with a component of each kind from the plugin `acme`."""
    install("good")
    return load_catalogue()


@pytest.fixture
def acme_text() -> str:
    """A recipe that uses each of them."""
    return (FAKES.parent / "acme.yaml").read_text()


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """Writes files below an empty working folder; the user's own settings are out of sight."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def put(name: str, text: str) -> Path:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))
        return path

    return put
