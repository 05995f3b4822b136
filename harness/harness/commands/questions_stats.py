"""`harness questions stats`: what a question set is like."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from harness.errors import UsageError
from harness.question_files import numbered_questions
from harness.question_stats import SetStats, TypeStats, describe
from harness.question_stats.findings import counted, findings
from harness.question_stats.page import title_of, write_page
from harness.terminal import one_line, printable


def describe_questions(rows: Path, out: Path | None, *, as_json: bool) -> None:
    """Print the statistics of a question set, and write them as a page.

    Raises:
        UsageError: `rows` is no question set, or `out` no .html file. HarnessError: faulty rows.
    """
    if out is not None and out.suffix != ".html":
        raise UsageError(f"--out {out}: a page ends in .html, found {out.suffix!r}")
    stats = describe(numbered_questions(rows, repeated_ids=True))
    if as_json:
        typer.echo(json.dumps(stats.to_json(), indent=1))
    else:
        _print(stats)
    if out is not None:
        write_page(out, rows.resolve().name, stats)
        typer.echo(f"page: {printable(str(out))}", err=True)


def _print(stats: SetStats) -> None:
    # piped, the table keeps its columns instead of being cut at 80 characters
    console = Console(highlight=False)
    console = console if console.is_terminal else Console(highlight=False, width=200)
    datasets = ", ".join(f"{one_line(name)} {rows:,}" for name, rows in stats.datasets.items())
    console.print(
        f"{counted(stats.questions, 'question')}, {counted(stats.scenes, 'scene')}, "
        f"{counted(stats.spaces, 'space')}: {escape(datasets)}",
        soft_wrap=True,
    )
    table = Table(box=None, pad_edge=False)
    for heading in _HEADINGS:
        table.add_column(heading, justify="left" if heading in ("type", "answers") else "right")
    for one in stats.types:
        table.add_row(*(escape(one_line(cell)) for cell in _row(one, stats)))
    macro = (_percent(stats.macro_frequency), _percent(stats.macro_text))
    table.add_row("mean over tasks", *[""] * (len(_HEADINGS) - 3), *macro)
    console.print(table)
    for sentence in findings(stats):
        console.print(f"- {escape(one_line(sentence))}", soft_wrap=True)


_HEADINGS = (
    "type", "answers", "questions", "scenes", "most frequent", "entropy", "letters p", "chance",
    "frequency", "text alone",
)  # fmt: skip


def _row(one: TypeStats, stats: SetStats) -> Iterator[str]:
    answer, times = one.top[0]
    yield title_of(one, stats.types)
    yield _range(one)
    yield f"{one.questions:,}"
    yield f"{one.scenes:,}"
    yield f"{answer[:24]} ({_percent(times / one.questions)} %)"
    yield f"{one.entropy:.2f}"
    yield f"{one.letters.p:.2g}" if one.letters else "-"
    yield _percent(one.blind.chance)
    yield _percent(one.blind.frequency)
    yield _percent(one.blind.text)


def _range(one: TypeStats) -> str:
    """The spread of numbers, or how many letters or words."""
    if one.numbers is not None:
        low, middle, high = (one.numbers.quantiles[share] for share in ("0", "0.5", "1"))
        return f"{low:g} to {high:g}, median {middle:g}"
    if one.letters is not None:
        return f"letters A to {list(one.letters.counts)[-1]}"
    return f"{one.answers:,} words"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}"
