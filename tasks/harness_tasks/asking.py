"""What all tasks of VSI-Bench's kind share: prompt and score."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from harness import HarnessError, Question, Scored
from harness.prompt import EVALUATION_PROMPTS
from harness.scoring import find_parser, score_answer
from harness_tasks.settings import AskSettings


class Asking:
    """Asks by a named prompt, scores by a named parser."""

    max_new_tokens: int

    def __init__(self, settings: AskSettings) -> None:
        self._prompt = EVALUATION_PROMPTS[settings.prompt]
        self._parser = find_parser(settings.parser)
        self.max_new_tokens = settings.max_new_tokens or self._prompt.max_new_tokens

    def prompt(self, question: Question) -> str:
        """The text that goes after the video."""
        return self._prompt.render(question)

    def score(self, question: Question, answer: str) -> Scored:
        """Score one raw answer; never raises on model output."""
        return score_answer(question, answer, self._prompt.mode, self._parser)


def check_ids(questions: Sequence[Question], who: str) -> None:
    """Raise HarnessError unless every question has an id of its own."""
    counts = Counter(question.id for question in questions)
    wrong = [f"{i!r} ({n} times)" for i, n in counts.items() if n > 1 or not i]
    if wrong:
        raise HarnessError(
            f"{who}: every question needs an id of its own, found {', '.join(wrong[:20])}"
            + (f" and {len(wrong) - 20} more" if len(wrong) > 20 else "")
        )
