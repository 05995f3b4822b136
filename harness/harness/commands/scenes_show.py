"""`harness scenes list` and `harness scenes show`: scenes to look at."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import typer

from harness.atomic import write_bytes, write_text
from harness.commands.source import open_source, source_part
from harness.errors import HarnessError, UsageError
from harness.guarded import GuardedScenes
from harness.progress import bar
from harness.scene import Scene
from harness.terminal import one_line

if TYPE_CHECKING:
    from harness.floor_plan import KeyFrame

_HEADINGS = (
    "scene",
    "data set",
    "split",
    "objects",
    "floor m2",
    "frames",
    "seen",
    "video",
    "faults",
)


def list_scenes(source: str, settings: Sequence[str], *, as_json: bool) -> None:
    """Print a line a scene, in the source's order; what cannot be read is listed with its reason.

    Raises:
        UsageError: wrong settings. SceneError: the source cannot be read as a whole.
    """
    opened = open_source(source_part(source, settings))
    ids = opened.scene_ids()
    found: list[dict[str, Any]] = []
    with bar(f"reading {source}", "scenes") as step:
        for scene_id in ids:
            found.append(_described(opened, scene_id))
            step(len(found), len(ids), one_line(scene_id))
    if as_json:
        typer.echo(json.dumps(found, indent=1))
        return
    _print_table([_cells(entry) for entry in found])
    faulty = sum("error" in entry for entry in found)
    if faulty:
        typer.echo(f"{faulty} of {len(found)} scenes cannot be used", err=True)


def _described(source: GuardedScenes, scene_id: str) -> dict[str, Any]:
    try:
        scene = source.load(scene_id)
    except HarnessError as error:
        return {"scene": scene_id, "error": str(error)}
    video = "footage" if source.has_footage else None
    if scene.video is not None:
        video = "layout" if scene.video.layout else "file"
    return {
        "scene": scene.id,
        "dataset": scene.dataset,
        "split": scene.split,
        "objects": len(scene.objects),
        "categories": len(scene.counts),
        "room_area": scene.room_area,
        "frames": len(scene.frames),
        "visibility": scene.visibility is not None,
        "video": video,
        "faults": list(scene.faults),
    }


def _cells(entry: dict[str, Any]) -> tuple[str, ...]:
    if "error" in entry:
        return (entry["scene"], *([""] * (len(_HEADINGS) - 2)), f"cannot be used: {entry['error']}")
    return (
        entry["scene"],
        entry["dataset"],
        entry["split"] or "-",
        str(entry["objects"]),
        f"{entry['room_area']:.1f}",
        str(entry["frames"]),
        "yes" if entry["visibility"] else "-",
        entry["video"] or "-",
        "; ".join(entry["faults"]) or "-",
    )


def _print_table(rows: Sequence[Iterable[str]]) -> None:
    table = [_HEADINGS, *(tuple(map(one_line, row)) for row in rows)]
    # The last column is as long as it is: nothing is cut, for grep.
    widths = [max(map(len, column)) for column in list(zip(*table, strict=True))[:-1]]
    for row in table:
        cells = [cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=True)]
        typer.echo("  ".join([*cells, row[-1]]).rstrip())


def show_scene(scene: str, source: str, settings: Sequence[str], out: Path | None) -> None:
    """Write a picture or a page of a scene, and say where.

    Raises:
        UsageError: another kind of file is asked for, or no such scene. SceneError: it is faulty.
    """
    if out is not None and out.suffix.lower() not in (".png", ".html"):
        raise UsageError(f"--out {out}: expected a .png or .html file")
    opened = open_source(source_part(source, settings))
    if scene not in opened.scene_ids():
        raise UsageError(
            f"source {source} has no scene {scene!r}; see `harness scenes list {source}`"
        )
    loaded = opened.load(scene)
    path = out or Path(f"{_file_name(scene)}.png")
    key_frames = _key_frames(opened, loaded)
    if path.suffix.lower() == ".html":
        from harness.floor_plan import scene_page

        write_text(path, scene_page(loaded, key_frames))
    else:
        from harness.floor_plan import scene_sheet

        data = io.BytesIO()
        scene_sheet(loaded, key_frames).save(data, "PNG")
        write_bytes(path, data.getvalue())
    typer.echo(one_line(str(path)))


def _key_frames(source: GuardedScenes, scene: Scene) -> list[KeyFrame]:
    """Of the footage where there is some; where it cannot be read, drawn, with a warning."""
    from harness.floor_plan import drawn_frames, filmed_frames

    try:
        if scene.video is not None:
            return filmed_frames(scene, scene.video.path)
        if source.has_footage:
            with TemporaryDirectory(prefix="harness-") as folder:
                video = Path(folder) / "footage.mp4"
                poses = source.export_video(scene.id, video)
                return filmed_frames(scene, video, poses)
    except HarnessError as error:
        sys.stderr.write(f"warning: key frames are drawn from the boxes: {one_line(str(error))}\n")
    return drawn_frames(scene)


def _file_name(scene: str) -> str:
    from urllib.parse import quote

    return quote(scene, safe="").lstrip(".") or "scene"
