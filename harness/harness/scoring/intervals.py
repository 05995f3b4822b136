"""95 % intervals by a bootstrap over scenes.

Questions about one scene share its video, so scenes are drawn, not questions: a resample takes as
many scenes as there are, with replacement, each with all its questions. The interval is the 2.5th
to the 97.5th percentile of the resampled scores.

An interval is left out (None) rather than guessed: where a question type of a row is asked in one
scene only (its spread between scenes is unknown), and where more than half of the resamples miss
such a type.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.component import Scored
from harness.errors import HarnessError, UsageError
from harness.question import Question
from harness.scoring.aggregate import check_scores, missing_types, summarise, table_order
from harness.scoring.table import Score, ScoreTable

Array = NDArray[np.float64]

# Drawn scenes held at once: 32 MB of weights, whatever the number of scenes and resamples.
_BLOCK = 4_000_000


def score_table(scored: Sequence[Scored], *, resamples: int = 1000, seed: int = 0) -> ScoreTable:
    """Scores of one evaluation by row, with intervals; the order of `scored` does not matter.

    Raises:
        HarnessError: there are no scores, one is not finite, or two share a question id.
    """
    values = summarise(scored)
    _index(scored, "scored answers")
    questions = [one.question for one in scored]
    rows = _rows(values, questions, [one.score for one in scored], resamples, seed)
    return ScoreTable(
        rows=rows,
        n=len(scored),
        scenes=len({(q.dataset, q.scene) for q in questions}),
        missing=missing_types(q.question_type for q in questions),
        resamples=resamples,
        seed=seed,
    )


def paired_difference(
    before: Sequence[Scored], after: Sequence[Scored], *, resamples: int = 1000, seed: int = 0
) -> Mapping[str, Score]:
    """How much each row rose from `before` to `after`, in [-1, 1], with intervals.

    Both answer the same questions, so the difference is taken question by question: its interval
    is far narrower than those of the two tables.

    Raises:
        HarnessError: the two do not hold the same questions, or `score_table` would raise.
    """
    check_scores(before)
    check_scores(after)
    first, second = _index(before, "before"), _index(after, "after")
    _check_same_questions(first, second)
    differences = [
        Scored(first[i].question, "", None, second[i].score - first[i].score) for i in first
    ]
    questions = [one.question for one in differences]
    scores = [one.score for one in differences]
    return _rows(summarise(differences), questions, scores, resamples, seed)


def _rows(
    values: Mapping[str, float],
    questions: Sequence[Question],
    scores: Sequence[float],
    resamples: int,
    seed: int,
) -> dict[str, Score]:
    if resamples < 1:
        raise UsageError(f"scoring: resamples must be 1 or more, found {resamples}")
    sample = _Sample.of(questions, scores)
    spread = sample.intervals(resamples, seed)
    counts = sample.questions_by_row()
    return {
        name: Score(value, *interval, n)
        for (name, value), interval, n in zip(values.items(), spread, counts, strict=True)
    }


@dataclass(frozen=True)
class _Sample:
    """Sums and counts by scene and question type, and how types make rows.

    Args:
        sums: (scenes, types) of scores.
        counts: (scenes, types) questions.
        mixing: (types, tasks + 1); the means of the types @ mixing are the tasks, then macro.
    """

    sums: Array
    counts: Array
    mixing: Array

    @classmethod
    def of(cls, questions: Sequence[Question], scores: Sequence[float]) -> _Sample:
        tasks = table_order(q.question_type for q in questions)
        types = [t for types in tasks.values() for t in types]
        type_at = {t: i for i, t in enumerate(types)}
        scene_at = {s: i for i, s in enumerate(sorted({(q.dataset, q.scene) for q in questions}))}
        # Sorted, so that sums round the same whatever the order of the answers.
        order = sorted(range(len(questions)), key=lambda i: questions[i].id)
        cells = (
            np.array([scene_at[questions[i].dataset, questions[i].scene] for i in order]),
            np.array([type_at[questions[i].question_type] for i in order]),
        )
        sums, counts = np.zeros((2, len(scene_at), len(types)))
        np.add.at(sums, cells, [scores[i] for i in order])
        np.add.at(counts, cells, 1)

        mixing = np.zeros((len(types), len(tasks) + 1))
        for column, levels in enumerate(tasks.values()):
            for level in levels:
                mixing[type_at[level], column] = 1 / len(levels)
        mixing[:, -1] = mixing[:, :-1].sum(axis=1) / len(tasks)
        return cls(sums, counts, mixing)

    def questions_by_row(self) -> list[int]:
        """Questions behind each row: the tasks, macro, micro."""
        by_row = self.counts.sum(axis=0) @ (self.mixing > 0)
        return [*(int(n) for n in by_row), int(self.counts.sum())]

    def intervals(self, resamples: int, seed: int) -> list[tuple[float | None, float | None]]:
        """(low, high) of each row: the tasks, macro, micro."""
        scenes = len(self.counts)
        needs = self.mixing > 0
        shallow = ((self.counts > 0).sum(axis=0) < 2) @ needs
        known = [*(not s for s in shallow), scenes >= 2]
        if not any(known):
            return [(None, None)] * len(known)
        drawn = np.concatenate(
            [self._resampled(times) for times in _draw_scenes(scenes, resamples, seed)]
        )
        return [
            _percentiles(column) if ok else (None, None)
            for column, ok in zip(drawn.T, known, strict=True)
        ]

    def _resampled(self, times: Array) -> Array:
        """(resamples, rows) scores; NaN where a type of the row was not drawn."""
        sums, counts = times @ self.sums, times @ self.counts
        drawn = counts > 0
        means = np.divide(sums, counts, out=np.zeros_like(sums), where=drawn)
        rows = means @ self.mixing
        needs = self.mixing > 0
        rows[drawn.astype(np.float64) @ needs < needs.sum(axis=0)] = np.nan
        micro = sums.sum(axis=1) / counts.sum(axis=1)
        return np.column_stack((rows, micro))


def _draw_scenes(scenes: int, resamples: int, seed: int) -> Iterator[Array]:
    """How often each scene is drawn, (resamples, scenes) in blocks."""
    rng = np.random.default_rng(seed)
    block = max(1, _BLOCK // scenes)
    for start in range(0, resamples, block):
        size = min(block, resamples - start)
        drawn = rng.integers(scenes, size=(size, scenes)) + scenes * np.arange(size)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=size * scenes)
        yield counts.reshape(size, scenes).astype(np.float64)


def _percentiles(resampled: Array) -> tuple[float | None, float | None]:
    usable = resampled[~np.isnan(resampled)]
    if 2 * len(usable) < len(resampled):
        return None, None
    low, high = np.percentile(usable, (2.5, 97.5))
    return float(low), float(high)


def _index(scored: Sequence[Scored], name: str) -> dict[str, Scored]:
    by_id = {one.question.id: one for one in scored}
    if len(by_id) != len(scored):
        counts = Counter(one.question.id for one in scored)
        twice = [i for i, n in counts.items() if n > 1]
        raise HarnessError(
            f"{name}: every question must be answered once, found these ids more than once: "
            f"{_listed(twice)}"
        )
    return by_id


def _check_same_questions(first: Mapping[str, Scored], second: Mapping[str, Scored]) -> None:
    problems = [
        f"{len(ids)} questions are {where} only: {_listed(sorted(ids))}"
        for where, ids in (
            ("before", first.keys() - second.keys()),
            ("after", second.keys() - first.keys()),
        )
        if ids
    ]
    changed = [
        i
        for i in sorted(first.keys() & second.keys())
        if _identity(first[i].question) != _identity(second[i].question)
    ]
    if changed:
        problems.append(f"{len(changed)} ids name different questions: {_listed(changed)}")
    if problems:
        raise HarnessError(
            "paired difference: both runs must answer the same questions; " + "; ".join(problems)
        )


def _identity(question: Question) -> tuple[str, str]:
    return question.content_id(), question.gold


def _listed(ids: Sequence[str], most: int = 10) -> str:
    more = f" and {len(ids) - most} more" if len(ids) > most else ""
    return ", ".join(repr(i) for i in ids[:most]) + more
