"""Which questions and rollouts a page shows: always the same ones, spread over types and outcomes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from harness.report.load import BASE, Answer, Evaluation, RolloutRow, RunReport, Stage
from harness.report.scores import in_column_order
from harness.report.thumbnails import spread

Outcome = Literal["right", "partly right", "wrong"]
Change = Literal["better", "same", "worse", "unknown"]

OUTCOMES: tuple[Outcome, ...] = ("right", "partly right", "wrong")
MAX_SAMPLES = 30
MAX_GROUPS = 6
MAX_COMPLETIONS = 16


@dataclass(frozen=True)
class Sample:
    """A question with every model's answer (None where the model was not asked).

    Args:
        task: name of the task.
        reference: the answer of the model the outcome is about (`reference_model`).
        shown: an answer that was given with video, for the frames.
        outcome: of the reference; `change` compares its score with that of `base`.
        answers: every evaluation of the task with its answer.
    """

    task: str
    reference_model: str
    reference: Answer
    shown: Answer
    outcome: Outcome
    change: Change
    answers: tuple[tuple[Evaluation, Answer | None], ...]


@dataclass(frozen=True)
class RolloutGroup:
    """The completions of one question at one step, `left_out` of them not shown."""

    step: int
    rows: tuple[RolloutRow, ...]
    left_out: int = 0

    @property
    def reward_names(self) -> tuple[str, ...]:
        """Names of the rewards, in the order they were written."""
        return tuple(dict.fromkeys(name for row in self.rows for name in row.rewards))


def samples(run: RunReport, limit: int = MAX_SAMPLES) -> list[Sample]:
    """At most `limit` questions of every task, right and wrong ones of each type in turn."""
    return [sample for task in run.tasks for sample in _of_task(run, task, limit)]


def rollout_groups(stage: Stage, limit: int = MAX_GROUPS) -> list[RolloutGroup]:
    """One group at each of `limit` steps between the first and the last."""
    by_step: dict[int, dict[str, list[RolloutRow]]] = {}
    for row in stage.rollouts:
        by_step.setdefault(row.step, {}).setdefault(row.id, []).append(row)
    groups = []
    for step in spread(sorted(by_step), limit):
        # A group whose rewards differ teaches; the digest makes the choice among those.
        question = min(
            by_step[step], key=lambda id_: (not _differs(by_step[step][id_]), _digest(id_))
        )
        rows = by_step[step][question]
        left_out = max(0, len(rows) - MAX_COMPLETIONS)
        groups.append(RolloutGroup(step, tuple(rows[:MAX_COMPLETIONS]), left_out))
    return groups


def outcome(score: float) -> Outcome:
    """Right from a full score on, wrong without any."""
    if score >= 1 - 1e-9:
        return "right"
    return "partly right" if score > 0 else "wrong"


def _of_task(run: RunReport, task: str, limit: int) -> list[Sample]:
    answered = [e for e in run.of_task(task) if e.answers]
    models = [e for e in answered if not e.baseline] or answered
    if not models:
        return []
    tables = {e.model: {a.id: a for a in e.answers} for e in answered}
    chosen = _chosen(models[-1].answers, limit)
    return [_sample(run.of_task(task), tables, models[-1].model, answer) for answer in chosen]


def _chosen(answers: Sequence[Answer], limit: int) -> list[Answer]:
    """Each type's right, partly right and wrong answers in turn, until `limit` is reached."""
    order = {name: place for place, name in enumerate(in_column_order(_types(answers)))}

    def cell(answer: Answer) -> tuple[int, int]:
        return order[answer.question_type], OUTCOMES.index(outcome(answer.score))

    ranked = sorted(answers, key=lambda a: (*cell(a), _digest(a.id)))
    rounds = [
        (place, cell(answer), answer)
        for _, members in groupby(ranked, key=cell)
        for place, answer in enumerate(members)
    ]
    first = sorted(rounds, key=lambda item: item[:2])[:limit]
    return [answer for _, _, answer in sorted(first, key=lambda item: (item[1], item[0]))]


def _sample(
    evaluations: Sequence[Evaluation],
    tables: Mapping[str, Mapping[str, Answer]],
    model: str,
    answer: Answer,
) -> Sample:
    answers = tuple((e, tables.get(e.model, {}).get(answer.id)) for e in evaluations)
    given = [a for _, a in answers if a is not None and a.frame_indices and a.video]
    before = tables.get(BASE, {}).get(answer.id) if model != BASE else None
    return Sample(
        task=evaluations[0].task,
        reference_model=model,
        reference=answer,
        shown=answer if answer in given or not given else given[-1],
        outcome=outcome(answer.score),
        change=_change(before, answer),
        answers=answers,
    )


def _change(before: Answer | None, after: Answer) -> Change:
    if before is None:
        return "unknown"
    if before.score == after.score:
        return "same"
    return "better" if after.score > before.score else "worse"


def _types(answers: Sequence[Answer]) -> list[str]:
    return sorted({answer.question_type for answer in answers})


def _differs(rows: Sequence[RolloutRow]) -> bool:
    return len({row.reward for row in rows}) > 1


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()
