"""VSI-Bench from the user's own copy of its files."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from harness import HarnessError, Question, Task, TaskInput, UsageError
from harness_tasks.asking import Asking
from harness_tasks.settings import VsiBenchSettings
from harness_tasks.vsi_bench.rows import read_ids, read_questions

_SOURCE = "huggingface.co/datasets/nyu-visionx/VSI-Bench"


class VsiBench(Asking):
    """The benchmark, whole or a subset by id."""

    def __init__(self, settings: VsiBenchSettings) -> None:
        super().__init__(settings)
        self._settings = settings

    def missing(self) -> Sequence[str]:
        """The files that are not set or not there."""
        settings = self._settings
        lacking = []
        if settings.path is None:
            lacking.append(
                f"vsi_bench: path is not set; download a test-*.parquet or test.jsonl from {_SOURCE} "
                "and set evaluate.tasks.vsi_bench.path to it"
            )
        for name in ("path", "ids", "without_ids"):
            path = getattr(settings, name)
            if path is not None and not path.is_file():
                lacking.append(
                    f"vsi_bench: {name} is {path}, which is no file; "
                    f"correct evaluate.tasks.vsi_bench.{name}"
                )
        return lacking

    def questions(self, given: TaskInput) -> Sequence[Question]:
        """The benchmark's questions, in the file's order.

        Warns of ids to keep that do not occur (8 of the published tiny subset's 400 do not).

        Raises:
            UsageError: a file is not set or not there.
            HarnessError: a file is faulty, or no question is left.
        """
        if lacking := self.missing():
            raise UsageError("\n".join(lacking))
        assert self._settings.path is not None
        questions = read_questions(self._settings.path)
        kept = self._without(self._only(questions))
        if not kept:
            raise HarnessError(
                f"vsi_bench: none of the {len(questions)} questions of {self._settings.path} is left "
                f"by ids = {self._settings.ids} and without_ids = {self._settings.without_ids}"
            )
        return kept

    def _only(self, questions: Sequence[Question]) -> Sequence[Question]:
        if self._settings.ids is None:
            return questions
        ids = read_ids(self._settings.ids)
        if absent := sorted(ids - {q.id for q in questions}):
            warnings.warn(
                f"vsi_bench: {len(absent)} of the {len(ids)} ids in {self._settings.ids} do not occur "
                f"in {self._settings.path}: {', '.join(absent[:10])}",
                stacklevel=3,
            )
        return [q for q in questions if q.id in ids]

    def _without(self, questions: Sequence[Question]) -> Sequence[Question]:
        if self._settings.without_ids is None:
            return questions
        dropped = read_ids(self._settings.without_ids)
        return [q for q in questions if q.id not in dropped]


def build(settings: VsiBenchSettings) -> Task:
    """The task."""
    return VsiBench(settings)
