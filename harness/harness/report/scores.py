"""The score grid that the terminal table, the Markdown table and the page are drawn from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.question import CHOICE_TYPES, NUMERIC_TYPES
from harness.report.load import BASE, Evaluation, Interval, RunReport, Scores
from harness.report.text import one_line

RowKind = Literal["model", "baseline", "difference"]

MEANS = ("macro", "micro")
# The paper's column order: the means first, then VSI-Bench's tasks.
COLUMN_ORDER = (
    *MEANS,
    *NUMERIC_TYPES,
    "object_rel_distance",
    "object_rel_direction",
    *(name for name in CHOICE_TYPES if "direction" in name),
    "route_planning",
    "obj_appearance_order",
)
_LABELS = {
    "macro": "Macro",
    "micro": "Micro",
    "object_counting": "Count",
    "object_abs_distance": "Abs dist",
    "object_size_estimation": "Obj size",
    "room_size_estimation": "Room size",
    "object_rel_distance": "Rel dist",
    "object_rel_direction": "Rel dir",
    "object_rel_direction_easy": "Rel dir easy",
    "object_rel_direction_medium": "Rel dir medium",
    "object_rel_direction_hard": "Rel dir hard",
    "route_planning": "Route plan",
    "obj_appearance_order": "Appr order",
}
NOT_RUN = "not run"
INTERVAL_NOTE = (
    "Scores in percent with their 95 % intervals over scenes (low, high). Macro is the mean of "
    "the task columns, micro the mean over questions."
)
LAYOUT_NOTE = (
    "Layout video: frames were drawn from 3D boxes, not filmed, so these scores cannot be "
    "compared with published ones."
)


@dataclass(frozen=True)
class ScoreRow:
    """One line of a table; a cell is None where that score does not exist."""

    label: str
    kind: RowKind
    cells: tuple[Interval | None, ...]
    ran: bool = True
    note: str = ""


@dataclass(frozen=True)
class ScoreGrid:
    """The table of one task; `columns` are score names, `counts` questions behind each."""

    task: str
    columns: tuple[str, ...]
    counts: tuple[int | None, ...]
    rows: tuple[ScoreRow, ...]
    notes: tuple[str, ...]


def label(name: str) -> str:
    """Short heading of a score or question type."""
    return _LABELS.get(name) or one_line(name.replace("_", " "), 24)


def in_column_order(names: Iterable[str]) -> tuple[str, ...]:
    """Names in the paper's column order; unknown ones after, as they come."""
    unique = list(dict.fromkeys(names))
    known = [name for name in COLUMN_ORDER if name in unique]
    return (*known, *(name for name in unique if name not in COLUMN_ORDER))


def percent(value: float) -> str:
    """A score as the tables print it."""
    return f"{100 * value:.1f}"


def signed(value: float) -> str:
    """A difference in points as the tables print it."""
    return f"{100 * value:+.1f}"


def bounds(interval: Interval, *, difference: bool = False) -> str:
    """`[33.1, 37.6]`, or nothing without an interval."""
    if interval.low is None or interval.high is None:
        return ""
    show = signed if difference else percent
    return f"[{show(interval.low)}, {show(interval.high)}]"


def excludes_zero(interval: Interval) -> bool | None:
    """Whether the interval of a difference leaves zero outside; None without an interval."""
    if interval.low is None or interval.high is None:
        return None
    return interval.low > 0 or interval.high < 0


def verdict(interval: Interval) -> str:
    """What the interval of a difference says, in words."""
    excluded = excludes_zero(interval)
    if excluded is None:
        return "no interval"
    if not excluded:
        return "the interval includes zero: no clear difference"
    return "the interval excludes zero: " + ("better" if interval.value > 0 else "worse")


def score_grids(run: RunReport) -> tuple[ScoreGrid, ...]:
    """A grid for each task of the run."""
    return tuple(_grid(run, task) for task in run.tasks)


def difference_of(run: RunReport, task: str) -> tuple[str, str, Mapping[str, Interval]] | None:
    """The last model's paired difference in a task: (model, against, rows), or None."""
    for evaluation in reversed(run.of_task(task)):
        if not evaluation.baseline and evaluation.model != BASE and evaluation.difference:
            return evaluation.model, evaluation.difference.against, evaluation.difference.rows
    return None


def difference_lines(run: RunReport, task: str) -> list[str]:
    """The means' paired differences in words."""
    found = difference_of(run, task)
    if found is None:
        return []
    model, against, rows = found
    return [
        f"{one_line(model)} - {one_line(against)}, {name}: {_in_words(rows[name])}."
        for name in MEANS
        if name in rows
    ]


