"""`harness scenes import`: a release, read once into a store."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import typer

from harness import scene_import
from harness.commands.source import open_source, source_part
from harness.errors import SceneError
from harness.processes import processors
from harness.progress import bar
from harness.scene_import import Summary
from harness.store import Left
from harness.terminal import one_line

# A process takes a second to start; it should have this many scenes to read.
_SCENES_FOR_A_PROCESS = 4
_NAMED = 3


def import_scenes(
    source: str,
    settings: Sequence[str],
    out: Path,
    *,
    videos: bool,
    workers: int | None,
    fresh: bool,
) -> None:
    """Import, and tell what came of it.

    Raises:
        UsageError: wrong settings, another import in the store, or it is in use.
        SceneError: no scene could be imported.
    """
    part = source_part(source, settings)
    opened = open_source(part)
    text = part.settings.model_dump_json()
    processes = workers or max(
        1, min(processors(), len(opened.scene_ids()) // _SCENES_FOR_A_PROCESS)
    )
    with bar(f"import into {one_line(str(out))}", "scenes") as step:
        summary = scene_import.import_scenes(
            opened,
            text,
            out,
            videos=videos,
            workers=processes,
            fresh=fresh,
            progress=lambda done, total, scene: step(done, total, one_line(scene)),
        )
    for line in summary_lines(summary, out, videos=videos):
        typer.echo(one_line(line) if not line.startswith(" ") else f"  {one_line(line)}")
    if not summary.tally.scenes:
        raise SceneError(
            f"{out}: none of {summary.asked} scenes could be imported: mend what is listed above, "
            "then import again with --fresh"
        )


def summary_lines(summary: Summary, out: Path, *, videos: bool) -> list[str]:
    """What an import left, in words: numbers, then why scenes and videos are not there."""
    tally = summary.tally
    lines = [
        f"{out}: {_count(tally.scenes, 'scene')} of {summary.asked:,}, "
        f"{_count(tally.objects, 'object')}, {_count(tally.frames, 'posed frame')}"
        + (f", {_count(tally.videos, 'video')}" if videos else "")
        + (f" ({summary.before:,} were there before)" if summary.before else "")
    ]
    if tally.skipped:
        lines.append(
            f"skipped {_count(len(tally.skipped), 'scene')}, listed in {out / 'skipped.jsonl'}; "
            "they stay so until --fresh:"
        )
        lines += _grouped(tally.skipped)
    if tally.no_video:
        lines.append(
            f"{_count(len(tally.no_video), 'scene')} without a video, listed in "
            f"{out / 'no_video.jsonl'}:"
        )
        lines += _grouped(tally.no_video)
    return lines


def _grouped(left: Iterable[Left]) -> list[str]:
    """One line for each reason, the commonest first; the scene's own name tells none apart."""
    groups: dict[str, list[Left]] = defaultdict(list)
    for one in left:
        groups[one.reason.replace(one.scene, "*")].append(one)
    lines = []
    for alike in sorted(groups.values(), key=len, reverse=True):
        names = ", ".join(one.scene for one in alike[:_NAMED])
        more = f" and {len(alike) - _NAMED} more" if len(alike) > _NAMED else ""
        lines.append(f"  {len(alike):,}: {alike[0].reason} ({names}{more})")
    return lines


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
