"""`harness questions audit`: which answers of a question set its scenes confirm."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import IO

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from harness.atomic import replacing
from harness.audit import Audited, Tally, audit
from harness.commands.audit_families import audit_categories, audit_families
from harness.commands.source import open_source, source_part
from harness.errors import UsageError
from harness.generate import Categories, with_drawn_frames
from harness.guarded import GuardedScenes
from harness.plugins import load_catalogue
from harness.progress import bar
from harness.question import Question
from harness.question_files import read_questions
from harness.scene import Scene
from harness.schema import LayoutVideo
from harness.terminal import one_line

_SHOWN = 20
_REASONS_SHOWN = 5
_ROWS_A_STEP = 100


@dataclass
class _Report:
    """What is printed: counts, the first disagreeing rows, and why others could not be told."""

    tally: Tally = field(default_factory=Tally)
    wrong: list[Audited] = field(default_factory=list)
    untold: Counter[str] = field(default_factory=Counter)

    def add(self, audited: Audited) -> None:
        self.tally.add(audited)
        if audited.found.agrees is False and len(self.wrong) < _SHOWN:
            self.wrong.append(audited)
        if audited.found.agrees is None:
            self.untold[next(iter(audited.found.reasons), "no reason given")] += 1


def audit_questions(
    rows: Path,
    source: str,
    settings: list[str],
    preset: str,
    changes: list[str],
    out: Path | None,
    *,
    as_json: bool,
) -> None:
    """Print how many answers the scenes confirm, and write a verdict on each row if asked to.

    Raises:
        UsageError: the source, the preset or a path is wrong.
        HarnessError: a row of the file cannot be read; file and line are named.
    """
    if out is not None and (out.suffix != ".jsonl" or out.resolve() == rows.resolve()):
        raise UsageError(f"--out {out}: expected a .jsonl file other than the rows themselves")
    catalogue = load_catalogue()
    families = audit_families(preset, changes, catalogue)
    categories = audit_categories(preset, changes, catalogue)
    scenes = open_source(source_part(source, settings))
    questions = read_questions(rows, repeated_ids=True)
    first = list(islice(questions, 1))
    seed = max((question.seed or 0 for question in first), default=0)
    scene_of = _as_asked(scenes, categories, seed)
    report = _Report()
    with bar("audit", "rows") as step, _written(out) as file:
        for audited in audit(chain(first, questions), scene_of, families):
            report.add(audited)
            if file is not None:
                file.write(json.dumps(audited.as_row(), sort_keys=True, allow_nan=False) + "\n")
            if audited.row % _ROWS_A_STEP == 0:
                step(audited.row, audited.row, audited.question.scene)
        step(report.tally.rows.total(), report.tally.rows.total(), "")
    if as_json:
        typer.echo(json.dumps(report.tally.as_json(), indent=1))
    else:
        _print(report)


def _as_asked(
    scenes: GuardedScenes, categories: Categories, seed: int
) -> Callable[[str], Scene | None]:
    """Gives scenes as `harness questions build` asked about them.

    Args:
        seed: the set was built with, for the walks through scenes that are drawn.
    """
    known = frozenset(scenes.scene_ids())

    def scene_of(scene_id: str) -> Scene | None:
        if scene_id not in known:
            return None
        scene = scenes.load(scene_id)
        if scenes.drawn:
            scene = with_drawn_frames(scene, LayoutVideo(), max(0, seed))
        return categories.applied(scene)

    return scene_of


@contextmanager
def _written(out: Path | None) -> Iterator[IO[str] | None]:
    with replacing(out) if out is not None else nullcontext() as path:
        if path is None:
            yield None
        else:
            with path.open("w", encoding="utf-8") as file:
                yield file


def _print(report: _Report) -> None:
    console = Console(highlight=False)
    if not console.is_terminal:  # piped, lines and tables are not cut at 80 characters
        console = Console(highlight=False, width=200)
    console.print(_table(report.tally))
    tally = report.tally
    wrong = tally.recomputed.total() - tally.agree.total()
    if wrong:
        shown = f", the first {_SHOWN}" if wrong > _SHOWN else ""
        disagree = (
            "row disagrees with its scene" if wrong == 1 else "rows disagree with their scenes"
        )
        console.print(f"\n[bold]{wrong} {disagree}[/]{shown}:")
    for audited in report.wrong:
        for line in _lines(audited):
            console.print(escape(line), soft_wrap=True)
    if report.untold:
        untold = report.untold.total()
        console.print(
            f"\n{untold} {'row' if untold == 1 else 'rows'} cannot be told, most often as:"
        )
    for reason, times in report.untold.most_common(_REASONS_SHOWN):
        console.print(escape(f"  {times} x {one_line(reason)}"), soft_wrap=True)


def _table(tally: Tally) -> Table:
    table = Table("question type")
    for title in ("rows", "recomputed", "agree", "%"):
        table.add_column(title, justify="right")
    counters = (tally.rows, tally.recomputed, tally.agree)
    lines = [(kind, [counter[kind] for counter in counters]) for kind in tally.types]
    for kind, (rows, recomputed, agree) in [*lines, ("all", [c.total() for c in counters])]:
        share = f"{100 * agree / recomputed:.1f}" if recomputed else "-"
        table.add_row(escape(one_line(kind)), str(rows), str(recomputed), str(agree), share)
    return table


def _lines(audited: Audited) -> Iterator[str]:
    question, found = audited.question, audited.found
    margin = "" if found.margin is None else f", margin {found.margin:.3g}"
    recomputed = "nothing" if found.answer is None else _shown(question, found.answer)
    yield one_line(
        f"row {audited.row} ({question.id}, {question.scene}, {question.question_type}): "
        f"stated {_shown(question, question.answer)}, recomputed {recomputed}{margin}"
    )
    yield from (f"    {one_line(text)}" for text in (question.text, *found.reasons))


def _shown(question: Question, answer: str) -> str:
    if question.options is None or answer not in question.options:
        return answer
    letter = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[question.options.index(answer)]
    return f"{letter} ({answer})"
