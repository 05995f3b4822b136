"""Numbers guessed from the text: ridge regression on the phrases of the question.

The logarithm of the answer is regressed on which phrases stand in which slot, and on all of them
together. A factor of the prediction, or of the mean alone, is chosen by MRA on folds apart, and the
nearest answer seen in training is the answer.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.scoring.metrics import TOLERANCES

_RIDGE = 1.0
_FEATURES = 1_000
_FACTORS = tuple(1.05**n for n in range(-20, 21))

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


def number_scores(
    answers: Sequence[str], phrases: Sequence[tuple[str, ...]], folds: NDArray[np.int64]
) -> Array:
    """MRA of each row, answered by a model that saw the rows of other folds.

    Args:
        answers: of each row, a number as text.
        phrases: of each row, what stands in the slots of its question.
        folds: of each row.
    """
    from scipy import sparse

    truth = np.array([float(answer) for answer in answers])
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
                scores[name] += float(relative_accuracy(guess, truth[tried]).sum())
        best = max(scores, key=lambda name: scores[name])
        right[asked] = relative_accuracy(
            _guesses(matrix, logs, known, asked, truth[known])[best], truth[asked]
        )
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


def relative_accuracy(predicted: Array, truth: Array) -> Array:
    """`mean_relative_accuracy` of each pair."""
    with np.errstate(over="ignore"):  # an infinite error is an error
        error = np.abs(predicted - truth) / np.where(truth == 0, 1.0, np.abs(truth))
    passed = len(TOLERANCES) - np.searchsorted(np.array(TOLERANCES), error)
    score: Array = np.where(truth == 0, predicted == 0, passed / len(TOLERANCES)).astype(float)
    return score
