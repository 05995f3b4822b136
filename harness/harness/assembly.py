"""From a recipe's names to the plugins behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, cast

from harness.catalogue import Registered, build
from harness.component import Backbone, QuestionGenerator, Reward, SceneSource, Task
from harness.errors import UsageError
from harness.generate import AskRules, Categories, Family, SeenRule
from harness.guarded import GuardedBackbone, GuardedQuestions, GuardedScenes, GuardedTask
from harness.question import Style
from harness.recipe import Part, Preset, ResolvedCell
from harness.schema import FamilyRef, GrpoStage, LayoutVideo, Questions, Recipe

if TYPE_CHECKING:
    from harness.training.rewards import BoundReward


@dataclass(frozen=True)
class Assembly:
    """The components of a recipe, built on first use."""

    recipe: Recipe
    parts: Mapping[str, Part]

    @classmethod
    def of(cls, cell: ResolvedCell) -> Assembly:
        """The components of a resolved recipe."""
        return cls(cell.recipe, cell.parts)

    def registered(self, path: str) -> Registered:
        """The component behind a section, with its plugin."""
        return self.parts[path].registered

    @cached_property
    def train_scenes(self) -> GuardedScenes:
        """Scenes to train on."""
        return self._scenes("scenes.train")

    @cached_property
    def held_out_scenes(self) -> GuardedScenes:
        """Scenes to evaluate on."""
        return self._scenes("scenes.evaluate")

    @cached_property
    def families(self) -> dict[str, Family]:
        """Question families by their name in the recipe."""
        families = self.recipe.questions.families
        parts = {name: self.parts[f"questions.families.{name}"] for name in families}
        return _families(families, parts)

    def ask_rules(self, style: Style) -> AskRules:
        """How the recipe's scenes are asked about; those without footage get layout videos."""
        recipe = self.recipe
        return ask_rules(
            recipe.questions, style=style, seed=recipe.seed, layout=recipe.video.layout
        )

    @cached_property
    def backbone(self) -> GuardedBackbone:
        """The model family."""
        return GuardedBackbone(cast(Backbone, self._make("backbone")), self.registered("backbone"))

    @cached_property
    def tasks(self) -> dict[str, GuardedTask]:
        """Evaluation tasks by their name in the recipe."""
        return {
            name: GuardedTask(
                cast(Task, self._make(path := f"evaluate.tasks.{name}")), self.registered(path)
            )
            for name in self.recipe.evaluate.tasks
        }

    def rewards(self, stage: str) -> Sequence[BoundReward]:
        """The rewards of a GRPO stage."""
        from harness.training.rewards import BoundReward

        section = self.recipe.train[stage]
        assert isinstance(section, GrpoStage)
        return [
            BoundReward(
                name=name,
                weight=ref.weight,
                reward=cast(Reward, self._make(path := f"train.{stage}.rewards.{name}")),
                registered=self.registered(path),
            )
            for name, ref in section.rewards.items()
        ]

    def missing(self) -> list[str]:
        """What this machine lacks, each with its remedy."""
        parts: dict[str, GuardedScenes | GuardedBackbone | GuardedTask] = {
            "scenes.train": self.train_scenes,
            "scenes.evaluate": self.held_out_scenes,
            "backbone": self.backbone,
            **{f"evaluate.tasks.{name}": task for name, task in self.tasks.items()},
        }
        return [f"{path}: {what}" for path, part in parts.items() for what in part.missing()]

    def _scenes(self, path: str) -> GuardedScenes:
        return GuardedScenes(cast(SceneSource, self._make(path)), self.registered(path))

    def _make(self, path: str) -> object:
        part = self.parts[path]
        return build(part.registered, part.settings)


def families_of(preset: Preset) -> dict[str, Family]:
    """The question families of a preset, by their name in it."""
    families = preset.questions.families
    return _families(families, {name: preset.parts[f"families.{name}"] for name in families})


def _families(families: Mapping[str, FamilyRef], parts: Mapping[str, Part]) -> dict[str, Family]:
    return {
        name: Family(
            name=name,
            generator=GuardedQuestions(
                cast(QuestionGenerator, build(parts[name].registered, parts[name].settings)),
                parts[name].registered,
            ),
            settings=parts[name].settings.model_dump(mode="json"),
            limit=ref.limit,
            per_scene=ref.per_scene,
            weight=ref.weight,
        )
        for name, ref in families.items()
    }


def ask_rules(
    questions: Questions, *, style: Style, seed: int, layout: LayoutVideo | None
) -> AskRules:
    """How scenes are asked about, from a recipe's section or a preset.

    Args:
        layout: how scenes without footage will be shown, or None if they will not.
    """
    seen = questions.visible
    return AskRules(
        style=style,
        seed=seed,
        categories=Categories(
            frozenset(questions.exclude), dict(questions.rename), questions.merge_plurals
        ),
        seen=None if seen is None else SeenRule(seen.frames, seen.share, seen.min_frames),
        layout=layout,
    )


def refuse_if_missing(problems: Sequence[str]) -> None:
    """All of what is missing in one error.

    Raises:
        UsageError: there is something.
    """
    if problems:
        listed = "\n".join(f"  - {problem}" for problem in problems)
        raise UsageError(f"this machine lacks what the recipe needs:\n{listed}")
