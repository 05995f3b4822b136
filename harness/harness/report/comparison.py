"""What a comparison of runs says: settings that differ, final scores, means over seeds."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.errors import UsageError
from harness.report.html import plain
from harness.report.load import Interval, RunReport
from harness.report.progress import reward_change
from harness.report.scores import (
    INTERVAL_NOTE,
    LAYOUT_NOTE,
    MEANS,
    NOT_RUN,
    in_column_order,
    leak_notes,
    limits,
)
from harness.report.text import one_line

SEED = "seed"
# Names tell runs apart but change nothing, and a cell's matrix is already in its settings.
_NO_SETTING = frozenset({"name", "description", "matrix"})


@dataclass(frozen=True)
class SeedMean:
    """Mean and sample standard deviation of a score over seeds."""

    value: float
    deviation: float | None
    seeds: int


@dataclass(frozen=True)
class ComparisonRow:
    """A run's final model in a task, or the mean over the seeds of equal settings."""

    name: str
    task: str
    model: str
    settings: tuple[str, ...]
    cells: tuple[Interval | SeedMean | None, ...]
    reward: tuple[float, float] | None
    note: str = ""
    questions: int = 0
    partial: bool = False
    mean: bool = False


@dataclass(frozen=True)
class Comparison:
    """Rows over the score `columns`; `axes` are the recipe paths that differ, by full name."""

    axes: tuple[str, ...]
    columns: tuple[str, ...]
    rows: tuple[ComparisonRow, ...]
    notes: tuple[str, ...]


def compare(runs: Sequence[RunReport]) -> Comparison:
    """The comparison as values."""
    if not runs:
        raise UsageError("nothing to compare: give one run folder or more")
    settings = [_flat(run.recipe or {}) for run in runs]
    paths = list(dict.fromkeys(path for flat in settings for path in flat))
    axes = [p for p in paths if len({_setting(flat, p) for flat in settings}) > 1]
    axes.sort(key=lambda path: path == SEED)
    finals = [
        evaluation.scores.rows
        for run in runs
        for task in run.tasks
        if (evaluation := run.evaluation(run.final_model, task)) and evaluation.scores
    ]
    columns = in_column_order((*MEANS, *(name for rows in finals for name in rows)))
    names = _distinct_names(runs)
    rows = [
        _row(run, task, name, tuple(_setting(flat, axis) for axis in axes), columns)
        for run, name, flat in zip(runs, names, settings, strict=True)
        for task in run.tasks or ("",)
    ]
    means = _seed_means(rows, axes) if SEED in axes else []
    notes = _notes(dict(zip(names, runs, strict=True)), axes, rows, seeds=bool(means))
    return Comparison(tuple(axes), columns, (*rows, *means), tuple(notes))


def _row(
    run: RunReport, task: str, name: str, settings: tuple[str, ...], columns: Sequence[str]
) -> ComparisonRow:
    evaluation = run.evaluation(run.final_model, task)
    scores = evaluation.scores if evaluation else None
    rewards = [change for stage in run.stages if (change := reward_change(stage))]
    return ComparisonRow(
        name=name,
        task=one_line(task),
        model=run.final_model,
        settings=settings,
        cells=tuple(scores.rows.get(column) if scores else None for column in columns),
        reward=rewards[-1] if rewards else None,
        note="" if scores else NOT_RUN,
        questions=scores.n if scores else 0,
        partial=scores.partial if scores else False,
    )


def _seed_means(rows: Sequence[ComparisonRow], axes: Sequence[str]) -> list[ComparisonRow]:
    """A row for each setting that was run with two seeds or more."""
    seed = axes.index(SEED)
    groups: dict[tuple[str, ...], list[ComparisonRow]] = {}
    for row in rows:
        groups.setdefault((row.task, *row.settings[:seed], *row.settings[seed + 1 :]), []).append(
            row
        )
    return [
        _mean(members, seed)
        for members in groups.values()
        if len({row.settings[seed] for row in members}) > 1
    ]


def _mean(members: Sequence[ComparisonRow], seed: int) -> ComparisonRow:
    ran = [row for row in members if row.note != NOT_RUN]
    rewards = [row.reward for row in members if row.reward]
    first = members[0]
    missing = len(members) - len(ran)
    return ComparisonRow(
        name=f"mean of {len(ran)} seeds",
        task=first.task,
        model=first.model,
        settings=(*first.settings[:seed], f"{len(ran)} seeds", *first.settings[seed + 1 :]),
        cells=tuple(_over_seeds(cells) for cells in zip(*(row.cells for row in ran), strict=True))
        if ran
        else (None,) * len(first.cells),
        reward=(
            statistics.fmean(r[0] for r in rewards),
            statistics.fmean(r[1] for r in rewards),
        )
        if rewards
        else None,
        note=f"{missing} {NOT_RUN}" if missing else "",
        mean=True,
    )


def _over_seeds(cells: Sequence[Interval | SeedMean | None]) -> SeedMean | None:
    values = [cell.value for cell in cells if cell is not None]
    if not values:
        return None
    deviation = statistics.stdev(values) if len(values) > 1 else None
    return SeedMean(statistics.fmean(values), deviation, len(values))


def _notes(
    named: Mapping[str, RunReport],
    axes: Sequence[str],
    rows: Sequence[ComparisonRow],
    *,
    seeds: bool,
) -> list[str]:
    runs = named.values()
    notes = [INTERVAL_NOTE]
    if axes:
        notes.append(f"Settings that differ: {', '.join(one_line(axis) for axis in axes)}.")
    if seeds:
        notes.append("sd: sample standard deviation over seeds, in points.")
    for task in dict.fromkeys(row.task for row in rows):
        sizes = sorted({row.questions for row in rows if row.task == task and row.questions})
        if len(sizes) > 1:
            listed = ", ".join(f"{size:,}" for size in sizes)
            notes.append(f"{task}: the runs were asked different numbers of questions: {listed}.")
    notes += [f"{name}: {note}" for name, run in named.items() for note in leak_notes(run)]
    if any(run.layout_video for run in runs):
        notes.append(LAYOUT_NOTE)
    partial = [row.name for row in rows if row.partial]
    if partial:
        who = "all runs" if len(partial) == len(rows) else ", ".join(partial)
        notes.append(f"Partial, as question types are missing: {who}.")
    return [*notes, *sorted({line for run in runs for line in limits(run, run.tasks)})]


def _distinct_names(runs: Sequence[RunReport]) -> list[str]:
    """Names as short as they can be: the folder's where two runs share a name."""
    names = [one_line(run.name) for run in runs]
    return [
        name if names.count(name) == 1 else one_line(str(run.folder))
        for name, run in zip(names, runs, strict=True)
    ]


def _flat(document: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """`{"train.grpo.beta": "0.04"}` for every leaf of the recipe that sets something."""
    flat: dict[str, str] = {}
    for key, value in document.items():
        if not prefix and key in _NO_SETTING:
            continue
        if isinstance(value, Mapping) and value:
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = one_line(plain(value))
    return flat


def _setting(flat: Mapping[str, str], path: str) -> str:
    return flat.get(path, "-")
