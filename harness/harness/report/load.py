"""A run folder read into values; what is missing is None or empty, never an error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, FiniteFloat, TypeAdapter

from harness.errors import UsageError
from harness.report.read import read_json, read_lines, read_yaml

BASE = "base"
BASELINES = ("frequency", "blind")


@dataclass(frozen=True)
class Interval:
    """A score or a difference in [0, 1] units, with the ends of its 95 % interval if known."""

    value: FiniteFloat
    low: FiniteFloat | None = None
    high: FiniteFloat | None = None
    n: int | None = None


def _by_name(rows: Any) -> Any:
    """Rows are written as a list with names (whose order survives) or as a map."""
    if not isinstance(rows, list):
        return rows
    return {row.get("name", ""): row for row in rows if isinstance(row, dict)}


Rows = Annotated[Mapping[str, Interval], BeforeValidator(_by_name)]


@dataclass(frozen=True)
class Scores:
    """A model's scores in one task.

    Args:
        n: questions. scenes: the scenes they are about.
        rows: score name -> score.
        partial: whether a question type is `missing`, so that `macro` is not the whole average.
    """

    n: int
    rows: Rows
    scenes: int | None = None
    partial: bool = False
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Difference:
    """Paired difference to the model `against`, by score name."""

    against: str
    rows: Rows


@dataclass(frozen=True)
class Answer:
    """One question with a model's raw answer, what was understood of it, and its score."""

    id: str
    question_type: str
    score: FiniteFloat
    scene: str = ""
    dataset: str = ""
    question: str = ""
    options: tuple[str, ...] | None = None
    gold: str | float = ""
    prompt: str = ""
    answer: str | None = None
    parsed: str | float | None = None
    video: str | None = None
    layout: bool = False
    frame_indices: tuple[int, ...] | None = None


@dataclass(frozen=True)
class RolloutRow:
    """One completion of a GRPO group, with its rewards by name, their sum and its advantage."""

    step: int
    id: str
    completion: str
    reward: float | None = None
    advantage: float | None = None
    rewards: Mapping[str, float | None] = field(default_factory=dict)
    scene: str = ""
    question_type: str = ""
    prompt: str = ""
    gold: str | float = ""


@dataclass(frozen=True)
class Evaluation:
    """A model in a task; `scores` is None as long as it has not run to its end."""

    model: str
    task: str
    scores: Scores | None = None
    answers: tuple[Answer, ...] = ()
    difference: Difference | None = None

    @property
    def baseline(self) -> bool:
        """Whether the model stands for what can be had without seeing."""
        return self.model in BASELINES


@dataclass(frozen=True)
class Stage:
    """A training stage; `summary` is None as long as it has not run to its end."""

    name: str
    metrics: tuple[Mapping[str, Any], ...] = ()
    rollouts: tuple[RolloutRow, ...] = ()
    summary: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class SkippedScene:
    """A scene that was left out."""

    scene: str
    reason: str = ""


@dataclass(frozen=True)
class DataSummary:
    """Scenes and questions by split, questions by task, what was skipped and what was mended.

    `faults` maps scenes to what was found wrong in their annotation, in words; `leak` benchmarks
    and their splits to the number of training scenes that they show.
    """

    scenes: Mapping[str, int] = field(default_factory=dict)
    skipped: tuple[SkippedScene, ...] = ()
    questions: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    tasks: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    faults: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    layout_video: bool = False
    leak: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Git:
    """State of the code a run was made with."""

    commit: str
    dirty: bool = False


