"""The recipe as pydantic models.

Sections that name a plugin (`PluginRef` and its kin) keep the plugin's settings aside until the
catalogue is known; `recipe.py` validates them against the plugin's own schema.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from harness.question import Style

Scalar = str | int | float | bool | None
# Keys that users choose: parts of paths (`--set a.b=1`) and of file names.
Name = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_-]*$", max_length=60)]
StageName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=60)]
Category = Annotated[str, Field(min_length=1, max_length=100)]
TrainingPrompt = Literal["vanilla", "think", "observe", "thinking-in-space"]


class Section(BaseModel):
    """A part of the recipe without plugin settings: unknown keys are errors."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True
    )


class PluginRef(BaseModel):
    """Names a plugin's component; every other key is a setting of that component."""

    model_config = ConfigDict(
        frozen=True, extra="allow", strict=True, use_attribute_docstrings=True
    )

    use: Annotated[str, Field(min_length=1)]
    """Name of the component."""

    @property
    def settings(self) -> dict[str, Any]:
        """What belongs to the component."""
        return dict(self.__pydantic_extra__ or {})


class NamedRef(PluginRef):
    """An entry of a map of components: its key is the name, unless `use` says otherwise."""

    use: str = ""
    """Name of the component; the entry's key if left out."""


class FamilyRef(NamedRef):
    """A question family."""

    limit: Annotated[int, Field(ge=1)] | None = None
    """At most this many questions in the whole set."""
    per_scene: Annotated[int, Field(ge=1)] | None = None
    """At most this many questions for each scene."""
    weight: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    """Share of this family, against the others' weights, where a limit on the whole set draws."""


class RewardRef(NamedRef):
    """A reward with its weight in the sum."""

    weight: float = 1.0
    """Factor of this reward in the sum."""


class Scenes(Section):
    """Where scenes come from; the two sets must not share a space."""

    train: PluginRef
    """Scenes to train on."""
    evaluate: PluginRef
    """Held-out scenes to evaluate on."""
    max_faulty: Annotated[int, Field(ge=0)] = 0
    """Faulty scenes that are skipped and counted before the run fails."""
    allow_leak: bool = False
    """Train on scenes that benchmarks test on; the run is marked, as its scores on them say nothing."""


class LayoutVideo(Section):
    """How a scene without footage is drawn from its boxes."""

    seconds: Annotated[float, Field(gt=0, le=600)] = 8.0
    """Length of the camera walk."""
    fps: Annotated[int, Field(ge=1, le=60)] = 8
    """Frames a second."""
    width: Annotated[int, Field(ge=32, le=1920, multiple_of=2)] = 320
    """Pixels."""
    height: Annotated[int, Field(ge=32, le=1080, multiple_of=2)] = 240
    """Pixels."""


class Video(Section):
    """What of a video the model sees."""

    frames: Annotated[int, Field(ge=1, le=1024)] = 16
    """Frames sampled from each video."""
    sampler: Literal["linspace"] = "linspace"
    """`linspace`: evenly from the first to the last frame, as VSI-Bench does."""
    height: Annotated[int, Field(ge=28, le=2048)] = 224
    """Pixels each frame is resized to, before the model's own processor."""
    width: Annotated[int, Field(ge=28, le=2048)] = 224
    """Pixels each frame is resized to, before the model's own processor."""
    layout: LayoutVideo = LayoutVideo()
    """For scenes without footage."""
    max_unreadable: Annotated[int, Field(ge=0)] = 0
    """Unreadable videos whose questions are dropped and counted before the run fails."""


class Seen(Section):
    """What counts as seen.

    Questions about other objects are dropped, and so are those about scenes of which it is not
    known what their frames show.
    """

    frames: Annotated[int, Field(ge=1, le=1024)] = 32
    """Frames of the video that are looked at, sampled as the model's."""
    share: Annotated[float, Field(gt=0, le=1)] = 0.001
    """Least part of a frame's picture that an object fills where it is seen."""
    min_frames: Annotated[int, Field(ge=1)] = 1
    """Fewest of these frames that must show an object."""

    @model_validator(mode="after")
    def _enough_frames(self) -> Self:
        if self.min_frames > self.frames:
            raise ValueError(f"min_frames {self.min_frames} is more than frames {self.frames}")
        return self


