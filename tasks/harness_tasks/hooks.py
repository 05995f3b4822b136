"""The built-in tasks."""

from __future__ import annotations

from collections.abc import Iterable

from harness import Component, Task, hookimpl
from harness_tasks.settings import AskSettings, VsiBenchSettings


@hookimpl
def harness_tasks() -> Iterable[Component[Task]]:
    """VSI-Bench from its files, and the same measure on generated questions."""
    return [
        Component(
            "generated",
            AskSettings,
            "harness_tasks.generated:build",
            "questions generated on the held-out scenes, asked and scored as VSI-Bench's",
        ),
        Component(
            "vsi_bench",
            VsiBenchSettings,
            "harness_tasks.vsi_bench.task:build",
            "VSI-Bench, its subsets, or any file of questions in its form",
        ),
    ]
