"""`harness scenes write`: scenes in the layout of a raw release."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from harness.atomic import write_json
from harness.catalogue import is_exhaustion
from harness.commands.source import open_source, source_part
from harness.errors import UsageError
from harness.progress import bar
from harness.terminal import printable

# Lies in the folder of a release that was written here, and says of which scenes.
MARK = "release.json"


def write_release(source: str, overrides: Sequence[str], out: Path) -> None:
    """Write a source's scenes to the folder `out`; the same command again ends what was begun.

    Raises:
        UsageError: the source cannot write a release, or `out` holds something else.
    """
    part = source_part(source, overrides)
    scenes = open_source(part)
    if not scenes.has_release:
        raise UsageError(
            f"{scenes.registered} cannot write a release: use a source that makes its scenes, "
            "such as procedural"
        )
    _claim(out, {"source": source, "settings": part.settings.model_dump(mode="json")})
    with bar("write", "scenes") as step:
        scenes.write_release(out, lambda done, total: step(done, total, ""))
    typer.echo(f"written: {printable(str(out))}")


def _claim(out: Path, mark: Mapping[str, Any]) -> None:
    """Mark a folder as this release's, unless it is anything else's."""
    path = out / MARK
    if path.is_file():
        if _read(path) != mark:
            raise UsageError(
                f"{out}: holds a release of other scenes (see {MARK} there): choose another "
                "folder, or delete this one"
            )
        return
    if out.exists() and not (out.is_dir() and next(out.iterdir(), None) is None):
        raise UsageError(
            f"{out}: holds something that this command has not written: choose an empty folder"
        )
    try:
        write_json(path, mark)
    except OSError as error:
        if is_exhaustion(error):
            raise
        raise UsageError(f"{out}: cannot be written ({error.strerror})") from error


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return None