class Questions(Section):
    """Which questions are asked."""

    preset: Annotated[str, Field(min_length=1)] | None = None
    """Questions that this section changes: the name of a packaged preset, or a YAML file beside the
    recipe. The section, wherever it stands, goes over the preset; `null` removes what it has."""
    style: Style = "vsi_bench"
    """Wording and kind of answer of the training questions."""
    families: Annotated[dict[Name, FamilyRef], Field(min_length=1)]
    """Question generators by name; they may come from the preset."""
    exclude: tuple[Category, ...] = ()
    """Categories that no question is about, by the names they have after `rename`."""
    rename: dict[Category, Category] = {}
    """Categories by another name, category -> name; categories given one name become one."""
    merge_plurals: bool = False
    """Take a plural for its singular where a scene has both, such as `books` and `book`."""
    visible: Seen | None = None
    """Ask only about objects that the video shows; about all if left out."""
    train_file: Path | None = None
    """A question file of `harness questions build` to train on; if left out, the families are asked
    about the scenes of `scenes.train`."""
    train_limit: Annotated[int, Field(ge=1)] | None = None
    """At most this many training questions, drawn from the families by their weights."""
    evaluate_limit: Annotated[int, Field(ge=1)] | None = None
    """At most this many evaluation questions, drawn evenly from the question types."""


class PresetFile(Section):
    """A preset: questions for recipes and for `harness questions` to name."""

    questions: Questions


class Lora(Section):
    """Low-rank adapters through peft."""

    r: Annotated[int, Field(ge=1)] = 16
    """Rank."""
    alpha: Annotated[int, Field(ge=1)] = 32
    """Scale is alpha / r."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Dropout on the adapter's input."""
    targets: str | None = None
    """Regular expression over module names; the backbone's language-model linears if left out."""


class TrainStage(Section):
    """What all training methods share."""

    steps: Annotated[int, Field(ge=1)] | None = None
    """Optimizer steps; `epochs` counts instead if left out."""
    epochs: Annotated[float, Field(gt=0)] = 1.0
    """Passes over the training questions, if `steps` is left out."""
    limit: Annotated[int, Field(ge=1)] | None = None
    """At most this many of the training questions, drawn evenly from the question types."""
    learning_rate: Annotated[float, Field(gt=0)]
    """Peak learning rate."""
    batch_size: Annotated[int, Field(ge=1)] = 8
    """Sequences a device takes in one forward pass."""
    gradient_accumulation: Annotated[int, Field(ge=1)] = 1
    """Forward passes for each optimizer step."""
    scheduler: Literal["constant", "linear", "cosine", "constant_with_warmup"] = "cosine"
    """Shape of the learning rate over the run."""
    warmup_steps: Annotated[int, Field(ge=0)] = 0
    """Steps from zero to the peak."""
    max_grad_norm: Annotated[float, Field(gt=0)] = 1.0
    """Gradient clipping."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    """AdamW's weight decay."""
    lora: Lora | None = None
    """Adapters; the whole language model is trained if left out."""
    freeze_vision: bool = True
    """Keep the vision tower as it is."""
    gradient_checkpointing: bool = False
    """Recompute activations to save memory."""
    save_steps: Annotated[int, Field(ge=1)] = 50
    """Optimizer steps between checkpoints a run can resume from."""
    log_steps: Annotated[int, Field(ge=1)] = 10
    """Optimizer steps between entries of the training curve."""
    prompt: TrainingPrompt = "vanilla"
    """How the model is asked: the paper's `vanilla`, `think` or `observe` (its section 3.2), or
    VSI-Bench's own words, `thinking-in-space`."""
    args: dict[str, Scalar] = {}
    """Any further field of the TRL config of this method."""


