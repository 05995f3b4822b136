"""How far one gets without looking: one fixed answer, and a model that reads the text alone.

The stress test of VSI-Bench-Debiased (arXiv 2511.04655) trains a text-only model in five folds on
the test set itself; what it scores is bias, not sight. This is a small one, meant to be quick and
the same everywhere:

- numbers: ridge regression of the logarithm of the answer on which phrases stand in which slot of
  the question and on all of them together; a factor of the prediction, or of the mean alone, is
  chosen by MRA on folds apart, and the nearest answer seen in training is the answer;
- choices: naive Bayes over the options (its letter, its text, its parts and their order, its text
  together with each phrase of the question); the most likely option is the answer.

Folds are split by space, so what it learns about a room it never uses on that room. It is a lower
bound of what a text-only model can reach: a language model finds more.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.question_stats.collect import Group
from harness.question_stats.phrases import slot_phrases
from harness.scoring.metrics import TOLERANCES, mean_relative_accuracy, same_text

FOLDS = 5
_RIDGE = 1.0
_FEATURES = 1_000
_FACTORS = tuple(1.05**n for n in range(-20, 21))
_MOST_CANDIDATES = 40
_SMOOTHING = 1.0

Array = NDArray[np.float64]
Folds = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Blind:
    """Scores in [0, 1] of answers given without looking, means over a group's questions.

    Args:
        chance: a letter drawn at random, None for other answers.
        frequency: always the most frequent answer of the group itself, VSI-Bench's "chance level
            (frequency)".
        text: the text-only model, by folds; None if all questions are about one space.
        answer: the most frequent answer.
    """

    chance: float | None
    frequency: float
    text: float | None
    answer: str


def blind_scores(group: Group, words: Sequence[str], folds: Folds) -> Blind:
    """What a group's questions give away.

    Args:
        words: the vocabulary by number.
        folds: fold of each space, by its number.
    """
    answer, frequency = most_frequent(group)
    here = folds[np.asarray(group.spaces, dtype=np.int64)]
    text = None
    if len(np.unique(here)) > 1:
        phrases = list(slot_phrases(group.tokens, words))
        right = (
            _numbers(group, phrases, here)
            if group.kind == "number"
            else _choices(group, phrases, here)
        )
        text = None if right is None else float(right.mean())
    chance = None
    if group.kind == "letter":
        chance = float(np.mean([1 / len(options) for options in group.options]))
    return Blind(chance, frequency, text, answer)


def most_frequent(group: Group) -> tuple[str, float]:
    """The most frequent answer (the letter where there are options), and what it scores.

    The same answer and score as `harness.baselines.frequency_answers` with the set itself for
    training questions.
    """
    if group.kind == "number":
        numbers = Counter(map(float, group.answers))
        chosen = min(numbers, key=lambda number: (-numbers[number], number))
        scores = (mean_relative_accuracy(chosen, truth) * n for truth, n in numbers.items())
        written = min(text for text in set(group.answers) if float(text) == chosen)
        return written, sum(scores) / len(group.answers)
    texts = Counter(
        group.answers
        if group.kind == "word"
        else (chr(ord("A") + group.gold(row)) for row in range(len(group.answers)))
    )
    chosen_text = min(texts, key=lambda text: (-texts[text], text))
    right = sum(n for text, n in texts.items() if same_text(chosen_text, text))
    return chosen_text, right / len(group.answers)


def fold_of_spaces(spaces: Iterable[tuple[str, str]]) -> Folds:
    """Fold of each space, by its place; a hash decides, so that folds do not follow any order."""
    named = ["/".join(space) for space in spaces]
    order = sorted(named, key=lambda name: hashlib.sha256(name.encode()).digest())
    fold = {name: place % FOLDS for place, name in enumerate(order)}
    return np.array([fold[name] for name in named], dtype=np.int64)


def _numbers(group: Group, phrases: Sequence[tuple[str, ...]], folds: Folds) -> Array:
    from scipy import sparse

    truth = np.array([float(answer) for answer in group.answers])
    # answers of zero or below have no logarithm; all real ones are above
    logs = np.log(np.maximum(truth, 1e-3))
    columns = _Columns(_number_features(row) for row in phrases)
    matrix = sparse.csr_matrix(
        (np.ones(len(columns.column)), (columns.row, columns.column)),
        shape=(len(truth), len(columns)),
    )
    right = np.empty_like(truth)
    for fold in np.unique(folds):
        known, asked = folds != fold, folds == fold
        # what to make of the regression is decided on folds that it did not see either
        scores: dict[tuple[bool, float], float] = defaultdict(float)
        for inner in np.unique(folds[known]):
            tried = folds == inner
            learnt = known & ~tried if (known & ~tried).any() else known
            for name, guess in _guesses(matrix, logs, learnt, tried, truth[known]).items():
                scores[name] += float(_mra(guess, truth[tried]).sum())
        best = max(scores, key=lambda name: scores[name])
        right[asked] = _mra(_guesses(matrix, logs, known, asked, truth[known])[best], truth[asked])
    return right


def _guesses(
    matrix: Any, logs: Array, learnt: Mask, asked: Mask, answers: Array
) -> dict[tuple[bool, float], Array]:
    """(whether the text is read, factor) -> predictions for the rows that are asked.

    MRA punishes answers that are too great more than those that are too small, so a share of the
    expected value scores better than the value; and sometimes one answer for all scores best.
    """
    mean = logs[learnt].mean()
    known = matrix[learnt]
    gram = (known.T @ known).toarray() + _RIDGE * np.eye(matrix.shape[1])
    weights = np.linalg.solve(gram, known.T @ (logs[learnt] - mean))
    offsets = {True: matrix[asked] @ weights, False: np.zeros(int(asked.sum()))}
    seen = np.unique(answers)
    with np.errstate(over="ignore"):  # the nearest answer to infinity is the greatest
        return {
            (reads, factor): _nearest(seen, factor * np.exp(mean + offset))
            for reads, offset in offsets.items()
            for factor in _FACTORS
        }


def _number_features(phrases: tuple[str, ...]) -> Iterator[str]:
    for slot, phrase in enumerate(phrases):
        yield f"{slot}\x1f{phrase}"
    if len(phrases) > 1:
        yield "\x1f".join(sorted(phrases))


class _Columns:
    """Features as columns of a matrix: the thousand most frequent that occur twice."""

    def __init__(self, rows: Iterable[Iterable[str]]) -> None:
        listed = [tuple(features) for features in rows]
        times = Counter(feature for features in listed for feature in features)
        ranked = sorted(times.items(), key=lambda pair: (-pair[1], pair[0]))[:_FEATURES]
        place = {feature: n for n, (feature, often) in enumerate(ranked) if often > 1}
        cells = [
            (row, place[feature])
            for row, features in enumerate(listed)
            for feature in features
            if feature in place
        ]
        self.row, self.column = (
            (list(part) for part in zip(*cells, strict=True)) if cells else ([], [])
        )
        self._size = len(place)

    def __len__(self) -> int:
        return self._size


def _nearest(known: Array, wanted: Array) -> Array:
    after = np.clip(np.searchsorted(known, wanted), 1, max(len(known) - 1, 1))
    if len(known) == 1:
        return np.full_like(wanted, known[0])
    low, high = known[after - 1], known[after]
    return np.where(wanted - low <= high - wanted, low, high)  # inf <= -inf is false


def _mra(predicted: Array, truth: Array) -> Array:
    """`mean_relative_accuracy` of each pair."""
    with np.errstate(over="ignore"):  # an infinite error is an error
        error = np.abs(predicted - truth) / np.where(truth == 0, 1.0, np.abs(truth))
    passed = len(TOLERANCES) - np.searchsorted(np.array(TOLERANCES), error)
    score: Array = np.where(truth == 0, predicted == 0, passed / len(TOLERANCES)).astype(float)
    return score


def _choices(group: Group, phrases: Sequence[tuple[str, ...]], folds: Folds) -> Array | None:
    """1 where the most likely option is right; None where nobody can tell what the options are."""
    candidates = _candidates(group, phrases)
    if candidates is None:
        return None
    numbered: dict[str, int] = {}
    option_row: list[int] = []  # of each option, its row
    gold: list[bool] = []
    cell_option: list[int] = []  # of each feature of an option, the option and the feature
    cell_feature: list[int] = []
    answers = [answer.lower() for answer in group.answers]
    for row, (options, answer) in enumerate(zip(candidates, answers, strict=True)):
        asked = [phrase for phrase in phrases[row] if phrase not in options]
        for place, option in enumerate(options):
            for feature in _option_features(option, place, asked):
                cell_feature.append(numbered.setdefault(feature, len(numbered)))
                cell_option.append(len(option_row))
            option_row.append(row)
            gold.append(option == answer)
    cells = _Cells(
        np.array(cell_option), np.array(cell_feature), np.array(option_row), np.array(gold)
    )
    right = np.zeros(len(candidates))
    for fold in np.unique(folds):
        likely = cells.likelihood(folds[cells.row] != fold, len(numbered))
        for row, place in cells.best(likely, folds[cells.row] == fold):
            right[row] = candidates[row][place] == answers[row]
    return right


@dataclass(frozen=True)
class _Cells:
    """Options of all rows, and their features.

    Args:
        option, feature: one for each feature of each option.
        row, gold: one for each option, its row and whether it is right.
    """

    option: NDArray[np.int64]
    feature: NDArray[np.int64]
    row: NDArray[np.int64]
    gold: Mask

    def likelihood(self, known: Mask, features: int) -> Array:
        """Log-odds of each option, learnt from the options that are `known`."""
        rate = float(self.gold[known].mean())
        if not 0 < rate < 1:
            return np.zeros(len(self.row))
        learnt = known[self.option]
        is_right = self.gold[self.option]
        right = np.bincount(self.feature[learnt & is_right], minlength=features)
        wrong = np.bincount(self.feature[learnt & ~is_right], minlength=features)
        odds: Array = np.log((right + _SMOOTHING * rate) / (wrong + _SMOOTHING * (1 - rate)))
        odds -= np.log(rate / (1 - rate))  # a feature never seen says nothing
        weights = odds[self.feature]
        return np.bincount(self.option, weights, len(self.row)).astype(np.float64)

    def best(self, likelihood: Array, asked: Mask) -> Iterator[tuple[int, int]]:
        """(row, place of its most likely option) of the rows whose options are `asked`."""
        first = np.flatnonzero(np.r_[True, self.row[1:] != self.row[:-1]])
        ends = np.r_[first[1:], len(self.row)]
        for start, end in zip(first, ends, strict=True):
            if asked[start]:
                yield int(self.row[start]), int(likelihood[start:end].argmax())


def _option_features(text: str, place: int, asked: Sequence[str]) -> Iterator[str]:
    yield text
    yield f"place\x1f{place}"
    for slot, phrase in enumerate(asked):
        yield f"{slot}\x1f{phrase}\x1f{text}"
    parts = [part.strip() for part in text.split(",")]
    if len(parts) > 1:
        yield from (f"part\x1f{n}\x1f{part}" for n, part in enumerate(parts))
        yield from (f"order\x1f{a}\x1f{b}" for a, b in combinations(parts, 2))


def _candidates(group: Group, phrases: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]] | None:
    """What each question may be answered with, in lower case."""
    if group.kind == "letter":
        lower = {options: tuple(map(str.lower, options)) for options in set(group.options)}
        return [lower[options] for options in group.options]
    # free words: the phrases of the question where they hold the answer (`which of these objects`),
    # else every answer of the type if there are few (`left or right`)
    answers = [answer.lower() for answer in group.answers]
    named = [tuple(dict.fromkeys(row)) for row in phrases]
    if all(answer in row for answer, row in zip(answers, named, strict=True)):
        return named
    known = tuple(sorted(set(answers)))
    return [known] * len(answers) if len(known) <= _MOST_CANDIDATES else None
