"""How far one gets without looking: one fixed answer, and a model that reads the text alone.

The stress test of VSI-Bench-Debiased (arXiv 2511.04655) trains a text-only model in five folds on
the test set itself; what it scores is bias, not sight. This is a small one, meant to be quick and
the same everywhere: see `number_model` and `choice_model`.

Folds are split by space, so what it learns about a room it never uses on that room. It is a lower
bound of what a text-only model can reach: a language model finds more.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.question_stats.choice_model import choice_scores
from harness.question_stats.collect import Group
from harness.question_stats.number_model import number_scores
from harness.question_stats.phrases import slot_phrases
from harness.scoring.metrics import mean_relative_accuracy, same_text

FOLDS = 5

Folds = NDArray[np.int64]


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
            number_scores(group.answers, phrases, here)
            if group.kind == "number"
            else choice_scores(group, phrases, here)
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