class AnswersStage(TrainStage):
    """A stage that learns from written answers, which hold no reasoning."""

    @model_validator(mode="after")
    def _answers_have_no_reasoning(self) -> Self:
        if self.prompt in ("think", "observe"):
            raise ValueError(
                f"prompt {self.prompt!r} asks for reasoning before the answer, and the questions "
                "carry answers alone: train it with grpo, or use prompt vanilla"
            )
        return self


class SftStage(AnswersStage):
    """Supervised fine-tuning on the right answers."""

    method: Literal["sft"]


class DpoStage(AnswersStage):
    """Direct preference optimisation, right answers against wrong ones made by rule."""

    method: Literal["dpo"]
    beta: Annotated[float, Field(ge=0)] = 0.1
    """Strength of the pull to the reference model."""


class GrpoStage(TrainStage):
    """Group-relative policy optimisation with rewards."""

    method: Literal["grpo"]
    batch_size: Annotated[int, Field(ge=1)] = 14
    """Rollouts a device takes in one forward pass; a step holds whole groups."""
    rewards: Annotated[dict[Name, RewardRef], Field(min_length=1)]
    """Rewards by name; their weighted sum is maximised."""
    num_generations: Annotated[int, Field(ge=2)] = 14
    """Rollouts for each question (the group's size G)."""
    temperature: Annotated[float, Field(gt=0)] = 1.0
    """Sampling temperature of the rollouts."""
    max_completion_length: Annotated[int, Field(ge=1)] = 256
    """Longest answer in tokens."""
    beta: Annotated[float, Field(ge=0)] = 1e-4
    """Weight of the KL term to the reference model; 0 drops the reference."""
    epsilon: Annotated[float, Field(gt=0)] = 0.2
    """Clip range of the probability ratio."""
    loss_type: Literal["grpo", "dr_grpo", "dapo", "bnpo"] = "grpo"
    """How token losses are averaged (TRL's name)."""
    importance_sampling_level: Literal["token", "sequence"] = "token"
    """`sequence` is the ratio as the paper prints it."""

    @model_validator(mode="after")
    def _steps_hold_whole_groups(self) -> Self:
        rows = self.batch_size * self.gradient_accumulation
        if rows % self.num_generations:
            raise ValueError(
                f"batch_size {self.batch_size} x gradient_accumulation {self.gradient_accumulation} "
                f"= {rows} rollouts a step, which is no multiple of num_generations "
                f"{self.num_generations}: change one of the three"
            )
        return self


AnyStage = Annotated[SftStage | DpoStage | GrpoStage, Field(discriminator="method")]


class Evaluate(Section):
    """How models are measured."""

    tasks: Annotated[dict[Name, NamedRef], Field(min_length=1)]
    """Tasks by name."""
    before: bool = True
    """Measure the model before any training too."""
    each_stage: bool = True
    """Measure after every training stage, not the last one alone."""
    blind: bool = True
    """Ask the last model without the video too."""
    frames: Annotated[int, Field(ge=1, le=1024)] | None = None
    """Frames sampled from each video in evaluation; as in training if left out."""
    batch_size: Annotated[int, Field(ge=1)] = 16
    """Questions answered at a time."""
    resamples: Annotated[int, Field(ge=100)] = 1000
    """Bootstrap resamples (over scenes) behind each 95 % interval."""


class Recipe(Section):
    """A whole run: scenes, questions, a backbone, training stages, evaluation."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.=,-]*$", max_length=120)]
    """Name of the run folder."""
    description: str = ""
    """What the recipe is for."""
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    """Seed of everything random that has no seed of its own."""
    scenes: Scenes
    video: Video = Video()
    questions: Questions
    backbone: PluginRef
    train: dict[StageName, AnyStage] = {}
    """Training stages in order, by name; each starts from the model of the one before."""
    evaluate: Evaluate
    matrix: dict[str, Annotated[list[Scalar], Field(min_length=1)]] = {}
    """Axes of an ablation: path in the recipe -> values; every combination is a run."""

    def cells(self) -> int:
        """Number of runs the matrix makes (1 without a matrix)."""
        return math.prod(len(values) for values in self.matrix.values())
