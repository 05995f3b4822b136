"""Terminal and Markdown tables of scores."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from harness.report.load import Interval, RunReport
from harness.report.scores import (
    MEANS,
    NOT_RUN,
    ScoreGrid,
    ScoreRow,
    bounds,
    excludes_zero,
    in_column_order,
    label,
    percent,
    score_grids,
    signed,
)
from harness.report.text import one_line

_STYLES = {"model": "bold", "baseline": "dim italic", "difference": "cyan"}


def score_table(runs: RunReport | Sequence[RunReport]) -> Table:
    """Scores in percent with 95 % intervals for the terminal.

    Rows are the models in order, then the paired difference of the last model to `base`, then
    the baselines; columns are the means and the tasks. Several runs or tasks get a column each.
    """
    all_runs = [runs] if isinstance(runs, RunReport) else list(runs)
    grids = [(run, grid) for run in all_runs for grid in score_grids(run)]
    columns = in_column_order((*MEANS, *(name for _, grid in grids for name in grid.columns)))
    keys = [
        *(["run"] if len(all_runs) > 1 else []),
        *(["task"] if len({grid.task for _, grid in grids}) > 1 else []),
    ]
    table = Table(
        title=_title(grids),
        caption=Text("\n" + "\n".join(dict.fromkeys(n for _, grid in grids for n in grid.notes))),
        box=box.MINIMAL,
        show_edge=False,
        padding=0,
        title_justify="left",
        caption_justify="left",
    )
    for key in (*keys, "model"):
        table.add_column(key, overflow="fold")
    for name in columns:
        table.add_column(Text(label(name)), justify="right", overflow="fold")
    for run, grid in grids:
        names = {"run": run.name, "task": grid.task}
        _add_rows(table, grid, columns, [one_line(names[key]) for key in keys])
    return table


def ends(interval: Interval, *, difference: bool = False) -> str:
    """`33.1, 37.6`: without brackets, so that a narrow terminal breaks it after the comma."""
    return bounds(interval, difference=difference).strip("[]")


def score_markdown(run: RunReport) -> str:
    """The same tables in Markdown, for a paper's notes or a model card."""
    parts = [f"# {_markdown(run.name)}", ""]
    for grid in score_grids(run):
        heads = ["model", *(label(name) for name in grid.columns)]
        parts += [f"## {_markdown(grid.task)}", "", _markdown_row(map(_markdown, heads))]
        parts.append(_markdown_row(["---", *["---:"] * len(grid.columns)]))
        parts += [_markdown_row(_markdown_cells(row)) for row in grid.rows]
        parts += ["", *(f"- {_markdown(note)}" for note in grid.notes), ""]
    return "\n".join(parts)


def _title(grids: Sequence[tuple[RunReport, ScoreGrid]]) -> Text:
    if not grids:
        return Text(f"scores: {NOT_RUN}")
    parts = dict.fromkeys(one_line(n) for run, grid in grids[:1] for n in (run.name, grid.task))
    return Text(" · ".join(parts) if len(grids) == 1 else "scores", style="bold")


def _add_rows(table: Table, grid: ScoreGrid, columns: Sequence[str], keys: Sequence[str]) -> None:
    for place, row in enumerate(grid.rows):
        cells = dict(zip(grid.columns, row.cells, strict=True))
        shown = [_cell(cells.get(name), row) for name in columns]
        after = grid.rows[place + 1].kind if place + 1 < len(grid.rows) else None
        mark = f"\n{row.note}" if row.note else ""
        name = Text.assemble((one_line(row.label), _STYLES[row.kind]), (mark, "yellow"))
        head = [Text(key) for key in keys] if place == 0 else [Text("")] * len(keys)
        table.add_row(*head, name, *shown, end_section=after != row.kind)


def _cell(interval: Interval | None, row: ScoreRow) -> Text:
    if interval is None:
        return Text("-", "dim")
    if row.kind != "difference":
        style = "dim italic" if row.kind == "baseline" else "bold"
        return Text.assemble((percent(interval.value), style), (f"\n{ends(interval)}", "dim"))
    clear = excludes_zero(interval)
    colour = ("green" if interval.value > 0 else "red") if clear else "default"
    return Text.assemble(
        (signed(interval.value) + ("*" if clear else ""), colour),
        (f"\n{ends(interval, difference=True)}", "dim"),
    )


def _markdown_cells(row: ScoreRow) -> list[str]:
    name = _markdown(row.label) + (f" ({row.note})" if row.note else "")
    name = f"*{name}*" if row.kind != "model" else name
    difference = row.kind == "difference"
    show = signed if difference else percent
    return [
        name,
        *(
            f"{show(cell.value)} {bounds(cell, difference=difference)}".strip() if cell else "-"
            for cell in row.cells
        ),
    ]


def _markdown_row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _markdown(text: str) -> str:
    escaped = html.escape(one_line(text, 1000), quote=False)
    return "".join(f"\\{char}" if char in "\\|*_`[]" else char for char in escaped)