def _in_words(difference: Interval) -> str:
    points = f"{signed(difference.value)} points {bounds(difference, difference=True)}"
    return f"{points.strip()}, {verdict(difference)}"


def limits(run: RunReport, tasks: Iterable[str]) -> list[str]:
    """The recipe's settings that make one of these tasks smaller, in words."""
    questions = (run.recipe or {}).get("questions")
    limit = questions.get("evaluate_limit") if isinstance(questions, Mapping) else None
    if limit is None or not any(_of_held_out_scenes(run, task) for task in tasks):
        return []
    return [f"Limited: evaluate_limit = {one_line(str(limit))}."]


def _of_held_out_scenes(run: RunReport, task: str) -> bool:
    """Whether the task asks what was generated on held-out scenes, which is what is limited."""
    asked = run.data.tasks.get(task) if run.data is not None else None
    return asked is None or run.data is None or asked == run.data.questions.get("evaluate")


def partial_note(tables: Iterable[Scores]) -> str:
    """What the mean of a partial table leaves out."""
    missing = in_column_order(name for table in tables for name in table.missing)
    which = f"no question of type {', '.join(map(label, missing))}" if missing else "not all types"
    return f"Partial: {which}; the macro score is over the types that were asked."


def _grid(run: RunReport, task: str) -> ScoreGrid:
    evaluations = run.of_task(task)
    tables = [e.scores.rows for e in evaluations if e.scores]
    columns = in_column_order((*MEANS, *(name for table in tables for name in table)))
    counts = tuple(_common_count(tables, name) for name in columns)
    # Where every model is partial, the note below the table says it once.
    mixed = len({e.scores.partial for e in evaluations if e.scores}) > 1
    rows = [_row(evaluation, columns, mark_partial=mixed) for evaluation in evaluations]
    found = difference_of(run, task)
    if found:
        model, against, differences = found
        cells = tuple(differences.get(name) for name in columns)
        place = sum(not e.baseline for e in evaluations)
        rows.insert(place, ScoreRow(f"{model} - {against}", "difference", cells))
    return ScoreGrid(task, columns, counts, tuple(rows), tuple(_notes(run, task, evaluations)))


def _common_count(tables: Sequence[Mapping[str, Interval]], name: str) -> int | None:
    counts = {table[name].n for table in tables if name in table}
    return counts.pop() if len(counts) == 1 else None


def _row(evaluation: Evaluation, columns: Sequence[str], *, mark_partial: bool) -> ScoreRow:
    kind: RowKind = "baseline" if evaluation.baseline else "model"
    scores = evaluation.scores
    if scores is None:
        answered = len(evaluation.answers)
        note = f"unfinished, {answered} answers so far" if answered else NOT_RUN
        return ScoreRow(evaluation.model, kind, (None,) * len(columns), ran=False, note=note)
    note = "partial" if scores.partial and mark_partial else ""
    cells = tuple(scores.rows.get(name) for name in columns)
    return ScoreRow(evaluation.model, kind, cells, note=note)


def _notes(run: RunReport, task: str, evaluations: Sequence[Evaluation]) -> list[str]:
    differences = difference_lines(run, task)
    notes = [*differences, INTERVAL_NOTE]
    if differences:
        notes.append("* marks a difference whose interval excludes zero.")
    sizes: dict[tuple[int, int | None], list[str]] = {}
    for evaluation in evaluations:
        if evaluation.scores:
            size = (evaluation.scores.n, evaluation.scores.scenes)
            sizes.setdefault(size, []).append(one_line(evaluation.model))
    notes += [_size_note(size, models, len(sizes) > 1) for size, models in sizes.items()]
    if any(e.scores and e.scores.partial for e in evaluations):
        notes.append(partial_note(e.scores for e in evaluations if e.scores))
    notes += limits(run, [task])
    if any(a.layout for e in evaluations for a in e.answers):
        notes.append(LAYOUT_NOTE)
    return [*notes, *leak_notes(run)]


def leak_notes(run: RunReport) -> list[str]:
    """What must be said of a run that trained on scenes of benchmarks."""
    return [
        f"LEAK: trained on {scenes:,} scene{'s' * (scenes != 1)} that {one_line(split)} shows: "
        "scores there say nothing."
        for split, scenes in run.leak.items()
    ]


def _size_note(size: tuple[int, int | None], models: Sequence[str], several: bool) -> str:
    questions, scenes = size
    where = f" in {scenes:,} scene{'s' * (scenes != 1)}" if scenes is not None else ""
    who = f"{', '.join(models)}: " if several else ""
    return f"{who}{questions:,} questions{where}."
