"""Dot-and-interval charts of scores, all of a table on one axis."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from harness.report.charts import Dot, interval_chart
from harness.report.load import BASE, Interval
from harness.report.scores import ScoreGrid, label

# An axis this long at least, in percent, so that a model that knows nothing still has a chart.
_SHORTEST = 10.0


@dataclass(frozen=True)
class Panel:
    """One chart: (name, score, whether a baseline) for each row."""

    title: str
    rows: tuple[tuple[str, Interval, bool], ...]


def grid_panels(grid: ScoreGrid) -> list[Markup]:
    """A chart for each column of a task's table, with a line at the base model's score."""
    scored = [row for row in grid.rows if row.kind != "difference"]
    return draw(
        Panel(
            label(column),
            tuple(
                (row.label, cell, row.kind == "baseline")
                for row in scored
                if (cell := row.cells[place])
            ),
        )
        for place, column in enumerate(grid.columns)
    )


def draw(panels: Iterable[Panel]) -> list[Markup]:
    """The panels that have a row, drawn on the same axis from zero."""
    drawn = [panel for panel in panels if panel.rows]
    ends = [_top(score) for panel in drawn for _, score, _ in panel.rows]
    span = (0.0, max((*ends, _SHORTEST)))
    return [
        interval_chart(panel.title, _dots(panel.rows), "score in percent", span, _base(panel.rows))
        for panel in drawn
    ]


def _dots(rows: Sequence[tuple[str, Interval, bool]]) -> list[Dot]:
    return [
        Dot(
            name,
            100 * score.value,
            None if score.low is None else 100 * score.low,
            None if score.high is None else 100 * score.high,
            hollow,
        )
        for name, score, hollow in rows
    ]


def _base(rows: Sequence[tuple[str, Interval, bool]]) -> float | None:
    return next((100 * score.value for name, score, _ in rows if name == BASE), None)


def _top(score: Interval) -> float:
    return 100 * (score.value if score.high is None else score.high)
