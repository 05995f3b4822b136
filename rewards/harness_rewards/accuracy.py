"""The paper's accuracy reward (vsGRPO, section 3.2), for every kind of question.

Words and letters by "character matching", 1 or 0; numbers by relative error, or as set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness import Reward, Rollout
from harness.scoring import (
    Parser,
    correctness,
    find_parser,
    gold_number,
    mean_relative_accuracy,
    parse_answer,
)
from harness_rewards.relative_error import closeness
from harness_rewards.settings import AccuracySettings


@dataclass(frozen=True)
class Accuracy:
    """How right an answer is; 0 for an answer that cannot be read."""

    settings: AccuracySettings
    parser: Parser

    def __call__(self, rollouts: Sequence[Rollout]) -> Sequence[float]:
        """One number in [0, 1] for each rollout."""
        return [self._one(rollout) for rollout in rollouts]

    def _one(self, rollout: Rollout) -> float:
        question = rollout.question
        parsed = parse_answer(question, rollout.completion, rollout.prompt_mode, self.parser)
        if isinstance(parsed, float):
            return self._number(parsed, gold_number(question))
        return correctness(question, parsed)

    def _number(self, predicted: float, truth: float) -> float:
        match self.settings.numeric:
            case "relative_error":
                return closeness(predicted, truth, self.settings)
            case "mra":
                return mean_relative_accuracy(predicted, truth)
            case "exact":
                return float(predicted == truth)
            case "none":
                return 0.0


def build(settings: AccuracySettings) -> Reward:
    """The reward."""
    return Accuracy(settings, find_parser(settings.parser))
