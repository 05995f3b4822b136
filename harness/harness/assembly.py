"""From a recipe's names to the plugins behind them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, cast

from harness.component import Backbone, Kind, QuestionGenerator, Reward, SceneSource, Settings, Task
from harness.errors import UsageError
from harness.generate import Family
from harness.plugins import Catalogue
from harness.schema import GrpoStage, PluginRef, Recipe

if TYPE_CHECKING:
    from harness.training.rewards import BoundReward


@dataclass(frozen=True)
class Assembly:
    """The components of a recipe, built on first use."""

    recipe: Recipe
    catalogue: Catalogue

    @cached_property
    def train_scenes(self) -> SceneSource:
        """Scenes to train on."""
        return cast(SceneSource, self._make("scenes", self.recipe.scenes.train))

    @cached_property
    def held_out_scenes(self) -> SceneSource:
        """Scenes to evaluate on."""
        return cast(SceneSource, self._make("scenes", self.recipe.scenes.evaluate))

    @cached_property
    def families(self) -> dict[str, Family]:
        """Question families by their name in the recipe."""
        return {
            name: Family(
                name=name,
                generator=cast(QuestionGenerator, self._make("questions", ref, name)),
                settings=ref.settings,
                limit=ref.limit,
                per_scene=ref.per_scene,
            )
            for name, ref in self.recipe.questions.families.items()
        }

    @cached_property
    def backbone(self) -> Backbone:
        """The model family."""
        return cast(Backbone, self._make("backbones", self.recipe.backbone))

    @cached_property
    def tasks(self) -> dict[str, Task]:
        """Evaluation tasks by their name in the recipe."""
        return {
            name: cast(Task, self._make("tasks", ref, name))
            for name, ref in self.recipe.evaluate.tasks.items()
        }

    def rewards(self, stage: GrpoStage) -> Sequence[BoundReward]:
        """The rewards of a GRPO stage."""
        from harness.training.rewards import BoundReward

        bound = []
        for name, ref in stage.rewards.items():
            registered = self.catalogue.get("rewards", ref.use or name)
            reward = cast(Reward, self._make("rewards", ref, name))
            bound.append(BoundReward(name, ref.weight, reward, str(registered.source)))
        return bound

    def missing(self) -> list[str]:
        """What this machine lacks, each with its remedy."""
        parts: list[tuple[str, object]] = [
            ("scenes.train", self.train_scenes),
            ("scenes.evaluate", self.held_out_scenes),
            ("backbone", self.backbone),
            *((f"evaluate.tasks.{name}", task) for name, task in self.tasks.items()),
        ]
        return [
            f"{where}: {problem}"
            for where, part in parts
            # a scene source may go without: procedural scenes need nothing
            for problem in (part.missing() if hasattr(part, "missing") else ())
        ]

    def _make(self, kind: Kind, ref: PluginRef, name: str = "") -> object:
        registered = self.catalogue.get(kind, ref.use or name)
        config: type[Settings] = registered.component.config
        settings = config.model_validate_json(json.dumps(ref.settings))
        return registered.create(settings)


def refuse_if_missing(problems: Sequence[str]) -> None:
    """All of what is missing in one error.

    Raises:
        UsageError: there is something.
    """
    if problems:
        listed = "\n".join(f"  - {problem}" for problem in problems)
        raise UsageError(f"this machine lacks what the recipe needs:\n{listed}")
