"""The report of one run: a single HTML file that opens offline, and the scores as JSON and Markdown."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from harness.atomic import write_json, write_text
from harness.report.curves import main_curves, other_curves
from harness.report.html import plain, render
from harness.report.load import BASE, Interval, RunReport, Stage, load_run
from harness.report.panels import grid_panels
from harness.report.progress import stage_facts
from harness.report.samples import OUTCOMES, RolloutGroup, rollout_groups, samples
from harness.report.scores import (
    LAYOUT_NOTE,
    difference_of,
    in_column_order,
    leak_notes,
    score_grids,
)
from harness.report.table import score_markdown
from harness.report.thumbnails import FrameStrips, Thumbnails, video_thumbnails

MAX_LISTED = 100


@dataclass(frozen=True)
class Headline:
    """A task's macro score before and after training, with the paired difference if known."""

    task: str
    model: str
    before: Interval | None
    after: Interval | None
    difference: Interval | None


@dataclass(frozen=True)
class StageView:
    """A training stage as the page shows it."""

    stage: Stage
    facts: tuple[str, ...]
    curves: tuple[Markup, ...]
    other: tuple[Markup, ...]
    groups: tuple[RolloutGroup, ...]
    summary: tuple[tuple[str, str], ...]
    guard: tuple[tuple[str, str], ...]


def write_report(folder: Path, thumbnails: Thumbnails = video_thumbnails) -> Path:
    """Write `report/report.html`, `report/scores.json` and `report/scores.md` into a run folder.

    Args:
        folder: the run folder, finished or not.
        thumbnails: JPEG pictures of a video's frames, from the video's path and frame indices.

    Returns:
        The path of the page.

    Raises:
        HarnessError: a file of the run is corrupt.
    """
    run = load_run(folder)
    page = run.folder / "report" / "report.html"
    write_json(page.with_name("scores.json"), scores_document(run))
    write_text(page.with_name("scores.md"), score_markdown(run))
    write_text(page, report_page(run, thumbnails))
    return page


def report_page(run: RunReport, thumbnails: Thumbnails = video_thumbnails) -> str:
    """The page as text."""
    grids = score_grids(run)
    shown = samples(run)
    counted_sets, question_counts = _question_counts(run)
    return render(
        "report.html",
        {
            "run": run,
            "headlines": [_headline(run, task) for task in run.tasks],
            "notices": _notices(run),
            "grids": [(grid, grid_panels(grid)) for grid in grids],
            "stages": [_stage_view(stage) for stage in run.stages],
            "samples": shown,
            "strips": FrameStrips(run.folder, thumbnails),
            "types": in_column_order(s.reference.question_type for s in shown),
            "outcomes": OUTCOMES,
            "counted_sets": counted_sets,
            "question_counts": question_counts,
            "max_listed": MAX_LISTED,
        },
    )


def scores_document(run: RunReport) -> dict[str, Any]:
    """All scores of a run, as fractions, for other programs."""
    return {
        "run": run.name,
        "hash": run.provenance.hash if run.provenance else None,
        "unit": "fraction",
        "layout_video": run.layout_video,
        "tasks": {
            task: {
                e.model: {
                    "baseline": e.baseline,
                    "ran": e.scores is not None,
                    "n": e.scores.n if e.scores else 0,
                    "scenes": e.scores.scenes if e.scores else None,
                    "partial": e.scores.partial if e.scores else None,
                    "rows": _rows(e.scores.rows if e.scores else {}),
                    "difference": {
                        "against": e.difference.against,
                        "rows": _rows(e.difference.rows),
                    }
                    if e.difference
                    else None,
                }
                for e in run.of_task(task)
            }
            for task in run.tasks
        },
    }


def _rows(rows: Mapping[str, Interval]) -> dict[str, dict[str, float | int | None]]:
    return {
        name: {"value": row.value, "low": row.low, "high": row.high, "n": row.n}
        for name, row in rows.items()
    }


def _headline(run: RunReport, task: str) -> Headline:
    scored = [e for e in run.of_task(task) if e.scores and not e.baseline]
    base = next((e for e in scored if e.model == BASE), None)
    last = next((e for e in reversed(scored) if e.model != BASE), None)
    found = difference_of(run, task)
    clear = found[2].get("macro") if found and last and found[0] == last.model else None
    return Headline(
        task=task,
        model=last.model if last else "",
        before=base.scores.rows.get("macro") if base and base.scores else None,
        after=last.scores.rows.get("macro") if last and last.scores else None,
        difference=clear,
    )


def _notices(run: RunReport) -> list[str]:
    warnings = run.provenance.warnings if run.provenance else ()
    unfinished = [
        *(f"training stage {s.name}" for s in run.stages if s.summary is None),
        *(f"{e.model} in {e.task}" for e in run.evaluations if e.scores is None),
    ]
    return [
        *leak_notes(run),
        *([LAYOUT_NOTE] if run.layout_video else []),
        *([f"Not finished: {', '.join(unfinished)}."] if unfinished else []),
        *run.notices,
        *(f"Warning of the run: {warning}" for warning in warnings[:MAX_LISTED]),
    ]


def _stage_view(stage: Stage) -> StageView:
    summary = dict(stage.summary or {})
    guard = summary.pop("guard", None)
    return StageView(
        stage=stage,
        facts=tuple(stage_facts(stage)),
        curves=tuple(main_curves(stage)),
        other=tuple(other_curves(stage)),
        groups=tuple(rollout_groups(stage)),
        summary=_pairs(summary),
        guard=_pairs(guard if isinstance(guard, Mapping) else {}),
    )


def _pairs(values: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    listed = itertools.islice(values.items(), MAX_LISTED)
    return tuple((key.replace("_", " "), plain(value)) for key, value in listed)


def _question_counts(run: RunReport) -> tuple[list[str], list[tuple[str, list[int | None]]]]:
    """Headings (splits, then tasks) and the number of questions of each type under them."""
    if run.data is None:
        return [], []
    sets = [*run.data.questions.items(), *run.data.tasks.items()]
    names = in_column_order(name for _, counts in sets for name in counts)
    return [name for name, _ in sets], [
        (name, [counts.get(name) for _, counts in sets]) for name in names
    ]
