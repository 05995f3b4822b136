"""What a model scores that never looks: one fixed answer for each question type.

VSI-Bench's "chance level (frequency)" is the mode taken from the benchmark's own answers, an upper
bound that has seen the test set: `frequency_answers(questions, questions)`. From training questions
it is the honest version.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness.question import AnswerKind, Question
from harness.scoring import TOLERANCES, gold_number

Numeric = Literal["frequency", "best_mra"]
# A type in two styles has answers of two kinds: a letter says nothing about a word.
_Group = tuple[str, AnswerKind]

# Candidates compared with all training answers at once: 32 MB of errors.
_BLOCK = 4_000_000


@dataclass(frozen=True)
class FixedAnswers:
    """One answer for each evaluated question, in their order, and what there is to know about them."""

    answers: tuple[str, ...]
    notes: tuple[str, ...]


def frequency_answers(
    train: Sequence[Question], evaluate: Sequence[Question], numeric: Numeric = "frequency"
) -> FixedAnswers:
    """The most frequent training answer of each question type, for every evaluated question.

    Args:
        train: questions whose answers are counted, by question type and kind of answer (number,
            letter, word). Types that do not occur here take the most frequent answer of the
            evaluated questions themselves, and a note says so.
        evaluate: questions to answer.
        numeric: for numbers, `frequency` takes the mode (VSI-Bench's rule), `best_mra` the training
            answer with the highest mean MRA over the training answers of its type.

    Ties go to the smallest number, or the first text by alphabet.

    Raises:
        HarnessError: a numeric question's own answer is no number.
    """
    trained, asked = _by_group(train), _by_group(evaluate)
    choice: dict[_Group, str] = {}
    notes: list[str] = []
    for group, questions in asked.items():
        known = trained.get(group)
        choice[group] = _answer(known or questions, numeric)
        if not known:
            notes.append(
                f"{group[0]}: no training question has a {group[1]} for an answer; took "
                f"{choice[group]!r} from the {len(questions)} evaluated questions themselves"
            )
    return FixedAnswers(tuple(choice[_group(q)] for q in evaluate), tuple(notes))


def _group(question: Question) -> _Group:
    return question.question_type, question.kind


def _by_group(questions: Iterable[Question]) -> Mapping[_Group, list[Question]]:
    groups: dict[_Group, list[Question]] = defaultdict(list)
    for question in questions:
        groups[_group(question)].append(question)
    return groups


def _answer(questions: Sequence[Question], numeric: Numeric) -> str:
    if questions[0].kind != "number":
        texts = Counter(q.gold for q in questions)
        return min(texts, key=lambda text: (-texts[text], text))
    numbers = Counter(gold_number(q) for q in questions)
    if numeric == "best_mra":
        chosen = _best_by_mra(numbers)
    else:
        chosen = min(numbers, key=lambda number: (-numbers[number], number))
    return min(q.answer for q in questions if gold_number(q) == chosen)


def _best_by_mra(numbers: Mapping[float, int]) -> float:
    truths = np.array(sorted(numbers))
    times = np.array([numbers[t] for t in truths])
    block = max(1, _BLOCK // len(truths))
    passed = [
        _passed(truths[start : start + block, None], truths[None]) @ times
        for start in range(0, len(truths), block)
    ]
    return float(truths[np.concatenate(passed).argmax()])  # the first, so the smallest, of the best


def _passed(predicted: NDArray[np.float64], truth: NDArray[np.float64]) -> NDArray[np.int64]:
    """Thresholds that `mean_relative_accuracy` counts, for every pair; whole numbers, so ties are."""
    tolerances = np.array(TOLERANCES)
    error = np.abs(predicted - truth) / np.where(truth == 0, 1.0, np.abs(truth))
    passed = len(tolerances) - np.searchsorted(tolerances, error)
    return np.where(truth == 0, (predicted == 0) * len(tolerances), passed)
