"""Progress on the terminal: bars with rates and time left, one line a stage elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Step = Callable[[int, int, str], None]


@contextmanager
def bar(label: str, unit: str) -> Iterator[Step]:
    """A progress bar: call the given function with (done, total, what to show beside it).

    Quiet when standard error is not a terminal; then one line tells the end and the rate.
    """
    begun = time.monotonic()
    if not sys.stderr.isatty():
        count = [0]

        def count_only(done: int, _total: int, _shown: str) -> None:
            count[0] = done

        yield count_only
        seconds = time.monotonic() - begun
        _say(f"{label}: {count[0]} {unit} in {seconds:.1f} s")
        return
    with _rich_bar(label, unit) as step:
        yield step


@contextmanager
def _rich_bar(label: str, unit: str) -> Iterator[Step]:
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.speed:.1f} {unit}/s" if task.speed else "")

    columns: list[Any] = [
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[shown]}"),
    ]
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(escape(label), total=None, shown="")

        def step(done: int, total: int, shown: str) -> None:
            progress.update(task, completed=done, total=total, shown=escape(shown))

        yield step


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
