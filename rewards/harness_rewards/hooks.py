"""The built-in rewards."""

from __future__ import annotations

from collections.abc import Iterable

from harness import Component, Reward, hookimpl
from harness_rewards.settings import (
    AccuracySettings,
    FormatSettings,
    ParsedReward,
    RelativeErrorSettings,
)


@hookimpl
def harness_rewards() -> Iterable[Component[Reward]]:
    """Accuracy, its two numeric parts on their own, and format."""
    return [
        Component(
            "accuracy",
            AccuracySettings,
            "harness_rewards.accuracy:build",
            "1 for the right word or letter, closeness for numbers (the paper's accuracy reward)",
        ),
        Component(
            "format",
            FormatSettings,
            "harness_rewards.format:build",
            "1 if the completion is the mode's blocks and nothing else",
        ),
        Component(
            "mra",
            ParsedReward,
            "harness_rewards.mra:build",
            "VSI-Bench's mean relative accuracy; 0 for other questions",
        ),
        Component(
            "relative_error",
            RelativeErrorSettings,
            "harness_rewards.relative_error:build",
            "closeness of numbers by relative error; 0 for other questions",
        ),
    ]
