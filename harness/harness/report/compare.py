"""Several runs side by side: an ablation's cells, and means over seeds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup
from rich import box
from rich.table import Table
from rich.text import Text

from harness.atomic import write_text
from harness.report.comparison import Comparison, ComparisonRow, SeedMean, compare
from harness.report.html import render
from harness.report.load import Interval, load_run
from harness.report.panels import Panel, draw
from harness.report.scores import MEANS, bounds, label, percent
from harness.report.text import one_line


def compare_runs(folders: Sequence[Path]) -> Table:
    """One terminal table: a row for each run with its settings that differ and its final scores.

    Raises:
        UsageError: no folder given, or one is no run folder.
        HarnessError: a file of a run is corrupt.
    """
    comparison = compare([load_run(folder) for folder in folders])
    several_tasks = len({row.task for row in comparison.rows}) > 1
    table = Table(
        title="comparison of final models",
        caption=Text("\n" + "\n".join(comparison.notes)),
        box=box.MINIMAL,
        show_edge=False,
        padding=0,
        title_justify="left",
        caption_justify="left",
    )
    heads = ["run", *(["task"] if several_tasks else []), *map(_last_part, comparison.axes)]
    for head in heads:
        table.add_column(Text(one_line(head)), overflow="fold")
    for head in (*map(label, comparison.columns), "reward"):
        table.add_column(Text(head), justify="right", overflow="fold")
    for place, row in enumerate(comparison.rows):
        note = f"\n{row.note}" if row.note else ""
        name = Text.assemble((row.name, "cyan" if row.mean else "bold"), (note, "yellow"))
        keys = [Text(row.task)] if several_tasks else []
        keys += [Text(value) for value in row.settings]
        cells = [_terminal_cell(cell) for cell in row.cells]
        following = comparison.rows[place + 1 : place + 2]
        end = bool(following) and following[0].mean != row.mean
        table.add_row(name, *keys, *cells, Text(reward_text(row)), end_section=end)
    return table


def write_comparison(folders: Sequence[Path], out: Path) -> Path:
    """Write the comparison as one self-contained HTML page to `out`.

    Raises:
        UsageError: no folder given, or one is no run folder.
        HarnessError: a file of a run is corrupt.
    """
    comparison = compare([load_run(folder) for folder in folders])
    context = {
        "comparison": comparison,
        "several_tasks": len({row.task for row in comparison.rows}) > 1,
        "panels": _panels(comparison),
        "reward_text": reward_text,
        "cell_lines": cell_lines,
    }
    write_text(out, render("comparison.html", context))
    return out


def cell_lines(cell: Interval | SeedMean | None) -> tuple[str, str]:
    """A score's number, and its interval or deviation."""
    if cell is None:
        return "-", ""
    if isinstance(cell, Interval):
        return percent(cell.value), bounds(cell)
    return percent(
        cell.value
    ), f"sd {percent(cell.deviation)}" if cell.deviation is not None else ""


def reward_text(row: ComparisonRow) -> str:
    """Mean reward from the first to the last step of training."""
    return f"{row.reward[0]:.3f} -> {row.reward[1]:.3f}" if row.reward else "-"


def _panels(comparison: Comparison) -> list[Markup]:
    rows = [row for row in comparison.rows if not row.mean]
    return draw(
        Panel(
            " · ".join(part for part in (label(column), task) if part),
            tuple(
                (row.name, cell, False)
                for row in rows
                if row.task == task and isinstance(cell := row.cells[place], Interval)
            ),
        )
        for task in dict.fromkeys(row.task for row in rows)
        for place, column in enumerate(comparison.columns)
        if column in MEANS
    )


def _terminal_cell(cell: Interval | SeedMean | None) -> Text:
    number, detail = cell_lines(cell)
    detail = detail.strip("[]")
    return Text.assemble(
        (number, "bold" if cell else "dim"), (f"\n{detail}" if detail else "", "dim")
    )


def _last_part(path: str) -> str:
    return path.rpartition(".")[2]
