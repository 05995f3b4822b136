"""Plugins at work: what their code raises, or gives that it should not, is reported with their name.

Each class plays the role of the component behind it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from harness.catalogue import Registered, guard
from harness.component import (
    Backbone,
    ModelShape,
    QuestionGenerator,
    Recomputed,
    SceneSource,
    Scored,
    Task,
    TaskInput,
)
from harness.errors import PluginError, UsageError
from harness.question import Question, Style
from harness.scene import Frame, Scene

if TYPE_CHECKING:
    import numpy as np
    from transformers import PreTrainedModel, ProcessorMixin

T = TypeVar("T")


@dataclass(frozen=True)
class GuardedScenes:
    """A scene source."""

    source: SceneSource
    registered: Registered

    def missing(self) -> Sequence[str]:
        """What the machine lacks; a source may go without saying (procedural scenes need nothing)."""
        with guard(self.registered, "asking what is missing"):
            return list(getattr(self.source, "missing", tuple)())

    def scene_ids(self) -> Sequence[str]:
        """All ids, each once."""
        with guard(self.registered, "listing its scenes"):
            ids = _each(str, self.source.scene_ids(), self.registered, "scene ids")
        if twice := sorted(scene for scene, times in Counter(ids).items() if times > 1):
            raise PluginError(f"{self.registered}: gives these scene ids twice: {', '.join(twice)}")
        return ids

    def load(self, scene_id: str) -> Scene:
        """One scene, under the id it was asked for."""
        with guard(self.registered, f"loading scene {scene_id}"):
            scene = self.source.load(scene_id)
        found = scene.id if isinstance(scene, Scene) else f"a {type(scene).__name__}"
        if found != scene_id:
            raise PluginError(f"{self.registered}: was asked for scene {scene_id} and gave {found}")
        return scene

    @property
    def drawn(self) -> bool:
        """Whether its scenes are shown as layout videos, for want of any other."""
        return bool(getattr(self.source, "drawn", False))

    @property
    def has_footage(self) -> bool:
        """Whether the source can write videos of its scenes."""
        return callable(getattr(self.source, "export_video", None))

    def export_video(self, scene_id: str, path: Path) -> Sequence[Frame | None]:
        """Write a scene's footage; gives a pose for each of its frames, None where it was lost."""
        doing = f"writing the video of scene {scene_id}"
        with guard(self.registered, doing):
            found = list(self._optional("export_video")(scene_id, path))
        strange = [frame for frame in found if not isinstance(frame, Frame | None)]
        if strange:
            raise PluginError(
                f"{self.registered}, while {doing}: gave {strange[0]!r:.80} as a pose"
            )
        return found

    @property
    def has_release(self) -> bool:
        """Whether the source can write its scenes in the layout of a raw release."""
        return callable(getattr(self.source, "write_release", None))

    def write_release(self, folder: Path, progress: Callable[[int, int], object]) -> None:
        """Write the scenes in the layout of a raw release."""
        with guard(self.registered, f"writing a release to {folder}"):
            self._optional("write_release")(folder, progress)

    def _optional(self, name: str) -> Callable[..., Any]:
        method = getattr(self.source, name, None)
        if not callable(method):
            raise UsageError(f"{self.registered} has no {name}: use a source that offers it")
        return cast(Callable[..., Any], method)


class GuardedQuestions:
    """A question generator."""

    def __init__(self, generator: QuestionGenerator, registered: Registered) -> None:
        self.generator, self.registered = generator, registered
        with guard(registered, "giving its version"):
            self.version = generator.version

    def questions(self, scene: Scene, style: Style, rng: np.random.Generator) -> Iterable[Question]:
        """Every admissible question of the scene."""
        with guard(self.registered, f"asking about scene {scene.id}"):
            found = self.generator.questions(scene, style, rng)
            return _each(Question, found, self.registered, f"questions about scene {scene.id}")

    @property
    def needs_visibility(self) -> bool:
        """Whether it asks nothing of scenes without `Scene.visibility`."""
        with guard(self.registered, "giving what it needs"):
            return "visibility" in getattr(self.generator, "needs", ())

    @property
    def question_types(self) -> tuple[str, ...]:
        """The types of question it can recompute; none if it has no `recompute`."""
        with guard(self.registered, "giving its question types"):
            if not callable(getattr(self.generator, "recompute", None)):
                return ()
            return tuple(getattr(self.generator, "question_types", ()))

    def recompute(self, scene: Scene, question: Question) -> Recomputed:
        """The answer of anybody's question of one of its types."""
        doing = f"recomputing question {question.id or question.text!r} about scene {scene.id}"
        with guard(self.registered, doing):
            found = self.generator.recompute(scene, question)  # type: ignore[attr-defined]
            return _a(Recomputed, found, self.registered, doing)


