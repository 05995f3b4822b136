"""Wrong answers by rule, for DPO: the paper modifies the right answer to a wrong one (A.6)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from harness.errors import HarnessError
from harness.question import Question

# The range and the smallest gap of VSI-Bench's own numeric distractors (vlm_3r_data_process).
LOW, HIGH, GAP = 0.25, 1.75, 0.2
TRIES = 30


def wrong_answers(questions: Sequence[Question], seed: int) -> list[str]:
    """One wrong answer for each question, in the form of a right one.

    Options: the letter of another option. Numbers: within a factor of 0.25 to 1.75, at least 20 %
    off, with the right answer's decimals. Words: another answer of the same question type.

    Raises:
        HarnessError: a question type has a single word as answer, so nothing can be wrong.
    """
    rng = np.random.default_rng(seed)
    words: dict[str, list[str]] = {}
    for question in questions:
        if question.kind == "word":
            words.setdefault(question.question_type, []).append(question.answer)
    return [
        _wrong(question, sorted(set(words.get(question.question_type, []))), rng)
        for question in questions
    ]


def _wrong(question: Question, words: Sequence[str], rng: np.random.Generator) -> str:
    if question.options is not None:
        letters = [option[0] for option in question.lettered_options()]
        return str(rng.choice([letter for letter in letters if letter != question.gold]))
    if question.kind == "number":
        return _wrong_number(question.answer, rng)
    others = [word for word in words if word.lower() != question.answer.lower()]
    if not others:
        raise HarnessError(
            f"DPO: all {question.question_type} questions have the answer {question.answer!r}, so no "
            "wrong answer can be drawn: add questions or use style vsi_bench, which has options"
        )
    return str(rng.choice(others))


def _wrong_number(answer: str, rng: np.random.Generator) -> str:
    truth = float(answer)
    decimals = max(0, -int(Decimal(answer).as_tuple().exponent))
    unit = 10.0**-decimals
    gap = max(unit, math.ceil(GAP * abs(truth) / unit) * unit)
    for _ in range(TRIES):
        candidate = round(truth * rng.uniform(LOW, HIGH), decimals)
        if abs(candidate - truth) >= gap - unit / 2 and candidate > 0:
            return f"{candidate:.{decimals}f}"
    return f"{truth + gap:.{decimals}f}"
