"""The run's own held-out questions, asked and scored as VSI-Bench's."""

from __future__ import annotations

from collections.abc import Sequence

from harness import HarnessError, Question, Task, TaskInput
from harness_tasks.asking import Asking, check_ids
from harness_tasks.settings import AskSettings


class Generated(Asking):
    """Questions that were generated on scenes no training question is about."""

    def missing(self) -> Sequence[str]:
        """Nothing: the run brings the questions."""
        return ()

    def questions(self, given: TaskInput) -> Sequence[Question]:
        """The run's held-out questions.

        Raises:
            HarnessError: there are none, or two share an id.
        """
        if not given.held_out:
            raise HarnessError(
                "task generated: the run made no questions on its held-out scenes; check "
                "scenes.evaluate and questions.families, or evaluate another task"
            )
        check_ids(given.held_out, "task generated")
        return given.held_out


def build(settings: AskSettings) -> Task:
    """The task."""
    return Generated(settings)
