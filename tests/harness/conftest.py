"""Fake plugins and recipes, and a tiny model with eight noise videos, for the tests of the core."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from types import SimpleNamespace

import pytest

from harness.catalogue import Catalogue
from harness.plugins import load_catalogue

FIXTURES = Path(__file__).parent / "fixtures"
FAKES = FIXTURES / "plugins"


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


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


@pytest.fixture
def light(write) -> Path:
    """A recipe that runs in a second, without a model; its run folder is `runs/light`."""
    return write("light.yaml", (FIXTURES / "light.yaml").read_text())


@pytest.fixture
def harness_main(write, monkeypatch, capfd) -> Callable[..., Ended]:  # noqa: ARG001
    """Runs the command line in this process, in an empty working folder."""
    from harness.cli import main

    def call(*arguments: str | Path) -> Ended:
        monkeypatch.setattr(sys, "argv", ["harness", *map(str, arguments)])
        monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # typer sets its own
        with pytest.raises(SystemExit) as left:
            main()
        said = capfd.readouterr()
        return Ended(int(left.value.code or 0), said.out, said.err)

    return call


@pytest.fixture
def harness_process(write) -> Callable[..., subprocess.Popen[str]]:  # noqa: ARG001
    """Starts the command line as a process of its own group, in the working folder."""

    def start(*arguments: str | Path, plugins: str = "", **environment: str):
        return subprocess.Popen(
            [sys.executable, "-m", "harness.cli", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={
                **os.environ,
                "PYTHONPATH": str(FAKES / plugins) if plugins else "",
                "OMP_NUM_THREADS": "1",
                **environment,
            },
        )

    return start


# torch and transformers are imported by the tests that need them


@pytest.fixture(scope="session")
def backbone():
    """Qwen2-VL at 240 thousand parameters."""
    from harness_plugins.backbones.settings import TinySettings
    from harness_plugins.backbones.tiny import Tiny

    return Tiny(
        TinySettings(
            hidden=64, layers=2, heads=2, vision_hidden=32, vision_layers=1, vocabulary=512
        )
    )


@pytest.fixture(scope="session")
def checkpoint(backbone, tmp_path_factory):
    """Folder of its weights and processor."""
    return backbone.checkpoint(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def encoder(backbone, checkpoint):
    """Encodes the videos `room0` to `room7`: four noise frames of 56 x 56, eight tokens."""
    import numpy as np

    from harness.modelling.encoding import VideoEncoder

    rng = np.random.default_rng(0)
    clips = {
        f"room{i}": SimpleNamespace(frames=rng.integers(0, 255, (4, 56, 56, 3), dtype=np.uint8))
        for i in range(8)
    }
    return VideoEncoder(backbone.load_processor(checkpoint), clips.__getitem__)
