"""Closeness of a number by its relative error (vsGRPO, section 3.2).

The paper divides |y - y'| by the smaller of the two and does not say how that error e becomes a
reward. Read here as max(0, 1 - e), which falls to 0 at twice or half the truth; `denominator` and
`shape` give the other readings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness import Reward, Rollout
from harness.scoring import Parser, find_parser, gold_number, parse_answer
from harness_rewards.settings import RelativeErrorSettings


def closeness(predicted: float, truth: float, settings: RelativeErrorSettings) -> float:
    """Reward of a finite number, in [0, 1]; 1 if it equals the truth, also at 0.

    Where the denominator is not positive the error has no meaning, and the reward is 0.
    """
    if predicted == truth:
        return 1.0
    denominator = truth if settings.denominator == "gold" else min(predicted, truth)
    if denominator <= 0:
        return 0.0
    error = abs(predicted - truth) / denominator
    return max(0.0, 1.0 - error) if settings.shape == "linear" else 1.0 / (1.0 + error)


@dataclass(frozen=True)
class RelativeError:
    """`closeness` of the answers to numeric questions; 0 for other questions and unread answers."""

    settings: RelativeErrorSettings
    parser: Parser

    def __call__(self, rollouts: Sequence[Rollout]) -> Sequence[float]:
        """One number in [0, 1] for each rollout."""
        return [self._one(rollout) for rollout in rollouts]

    def _one(self, rollout: Rollout) -> float:
        question = rollout.question
        if question.kind != "number":
            return 0.0
        parsed = parse_answer(question, rollout.completion, rollout.prompt_mode, self.parser)
        if not isinstance(parsed, float):
            return 0.0
        return closeness(parsed, gold_number(question), self.settings)


def build(settings: RelativeErrorSettings) -> Reward:
    """The reward."""
    return RelativeError(settings, find_parser(settings.parser))
