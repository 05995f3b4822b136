"""`harness questions leak`: does a question set ask about scenes that benchmarks test on?"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import typer

from harness.leak import leaked
from harness.question_files import numbered_questions
from harness.terminal import one_line


@dataclass
class Found:
    """What a set holds: questions, scenes, and leaked rows by split and (dataset, scene)."""

    questions: int = 0
    scenes: dict[tuple[str, str], str] = field(default_factory=dict)
    rows: dict[str, dict[tuple[str, str], list[int]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )


def find_leaks(rows: Path, *, as_json: bool) -> None:
    """Print the leaked scenes by benchmark or split, and leave with 1 if there are any.

    A row that carries a mark of its own is leaked whether the scene is known here or not.

    Raises:
        UsageError, HarnessError: the file is no question set.
    """
    found = _find(rows)
    if as_json:
        typer.echo(json.dumps(_as_json(found), indent=1))
    else:
        for line in _lines(found):
            typer.echo(one_line(line) if not line.startswith("  ") else f"  {one_line(line)}")
    if found.rows:
        raise typer.Exit(1)


def _find(path: Path) -> Found:
    found = Found()
    for number, question in numbered_questions(path, repeated_ids=True):
        found.questions += 1
        scene = (question.dataset, question.scene)
        if scene not in found.scenes:
            found.scenes[scene] = leaked(*scene) or ""
        if split := found.scenes[scene] or question.leak:
            found.rows[split][scene].append(number)
    return found


def _as_json(found: Found) -> dict[str, object]:
    return {
        "questions": found.questions,
        "scenes": len(found.scenes),
        "leaked_questions": sum(_count(scenes.values()) for scenes in found.rows.values()),
        "leaked_scenes": sum(map(len, found.rows.values())),
        "splits": {
            split: [
                {"dataset": dataset, "scene": scene, "rows": numbers}
                for (dataset, scene), numbers in sorted(scenes.items())
            ]
            for split, scenes in sorted(found.rows.items())
        },
    }


def _lines(found: Found) -> Iterator[str]:
    among = f"{_of(found.questions, 'question')} about {_of(len(found.scenes), 'scene')}"
    if not found.rows:
        yield f"no leak in {among}"
        return
    for split, scenes in sorted(found.rows.items()):
        questions = _of(_count(scenes.values()), "question")
        yield f"{split}: {_of(len(scenes), 'scene')}, {questions}"
        for (dataset, scene), numbers in sorted(scenes.items()):
            yield f"  {dataset}/{scene}: rows {ranges(numbers)}"
    yield f"leaks in {among}: scores on those benchmarks mean nothing after training on them"


def ranges(numbers: Sequence[int]) -> str:
    """Ascending numbers, runs shortened.

    Example:
        >>> ranges([1, 2, 3, 7])
        '1-3, 7'
    """
    runs = (
        [number for _, number in run]
        for _, run in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0])
    )
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def _count(groups: Iterable[Sequence[int]]) -> int:
    return sum(map(len, groups))


def _of(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
