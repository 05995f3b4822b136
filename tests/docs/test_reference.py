"""docs/reference/cli.md and settings.md say what the code says.

They are written by this file: `HARNESS_RENEW=1 python -m pytest tests/docs/test_reference.py`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from pydantic import BaseModel

from harness.cli import app
from harness.component import KINDS
from harness.plugins import load_catalogue
from harness.schema import DpoStage, GrpoStage, Recipe, SftStage, TrainStage
from harness.settings_text import settings_lines

FOLDER = Path(__file__).parents[2] / "docs" / "reference"
CLI = """\
# Command line

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | the run failed |
| 2 | the recipe or the command line is wrong, or this machine lacks something |
| 3 | a plugin is broken |
| 130 | interrupted with Ctrl-C |

An error is one message on standard error, without a traceback; `HARNESS_TRACEBACK=1` shows one.
Tables and what can be read by programs go to standard output, progress to standard error.

`RECIPE` is a file with its suffix (`recipes/quickstart.yaml`) or the name of a packaged recipe (`quickstart`).
"""
SETTINGS = """\
# Settings

Every key of a recipe, and the settings of every component that comes with the harness.
`harness plugins show KIND NAME` prints the same of any installed component.
How files, `--set` and matrices become a recipe is in [recipe.md](recipe.md).
"""


def command_line() -> Iterator[str]:
    yield CLI
    for words in commands(typer.main.get_command(app), ("harness",)):
        yield f"## {' '.join(words)}\n"
        yield f"```text\n{help_of(words)}\n```\n"


def commands(command: Any, words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    yield words
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, (*words, name))


def help_of(words: tuple[str, ...]) -> str:
    program = Path(sys.executable).with_name(words[0])
    done = subprocess.run(
        [program, *words[1:], "--help"],
        env={**os.environ, "COLUMNS": "80"},
        capture_output=True,
        text=True,
        check=True,
    )
    return "\n".join(line.rstrip() for line in done.stdout.strip().splitlines())


def settings() -> Iterator[str]:
    yield SETTINGS
    yield "## The recipe\n"
    yield table(Recipe, lambda key: not key.startswith("train."))
    yield "## Every training stage\n"
    yield "Below `train.STAGE.`; the stage's name is yours, its `method` decides what else it takes.\n"
    yield table(TrainStage)
    for stage in (SftStage, DpoStage, GrpoStage):
        own = stage.model_fields.keys() - TrainStage.model_fields.keys()
        yield f"### `method: {stage.__name__.removesuffix('Stage').lower()}`\n"
        yield table(stage, lambda key, own=own: key.partition(".")[0] in own)
    for kind in KINDS:
        yield f"## Components: {kind}\n"
        for one in load_catalogue():
            if one.kind == kind and one.distribution == "vsi-harness":
                yield f"### `{one.name}`\n"
                yield f"{one.component.summary[:1].upper()}{one.component.summary[1:]}.\n"
                yield table(one.component.config)


def table(model: type[BaseModel], wanted: Callable[[str], bool] = lambda _key: True) -> str:
    rows = ["| key | what it takes | meaning |", "|---|---|---|"]
    lines = settings_lines(model)
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if line.startswith("    "):
            continue
        key, _, takes = line.partition(": ")
        meaning = following.strip() if following.startswith("    ") else ""
        if wanted(key):
            rows.append("| " + " | ".join(map(cell, (f"`{key}`", takes, meaning))) + " |")
    return "\n".join(rows) + "\n" if len(rows) > 2 else "No settings.\n"


def cell(text: str) -> str:
    return text.replace("|", "\\|")


@pytest.mark.parametrize(("name", "made"), [("cli.md", command_line), ("settings.md", settings)])
def test_the_reference_is_as_the_code_says(name: str, made: Callable[[], Iterator[str]]) -> None:
    text = "\n".join(made())
    path = FOLDER / name
    if os.environ.get("HARNESS_RENEW") == "1":
        path.write_text(text)
    assert path.read_text() == text, "renew it: see the head of this file"
