"""Options guessed from the text: naive Bayes over what is known of each option.

That is its letter, its text, its text together with each phrase of the question and, of lists such
as orders of appearance, its parts and which comes before which.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from harness.question_stats.collect import Group

_MOST_CANDIDATES = 40
_SMOOTHING = 1.0

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


def choice_scores(
    group: Group, phrases: Sequence[tuple[str, ...]], folds: NDArray[np.int64]
) -> Array | None:
    """1 for each row whose most likely option is right, told by a model that saw other folds.

    Args:
        phrases: of each row, what stands in the slots of its question.
        folds: of each row.

    Returns:
        None where nobody can tell what the options are.
    """
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
