"""VSI-Bench's own measure as a reward, as SpaceR, Spatial-MLLM and 3D-RFT use it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness import Reward, Rollout
from harness.scoring import Parser, correctness, find_parser, parse_answer
from harness_rewards.settings import ParsedReward


@dataclass(frozen=True)
class MeanRelativeAccuracy:
    """MRA of the answers to numeric questions; 0 for other questions and unread answers."""

    parser: Parser

    def __call__(self, rollouts: Sequence[Rollout]) -> Sequence[float]:
        """One number in [0, 1] for each rollout."""
        return [self._one(rollout) for rollout in rollouts]

    def _one(self, rollout: Rollout) -> float:
        question = rollout.question
        if question.kind != "number":
            return 0.0
        parsed = parse_answer(question, rollout.completion, rollout.prompt_mode, self.parser)
        return correctness(question, parsed)


def build(settings: ParsedReward) -> Reward:
    """The reward."""
    return MeanRelativeAccuracy(find_parser(settings.parser))
