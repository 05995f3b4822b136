"""The pages of the documentation, their code blocks, and a place to run them in."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from uv import find_uv_bin

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NAME = re.compile(r"# ([\w./-]+\.(?:py|toml|yaml))\n")

# What documented commands get besides, so that they do all they do in seconds.
TINY = {
    "scenes.train.scenes": 4,
    "scenes.evaluate.scenes": 2,
    "video.layout.seconds": 1,
    "questions.evaluate_limit": 16,
    "evaluate.resamples": 100,
    "video.frames": 4,
    "video.height": 112,
    "video.width": 112,
    "evaluate.frames": 4,
    "train.sft.steps": 2,
    "train.sft.batch_size": 4,
    "train.grpo.steps": 2,
    "train.grpo.batch_size": 8,
    "train.grpo.num_generations": 4,
    "train.grpo.gradient_accumulation": 1,
}
# Page -> place in the workspace -> real data that a reader has there. Without it the page skips.
DATA = {
    "docs/howto/vsi_bench.md": {
        "VSI-Bench/meta_info": "vsibench-meta-info",
        "VSI-Bench/test.jsonl": "vsibench-questions-subset/vsibench_subset.jsonl",
    },
}


@dataclass(frozen=True)
class Command:
    """A line after `$ `, and what the page shows below it."""

    text: str
    output: str

    @property
    def words(self) -> list[str]:
        return shlex.split(self.text)

    @property
    def trains(self) -> bool:
        return self.words[:2] == ["harness", "run"]

    @property
    def measures(self) -> bool:
        return self.words[:3] == ["python", "-m", "benchmarks"]


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    language: str
    text: str
    line: int

    @property
    def name(self) -> str | None:
        """The file it stands for, if its first line is a comment with a path."""
        named = _NAME.match(self.text)
        return named[1] if named else None

    @property
    def commands(self) -> list[Command]:
        if self.language != "console":
            return []
        parts = re.split(r"^\$ ", self.text.replace("\\\n", ""), flags=re.MULTILINE)
        assert not parts[0], f"line {self.line}: a console block begins with `$ `"
        return [Command(first, rest) for first, _, rest in (p.partition("\n") for p in parts[1:])]


def blocks_of(page: Path) -> list[Block]:
    text = page.read_text()
    return [
        Block(found[1], found[2], text.count("\n", 0, found.start()) + 1)
        for found in _FENCE.finditer(text)
    ]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes `page` runs for each page; those that train or measure are slow."""
    if "page" in metafunc.fixturenames:
        metafunc.parametrize(
            "page",
            [
                pytest.param(
                    page,
                    id=page.relative_to(ROOT).as_posix(),
                    marks=_marks(page) if "workspace" in metafunc.fixturenames else [],
                )
                for page in PAGES
            ],
        )


def _marks(page: Path) -> list[pytest.MarkDecorator]:
    commands = [command for block in blocks_of(page) for command in block.commands]
    slow = any(command.trains or command.measures for command in commands)
    return [pytest.mark.slow] if slow else []


@pytest.fixture
def blocks(page: Path) -> list[Block]:
    """The page's code."""
    return blocks_of(page)


@dataclass(frozen=True)
class Workspace:
    """An empty home, recipes and benchmarks as in a checkout, and a place to install to."""

    folder: Path
    site: Path
    environment: dict[str, str] = field(repr=False)

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        assert path.resolve().is_relative_to(self.folder), f"{name} leaves the workspace"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run(self, words: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def run_shortened(self, words: list[str]) -> subprocess.CompletedProcess[str]:
        """`harness run`, with tiny settings; where no weights are at hand, its recipe is read."""
        sets = [word for flag, word in pairwise(words) if flag == "--set"]
        show = ["harness", "recipe", "show", words[2], *(f"--set={one}" for one in sets)]
        shown = self.run(show)
        if shown.returncode:
            return self.run(words)  # to see what the command itself says
        recipe = next(yaml.safe_load_all(shown.stdout))
        if recipe["backbone"]["use"] != "tiny":
            return shown
        own = {one.partition("=")[0] for one in sets}
        extra = [
            f"--set={path}={value}"
            for path, value in TINY.items()
            if path not in own and _has(recipe, path)
        ]
        return self.run([*words, *extra])

    def install(self, package: str) -> subprocess.CompletedProcess[str]:
        """A package for this workspace alone, without the network."""
        command = [find_uv_bin(), "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
        where = ["--python", sys.executable, "--target", str(self.site), "--offline"]
        return self.run([*command, *where, package])


def _has(document: dict[str, Any], path: str) -> bool:
    found: Any = document
    for key in path.split("."):
        if not isinstance(found, dict) or key not in found:
            return False
        found = found[key]
    return True


@pytest.fixture
def workspace(
    page: Path, tmp_path: Path, shared_data: Callable[[str], Path]
) -> Iterator[Workspace]:
    """Where the commands of a page run, one after the other."""
    folder, home, site = (tmp_path / name for name in ("work", "home", "site"))
    shutil.copytree(
        ROOT / "recipes", folder / "recipes", ignore=shutil.ignore_patterns("harness.local.yaml")
    )
    shutil.copytree(ROOT / "benchmarks", folder / "benchmarks")
    home.mkdir()
    for place, name in DATA.get(page.relative_to(ROOT).as_posix(), {}).items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).symlink_to(shared_data(name))
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(site),
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "HF_HOME": str(home / "hub"),
        "HF_HUB_OFFLINE": "1",
        "CUDA_VISIBLE_DEVICES": "",
        "COLUMNS": "80",
    }
    yield Workspace(folder, site, environment)
    shutil.rmtree(tmp_path, ignore_errors=True)  # runs hold checkpoints
