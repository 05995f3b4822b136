"""A question family: a generator with what a recipe says about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.component import QuestionGenerator


@dataclass(frozen=True)
class Family:
    """A question generator with what a recipe says about it.

    Args:
        name: the family's name in the recipe; it is written into every question.
        settings: the generator's settings as JSON values, for the record.
        limit: at most this many questions in the set.
        per_scene: at most this many questions for each scene.
        weight: share of the family where a limit is drawn from all families.
    """

    name: str
    generator: QuestionGenerator
    settings: Mapping[str, Any] = field(default_factory=dict)
    limit: int | None = None
    per_scene: int | None = None
    weight: float = 1.0

    @property
    def needs_visibility(self) -> bool:
        """Whether it asks nothing of scenes that do not know what their frames show."""
        return bool(getattr(self.generator, "needs_visibility", False))
