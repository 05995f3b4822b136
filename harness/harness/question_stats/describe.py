"""Everything there is to say about a question set, as values."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from harness.question import AnswerKind, Question
from harness.question_files.description import quantiles
from harness.question_stats.blind import Blind, blind_scores, fold_of_spaces
from harness.question_stats.collect import Contradiction, Group, Rows, collect
from harness.scoring.aggregate import table_order

QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
_BINS = 20
_SMALL = 1e9  # beyond, the edges between whole numbers lose their halves
_TOP = 10


@dataclass(frozen=True)
class Letters:
    """How right answers are spread over the letters.

    Args:
        counts: questions by right letter, of all letters that any question offers.
        expected: questions by letter if each of a question's options were as likely.
        chi_square: Pearson's statistic against that; p: how often chance alone gives as much.
    """

    counts: Mapping[str, int]
    expected: Mapping[str, float]
    chi_square: float
    p: float


@dataclass(frozen=True)
class Numbers:
    """How numeric answers are spread.

    Args:
        quantiles: share -> value, lower quantiles.
        edges, counts: a histogram; the last bin holds its right edge too.
    """

    mean: float
    quantiles: Mapping[str, float]
    edges: tuple[float, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True)
class TypeStats:
    """One question type; a type with answers of two kinds (in two styles) stands there twice.

    Args:
        questions: rows; scenes: scenes they are about.
        answers: different right answers; top: the most frequent with their counts.
        entropy: of the right answers, in bits.
        letters, numbers: by kind of answer, else None.
        blind: what a guesser scores who never looks.
    """

    question_type: str
    kind: AnswerKind
    questions: int
    scenes: int
    answers: int
    top: tuple[tuple[str, int], ...]
    entropy: float
    letters: Letters | None
    numbers: Numbers | None
    blind: Blind


@dataclass(frozen=True)
class SetStats:
    """A question set.

    Args:
        types: in VSI-Bench's order, own types after.
        datasets: questions by data set.
        macro_frequency, macro_text: means over VSI-Bench's tasks that occur, as its average is.
        repeated, contradicting, repeated_ids: rows, see `Rows`.
        contradictions: the first 20.
        leaks: benchmark or split -> questions about its scenes.
    """

    questions: int
    scenes: int
    spaces: int
    datasets: Mapping[str, int]
    types: tuple[TypeStats, ...]
    macro_frequency: float
    macro_text: float | None
    repeated: int
    contradicting: int
    repeated_ids: int
    contradictions: tuple[Contradiction, ...]
    leaks: Mapping[str, int]

    def to_json(self) -> dict[str, Any]:
        """A JSON value with the fields' names."""
        return asdict(self)


def describe(questions: Iterable[tuple[int, Question]]) -> SetStats:
    """Statistics of numbered questions; the same set gives the same numbers."""
    rows = collect(questions)
    folds = fold_of_spaces(rows.spaces)
    words = list(rows.vocabulary)
    order = table_order(question_type for question_type, _ in rows.groups)
    place = {name: n for n, name in enumerate(name for names in order.values() for name in names)}
    groups = sorted(rows.groups.values(), key=lambda g: (place[g.question_type], g.kind))
    types = tuple(_type(group, blind_scores(group, words, folds)) for group in groups)
    return _set(rows, types, order)


def _set(
    rows: Rows, types: tuple[TypeStats, ...], order: Mapping[str, tuple[str, ...]]
) -> SetStats:
    counted = rows.composition
    return SetStats(
        questions=counted.questions,
        scenes=len(counted.scenes),
        spaces=len(rows.spaces),
        datasets=dict(sorted(rows.datasets.items())),
        types=types,
        macro_frequency=_macro(order, {t: _mean(types, t, "frequency") for t in _names(types)}),
        macro_text=(
            None
            if any(one.blind.text is None for one in types)
            else _macro(order, {t: _mean(types, t, "text") for t in _names(types)})
        ),
        repeated=rows.repeated,
        contradicting=rows.contradicting,
        repeated_ids=rows.repeated_ids,
        contradictions=tuple(rows.contradictions),
        leaks=dict(sorted(counted.leaks.items())),
    )


def _names(types: Sequence[TypeStats]) -> set[str]:
    return {one.question_type for one in types}


def _mean(types: Sequence[TypeStats], name: str, which: str) -> float:
    """A type's score over its kinds, by their questions."""
    kinds = [one for one in types if one.question_type == name]
    total = sum(one.questions for one in kinds)
    return float(sum(getattr(one.blind, which) * one.questions for one in kinds) / total)


def _macro(order: Mapping[str, tuple[str, ...]], scores: Mapping[str, float]) -> float:
    tasks = [sum(scores[name] for name in names) / len(names) for names in order.values()]
    return sum(tasks) / len(tasks)


def _type(group: Group, blind: Blind) -> TypeStats:
    answers = Counter(group.answers)
    shares = [times / answers.total() for times in answers.values()]
    return TypeStats(
        question_type=group.question_type,
        kind=group.kind,
        questions=len(group.answers),
        scenes=len(group.scenes),
        answers=len(answers),
        top=tuple(sorted(answers.items(), key=lambda pair: (-pair[1], pair[0]))[:_TOP]),
        entropy=abs(sum(share * math.log2(share) for share in shares)),
        letters=_letters(group) if group.kind == "letter" else None,
        numbers=_numbers(group) if group.kind == "number" else None,
        blind=blind,
    )


def _letters(group: Group) -> Letters:
    most = max(map(len, group.options))
    observed, expected = [0] * most, [0.0] * most
    for row, options in enumerate(group.options):
        observed[group.gold(row)] += 1
        for letter in range(len(options)):
            expected[letter] += 1 / len(options)
    chi_square = sum((o - e) ** 2 / e for o, e in zip(observed, expected, strict=True))
    names = [chr(ord("A") + place) for place in range(most)]
    return Letters(
        counts=dict(zip(names, observed, strict=True)),
        expected=dict(zip(names, expected, strict=True)),
        chi_square=chi_square,
        p=float(chdtrc(most - 1, chi_square)),
    )


def _numbers(group: Group) -> Numbers:
    values = np.array([float(answer) for answer in group.answers])
    counts = Counter(values.tolist())
    found = quantiles(counts, QUANTILES)
    edges = _edges(values, len(counts))
    return Numbers(
        mean=float((values / len(values)).sum()),  # a sum of great numbers has no room
        quantiles={f"{share:g}": value for share, value in zip(QUANTILES, found, strict=True)},
        edges=tuple(edges.tolist()),
        counts=tuple(np.histogram(values, edges)[0].tolist()),
    )


def _edges(values: NDArray[np.float64], different: int) -> NDArray[np.float64]:
    """A bin for each number where they are few and whole, else twenty from the least to the greatest."""
    low, high = float(values.min()), float(values.max())
    small = low > -_SMALL and high < _SMALL
    whole = bool((values == np.round(values)).all())
    if small and whole and high - low < _BINS and different <= _BINS:
        return np.arange(low - 0.5, high + 1, dtype=np.float64)
    if high == low:
        reach = max(1.0, abs(low) / 1000) / 2
        return np.array([low - reach, low + reach])
    if not math.isfinite(high - low):
        return np.array([low, high])
    return np.linspace(low, high, _BINS + 1)