class GuardedTask:
    """An evaluation task."""

    def __init__(self, task: Task, registered: Registered) -> None:
        self.task, self.registered = task, registered
        with guard(registered, "giving max_new_tokens"):
            self.max_new_tokens = task.max_new_tokens

    def missing(self) -> Sequence[str]:
        """What the machine lacks."""
        with guard(self.registered, "asking what is missing"):
            return list(self.task.missing())

    def questions(self, given: TaskInput) -> Sequence[Question]:
        """The questions."""
        with guard(self.registered, "giving its questions"):
            return _each(Question, self.task.questions(given), self.registered, "questions")

    def prompt(self, question: Question) -> str:
        """The text that goes after the video."""
        doing = f"wording question {question.id}"
        with guard(self.registered, doing):
            return _a(str, self.task.prompt(question), self.registered, doing)

    def score(self, question: Question, answer: str) -> Scored:
        """The score of one answer."""
        doing = f"scoring the answer {answer[:80]!r} to question {question.id}"
        with guard(self.registered, doing):
            scored = _a(Scored, self.task.score(question, answer), self.registered, doing)
        if not isinstance(scored.score, int | float) or not math.isfinite(scored.score):
            raise PluginError(
                f"{self.registered}, while {doing}: gave the score {scored.score!r}, expected a "
                "finite number in [0, 1]"
            )
        return scored


@dataclass(frozen=True)
class GuardedBackbone:
    """A family of models."""

    backbone: Backbone
    registered: Registered

    def checkpoint(self, workdir: Path) -> str:
        """A folder or hub name with weights and processor."""
        with guard(self.registered, "giving its checkpoint"):
            return self.backbone.checkpoint(workdir)

    def missing(self) -> Sequence[str]:
        """What the machine lacks."""
        with guard(self.registered, "asking what is missing"):
            return list(self.backbone.missing())

    def load_processor(self, checkpoint: str) -> ProcessorMixin:
        """The processor."""
        with guard(self.registered, f"loading the processor of {checkpoint}"):
            return self.backbone.load_processor(checkpoint)

    def load_model(self, checkpoint: str) -> PreTrainedModel:
        """The model."""
        with guard(self.registered, f"loading the model of {checkpoint}"):
            return self.backbone.load_model(checkpoint)

    def shape(self) -> ModelShape:
        """Sizes for planning."""
        with guard(self.registered, "giving its sizes"):
            return self.backbone.shape()

    def video_tokens(self, frames: int, height: int, width: int) -> int:
        """Tokens of a video."""
        with guard(self.registered, "counting a video's tokens"):
            return self.backbone.video_tokens(frames, height, width)

    def vision_tower(self, model: PreTrainedModel) -> Any:
        """The module every pixel passes through."""
        with guard(self.registered, "finding the vision tower"):
            return self.backbone.vision_tower(model)

    @property
    def lora_targets(self) -> str:
        """Which modules get adapters."""
        with guard(self.registered, "naming its modules"):
            return self.backbone.lora_targets


def _each(kind: type[T], values: Iterable[Any], registered: Registered, what: str) -> list[T]:
    """The values; call it under `guard`, as an iterator runs the plugin's code."""
    found = list(values)
    strange = [value for value in found if not isinstance(value, kind)]
    if strange:
        raise PluginError(
            f"{registered}: its {what} must each be a {kind.__name__}, found {strange[0]!r:.80}"
        )
    return found


def _a(kind: type[T], value: object, registered: Registered, doing: str) -> T:
    if not isinstance(value, kind):
        raise PluginError(
            f"{registered}, while {doing}: gave {value!r:.80}, expected a {kind.__name__}"
        )
    return value
