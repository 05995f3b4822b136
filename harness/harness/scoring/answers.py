"""One answer to one question: read it, compare it. Rewards and evaluation both go through here."""

from __future__ import annotations

from harness.component import PromptMode, Scored
from harness.errors import HarnessError
from harness.prompt import extract_answer
from harness.question import Question
from harness.scoring.metrics import mean_relative_accuracy, same_text
from harness.scoring.parsers import PARSERS, Parsed, Parser

OFFICIAL = PARSERS["thinking-in-space"]


def parse_answer(
    question: Question, completion: str, mode: PromptMode = "vanilla", parser: Parser = OFFICIAL
) -> Parsed:
    """What a completion answers: a finite number, text, or None. Never raises on a completion."""
    return parser.parse(extract_answer(completion, mode), question)


def correctness(question: Question, parsed: Parsed) -> float:
    """How right a parsed answer is, in [0, 1].

    Mean relative accuracy for a number; 1 or 0 for a letter or a word, whose case is ignored;
    0 for None.

    Raises:
        HarnessError: the question's own answer is no number though its type needs one.
    """
    if parsed is None:
        return 0.0
    if isinstance(parsed, str):
        return float(same_text(parsed, question.gold))
    return mean_relative_accuracy(parsed, gold_number(question))


def score_answer(
    question: Question, completion: str, mode: PromptMode = "vanilla", parser: Parser = OFFICIAL
) -> Scored:
    """Score one completion. Never raises on a completion.

    Raises:
        HarnessError: the question's own answer is no number though its type needs one.
    """
    parsed = parse_answer(question, completion, mode, parser)
    return Scored(question, completion, parsed, correctness(question, parsed))


def gold_number(question: Question) -> float:
    """The right answer of a numeric question.

    Raises:
        HarnessError: it is no number.
    """
    try:
        return float(question.answer)
    except ValueError:
        raise HarnessError(
            f"question {question.id or question.text!r}: the answer of a "
            f"{question.question_type} question must be a number, found {question.answer!r}"
        ) from None
