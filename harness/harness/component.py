"""The plugin contract: what a plugin returns, and the roles it can play.

Pure descriptions: nothing here imports torch or numpy, so listing plugins stays instant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeVar, runtime_checkable

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    import numpy as np
    from transformers import PreTrainedModel, ProcessorMixin

    from harness.question import Question, Style
    from harness.scene import Scene

Kind = Literal["scenes", "questions", "rewards", "backbones", "tasks"]
KINDS: tuple[Kind, ...] = ("scenes", "questions", "rewards", "backbones", "tasks")
PromptMode = Literal["vanilla", "think", "observe"]

RoleT_co = TypeVar("RoleT_co", covariant=True)


class Settings(BaseModel):
    """Base of every component's settings: frozen, no unknown keys, no silent conversion."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True
    )


@dataclass(frozen=True)
class Component(Generic[RoleT_co]):
    """One thing a recipe can name.

    Args:
        name: unique within its kind, a lower-case identifier.
        config: the settings it takes in a recipe.
        build: makes the component from its settings; a callable, or `"package.module:function"`,
            which is imported on first use.
        summary: one line for `harness plugins`.

    Example:
        >>> Component("always_one", Settings, lambda settings: AlwaysOne(), "a constant reward")
    """

    name: str
    config: type[Settings]
    build: Callable[[Any], RoleT_co] | str
    summary: str

    def create(self, settings: Settings) -> RoleT_co:
        """Build the component, importing its module if `build` is a string."""
        return self.builder()(settings)

    def builder(self) -> Callable[[Any], RoleT_co]:
        """The callable behind `build`.

        Raises:
            ImportError, AttributeError: the string names nothing.
        """
        if not isinstance(self.build, str):
            return self.build
        module, _, attribute = self.build.partition(":")
        builder: Callable[[Any], RoleT_co] = getattr(import_module(module), attribute)
        return builder


@runtime_checkable
class SceneSource(Protocol):
    """Gives scenes by id; ids are stable, so a run can resume and skip."""

    def scene_ids(self) -> Sequence[str]:
        """All ids, in a fixed order.

        Raises:
            SceneError: the source's files are missing or unreadable as a whole.
        """
        ...

    def load(self, scene_id: str) -> Scene:
        """One scene.

        Raises:
            SceneError: this scene is faulty; a recipe may skip and count it.
        """
        ...


# What a source may offer besides (`harness.guarded.GuardedScenes` asks for it by name):
#   missing() -> Sequence[str]         what this machine lacks, each with its remedy
#   export_video(scene_id, path: Path) -> Sequence[Frame | None]
#                                      the footage as mp4, upright, and a pose for each of its
#                                      frames, None where it was lost; SceneError without footage
#   drawn: bool                        whether layout videos are all there is of its scenes
#   write_release(folder: Path, progress: Callable[[int, int], object]) -> None
#                                      its scenes in the layout of a raw release


@dataclass(frozen=True)
class Recomputed:
    """What a generator says about somebody's question.

    Args:
        answer: the right answer from the scene, as `Question.answer`; None if it cannot be told.
        agrees: whether the row's answer is right, or None if that cannot be told.
        margin: distance of the true value to the nearest decision boundary, in the question's unit.
        reasons: why it cannot be told, or what makes the question ambiguous, in words.
    """

    answer: str | None
    agrees: bool | None
    margin: float | None = None
    reasons: tuple[str, ...] = ()


@runtime_checkable
class QuestionGenerator(Protocol):
    """Asks about one scene at a time; no state between scenes."""

    version: int

    def questions(self, scene: Scene, style: Style, rng: np.random.Generator) -> Iterable[Question]:
        """Every admissible question of the scene, in an order that depends on `rng` alone.

        `id` and `seed` may stay empty: the core fills them. Options come in any order: the core
        shuffles them so that the right answer's letters are balanced.
        """
        ...


# What a generator may offer besides (`harness.guarded.GuardedQuestions` asks for it by name):
#   needs: tuple[Literal["visibility"], ...]
#                                      what of a scene it cannot do without; the core draws scenes
#                                      without footage to find it out, and asks nothing of others
#   question_types: tuple[str, ...]    the types of its questions
#   recompute(scene: Scene, question: Question) -> Recomputed
#                                      answer anybody's question of one of these types


@dataclass(frozen=True)
class Rollout:
    """One completion of one question, as a reward sees it."""

    question: Question
    prompt_mode: PromptMode
    completion: str
    tokens: int = 0
    truncated: bool = False


@runtime_checkable
class Reward(Protocol):
    """Scores completions; pure, order-independent, one finite number each. No torch."""

    def __call__(self, rollouts: Sequence[Rollout]) -> Sequence[float]: ...


@dataclass(frozen=True)
class ModelShape:
    """The sizes `harness plan` reckons with; no weights are read for them.

    Args:
        parameters: all parameters; `vision_parameters` those of the vision tower.
        vision_hidden: width of the vision tower, `vision_layers` its depth.
        hidden: width, `layers` depth, `heads` and `kv_heads` of the language model.
        intermediate: width of the MLP. vocabulary: rows of the embedding.
        context: longest sequence in tokens.
    """

    parameters: int
    vision_parameters: int
    vision_hidden: int
    vision_layers: int
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    intermediate: int
    vocabulary: int
    context: int


@runtime_checkable
class Backbone(Protocol):
    """A family of video language models."""

    def checkpoint(self, workdir: Path) -> str:
        """A folder or hub name with weights and processor; `workdir` is for backbones that build one."""
        ...

    def missing(self) -> Sequence[str]:
        """What this machine lacks to load it, each with its remedy; empty if nothing."""
        ...

    def load_processor(self, checkpoint: str) -> ProcessorMixin:
        """The processor.

        Raises:
            CheckpointError: no processor, no chat template or no video token there.
        """
        ...

    def load_model(self, checkpoint: str) -> PreTrainedModel:
        """The model, on the CPU, in the settings' dtype, in eval mode."""
        ...

    def shape(self) -> ModelShape:
        """Sizes for planning, without weights."""
        ...

    def video_tokens(self, frames: int, height: int, width: int) -> int:
        """Tokens the language model sees for a video, from its sizes alone."""
        ...

    def vision_tower(self, model: PreTrainedModel) -> Any:
        """The module every pixel passes through (for freezing, and for the alignment guard)."""
        ...

    @property
    def lora_targets(self) -> str:
        """Regular expression over module names of the language model's linear layers."""
        ...


@dataclass(frozen=True)
class Scored:
    """One answer under one parser profile."""

    question: Question
    answer: str
    parsed: str | float | None
    score: float


@dataclass(frozen=True)
class TaskInput:
    """What the run offers a task: questions generated on held-out scenes."""

    held_out: Sequence[Question] = field(default_factory=tuple)


@runtime_checkable
class Task(Protocol):
    """An evaluation: which questions, how they are asked, how answers are scored."""

    max_new_tokens: int

    def missing(self) -> Sequence[str]:
        """What this machine lacks to run it, each with its remedy; empty if nothing."""
        ...

    def questions(self, given: TaskInput) -> Sequence[Question]:
        """The questions, ids unique.

        Raises:
            HarnessError: a row is faulty (all faulty rows in one message).
        """
        ...

    def prompt(self, question: Question) -> str:
        """The text that goes after the video."""
        ...

    def score(self, question: Question, answer: str) -> Scored:
        """Score one raw answer; never raises on model output."""
        ...
