"""What a recipe can say about each reward."""

from __future__ import annotations

from typing import Literal

from harness.component import Settings
from harness.scoring.parsers import ParserName


class ParsedReward(Settings):
    """A reward that reads the answer as the evaluation does."""

    parser: ParserName = "thinking-in-space"
    """How the answer is read."""


class RelativeErrorSettings(ParsedReward):
    """How the relative error of a number becomes a reward; the paper leaves it open."""

    denominator: Literal["min", "gold"] = "min"
    """What the error is divided by: `min`, the smaller of the two numbers (the paper); `gold`, the truth."""
    shape: Literal["linear", "inverse"] = "linear"
    """With the error e, `linear` is max(0, 1 - e), `inverse` is 1 / (1 + e)."""


class AccuracySettings(RelativeErrorSettings):
    """The paper's accuracy reward: matching for words and letters, closeness for numbers."""

    numeric: Literal["relative_error", "mra", "exact", "none"] = "relative_error"
    """Reward of a number; `none` gives 0, for recipes that add a numeric reward of their own."""


class FormatSettings(Settings):
    """Whether a completion keeps to its mode's blocks."""

    strict: bool = True
    """Reject empty blocks and repeated tags, by which the paper saw the reward hacked."""
