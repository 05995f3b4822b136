"""`harness report`: the tables and pages of finished runs, again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from harness.errors import UsageError
from harness.report import (
    compare_runs,
    load_run,
    reward_summary,
    score_table,
    write_comparison,
    write_report,
)
from harness.runs import RECORD


def report(runs: list[Path]) -> None:
    """Write the report of each run; with several, the comparison too.

    Raises:
        UsageError: a folder holds no run.
    """
    folders = [cell for run in runs for cell in _cells(run)]
    for folder in folders:
        page = write_report(folder)
        if len(folders) == 1:
            print_run(folder)
        Console(stderr=True).print(f"report: {escape(str(page))}", soft_wrap=True)
    if len(folders) > 1:
        print_comparison(folders)
        home = runs[0] if len(runs) == 1 else runs[0].parent
        page = write_comparison(folders, home / "comparison.html")
        Console(stderr=True).print(f"comparison: {escape(str(page))}", soft_wrap=True)


def print_run(folder: Path) -> None:
    """The score table and the course of the reward of one run."""
    console = _console()
    run = load_run(folder)
    console.print(score_table(run))
    for line in reward_summary(run):
        console.print(escape(line), soft_wrap=True)


def print_comparison(folders: Sequence[Path]) -> None:
    """The comparison table of several runs."""
    _console().print(compare_runs(list(folders)))


def _cells(run: Path) -> list[Path]:
    if (run / RECORD).is_file():
        return [run]
    cells = sorted(path.parent for path in run.glob(f"*/{RECORD}"))
    if not cells:
        raise UsageError(
            f"{run} holds no run: expected a folder with {RECORD}, as `harness run` makes under runs/"
        )
    return cells


def _console() -> Console:
    # piped, a table keeps all its columns instead of being cut at 80 characters
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=200)