@dataclass(frozen=True)
class Provenance:
    """Where a run comes from."""

    name: str = ""
    hash: str = ""
    created: str | float = ""
    versions: Mapping[str, str | None] = field(default_factory=dict)
    git: Git | None = None
    seed: int | None = None
    warnings: tuple[str, ...] = ()
    recipe_description: str = ""
    command: tuple[str, ...] = ()
    python: str = ""
    platform: str = ""
    environment: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class RunReport:
    """All of a run that a report shows.

    Args:
        folder: the run folder.
        provenance: `run.json`, or None.
        recipe: the resolved recipe as a document, and `recipe_text` as written; None if missing.
        data: `questions/summary.json`, or None if that stage has not run.
        stages: the training stages in order, also those that have not run.
        evaluations: every model in every task, models in order and baselines last, also those
            that are planned and have not run.
        notices: what was left out on reading, in words.
    """

    folder: Path
    provenance: Provenance | None = None
    recipe: Mapping[str, Any] | None = None
    recipe_text: str = ""
    data: DataSummary | None = None
    stages: tuple[Stage, ...] = ()
    evaluations: tuple[Evaluation, ...] = ()
    notices: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Name of the run."""
        return (self.provenance.name if self.provenance else "") or self.folder.name

    @property
    def tasks(self) -> tuple[str, ...]:
        """Task names in order."""
        return tuple(dict.fromkeys(e.task for e in self.evaluations))

    @property
    def final_model(self) -> str:
        """The last training stage, or `base` without training."""
        return self.stages[-1].name if self.stages else BASE

    @cached_property
    def layout_video(self) -> bool:
        """Whether some video was drawn from boxes, not filmed."""
        drawn = self.data is not None and self.data.layout_video
        return drawn or any(a.layout for e in self.evaluations for a in e.answers)

    @property
    def leak(self) -> Mapping[str, int]:
        """Benchmark or split -> training scenes that it shows; empty as it should be."""
        return self.data.leak if self.data is not None else {}

    def of_task(self, task: str) -> tuple[Evaluation, ...]:
        """The evaluations of a task, in order."""
        return tuple(e for e in self.evaluations if e.task == task)

    def evaluation(self, model: str, task: str) -> Evaluation | None:
        """One evaluation, or None."""
        return next((e for e in self.of_task(task) if e.model == model), None)


def load_run(folder: Path) -> RunReport:
    """Read a finished or unfinished run folder.

    Raises:
        UsageError: `folder` is no run folder.
        HarnessError: a file is corrupt; the message names file and line.
    """
    folder = Path(folder)
    if not any((folder / name).is_file() for name in ("recipe.yaml", "run.json")):
        raise UsageError(
            f"{folder}: no run folder: found neither recipe.yaml nor run.json in it; "
            "give the folder that `harness run` wrote"
        )
    loaded = read_yaml(folder / "recipe.yaml")
    recipe, text = loaded or (None, "")
    notices: list[str] = []
    stages = tuple(_stage(folder, name, notices) for name in _stage_names(folder, recipe or {}))
    names = [stage.name for stage in stages]
    evaluations = tuple(
        _evaluation(folder, model, task, notices)
        for task, models in _planned(folder, recipe or {}, names).items()
        for model in models
    )
    return RunReport(
        folder=folder,
        provenance=read_json(folder / "run.json", TypeAdapter(Provenance)),
        recipe=recipe,
        recipe_text=text,
        data=read_json(folder / "questions" / "summary.json", TypeAdapter(DataSummary)),
        stages=stages,
        evaluations=evaluations,
        notices=tuple(notices),
    )


def _stage_names(folder: Path, recipe: Mapping[str, Any]) -> list[str]:
    planned = [str(name) for name in _section(recipe, "train")]
    return list(dict.fromkeys((*planned, *_suffixes(folder, "train-"))))


def _planned(folder: Path, recipe: Mapping[str, Any], stages: list[str]) -> dict[str, list[str]]:
    """Task -> models in order: those the recipe asks for, and those found on disk."""
    evaluate = _section(recipe, "evaluate")
    wanted: set[str] = set()
    if evaluate:
        last = [stages[-1]] if stages else [BASE]
        wanted.update(stages if evaluate.get("each_stage", True) else last)
        wanted.update([BASE] if evaluate.get("before", True) or not stages else [])
        wanted.update(["blind"] if evaluate.get("blind", True) else [])
    found = {
        model: {path.name for path in (folder / f"evaluate-{model}").iterdir() if path.is_dir()}
        for model in _suffixes(folder, "evaluate-")
    }
    others = sorted(found.keys() - {BASE, *stages, *BASELINES})
    order = [BASE, *(s for s in stages if s not in (BASE, *BASELINES)), *others, *BASELINES]
    planned = [str(task) for task in _section(evaluate, "tasks")]
    tasks = dict.fromkeys((*planned, *sorted(set().union(*found.values()))))
    return {
        task: [
            model
            for model in order
            if task in found.get(model, ()) or (model in wanted and task in planned)
        ]
        for task in tasks
    }


def _stage(folder: Path, name: str, notices: list[str]) -> Stage:
    place = folder / f"train-{name}"
    summary = read_json(place / "summary.json", TypeAdapter(dict[str, Any]))
    finished = summary is not None
    metrics, half_metrics = read_lines(
        place / "metrics.jsonl", TypeAdapter(dict[str, Any]), finished=finished
    )
    rollouts, half_rollouts = read_lines(
        place / "rollouts.jsonl", TypeAdapter(RolloutRow), finished=finished
    )
    notices += [_half(place / "metrics.jsonl", folder)] * half_metrics
    notices += [_half(place / "rollouts.jsonl", folder)] * half_rollouts
    return Stage(name, metrics, rollouts, summary)


def _evaluation(folder: Path, model: str, task: str, notices: list[str]) -> Evaluation:
    place = folder / f"evaluate-{model}" / task
    scores = read_json(place / "scores.json", TypeAdapter(Scores))
    answers, half = read_lines(
        place / "answers.jsonl", TypeAdapter(Answer), finished=scores is not None
    )
    notices += [_half(place / "answers.jsonl", folder)] * half
    difference = read_json(place / "difference.json", TypeAdapter(Difference))
    return Evaluation(model, task, scores, answers, difference)


def _half(path: Path, folder: Path) -> str:
    return f"{path.relative_to(folder)}: the last line is incomplete and was left out"


def _section(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = document.get(name)
    return value if isinstance(value, Mapping) else {}


def _suffixes(folder: Path, prefix: str) -> list[str]:
    """Names after the prefix; a folder such as `train-sft.part` is one that is being written."""
    names = (path.name.removeprefix(prefix) for path in folder.glob(f"{prefix}*") if path.is_dir())
    return sorted(name for name in names if name.isidentifier())
