"""A recipe from its first stage to its last: the main path of the harness.

questions -> evaluate the base model -> for each training stage: train, evaluate -> baselines ->
report. Each stage is a folder of the run; see `runs.py` for what makes a stage done.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from harness.assembly import Assembly
from harness.frame_cache import FrameCache
from harness.question_files.reading import question_files
from harness.runs import RunFolder, StageFolder
from harness.schema import Recipe
from harness.stages.evaluation import evaluate_frequency, evaluate_model
from harness.stages.questions import QuestionSet, make_questions, read_questions
from harness.stages.training import MODEL, train
from harness.video import Clip, file_digest


def run_pipeline(assembly: Assembly, run: RunFolder, cache: Path) -> None:
    """Run what is not done yet.

    Args:
        assembly: the recipe's components.
        run: the run folder, held by this process.
        cache: folder of sampled frames, shared between runs.
    """
    recipe = assembly.recipe
    frames = FrameCache(cache / "frames")
    questions = run.stage(
        "questions",
        _question_inputs(recipe),
        lambda folder: make_questions(assembly, folder, frames),
    )
    data = read_questions(questions.path)
    model = _Model(assembly, run, data, questions, frames)
    if recipe.evaluate.before:
        model.evaluate("base")
    for index, name in enumerate(recipe.train):
        model.train(name)
        if recipe.evaluate.each_stage or index == len(recipe.train) - 1:
            model.evaluate(name)
    run.stage(
        "evaluate-frequency",
        [questions.key, _evaluation_inputs(recipe)],
        lambda folder: evaluate_frequency(assembly, data, folder),
    )
    if recipe.evaluate.blind:
        model.evaluate("blind", blind=True)


class _Model:
    """The model as it goes through the stages: its checkpoint and the key of all that made it."""

    def __init__(
        self,
        assembly: Assembly,
        run: RunFolder,
        data: QuestionSet,
        questions: StageFolder,
        frames: FrameCache,
    ) -> None:
        self._assembly, self._run, self._data = assembly, run, data
        self._questions, self._frames = questions, frames
        recipe = assembly.recipe
        self._origin: list[Any] = [recipe.backbone.model_dump(), recipe.video.model_dump()]
        self._checkpoint = ""
        self._encoders: dict[int, Any] = {}
        self._first: tuple[str, Path] | None = None

    def train(self, name: str) -> None:
        """Train the stage and go on with the model it gives."""
        stage = self._assembly.recipe.train[name]
        inputs = [
            *self._origin,
            self._questions.key,
            stage.model_dump(),
            self._assembly.recipe.seed,
        ]

        def make(folder: Path) -> None:
            checkpoint, encoder = self._load(self._assembly.recipe.video.frames)
            train(self._assembly, name, checkpoint, encoder, self._data, folder)

        done = self._run.stage(f"train-{name}", inputs, make)
        self._origin = [done.key]
        self._checkpoint = str(done.path / MODEL)

    def evaluate(self, label: str, *, blind: bool = False) -> None:
        """Measure the model as it is now."""
        recipe = self._assembly.recipe
        against = None if blind else self._first
        inputs = [
            *self._origin,
            self._questions.key,
            recipe.video.model_dump(),
            _evaluation_inputs(recipe),
            blind,
            against and against[0],
        ]

        def make(folder: Path) -> None:
            checkpoint, encoder = self._load(recipe.evaluate.frames or recipe.video.frames)
            evaluate_model(
                self._assembly,
                label,
                checkpoint,
                encoder,
                self._data,
                folder,
                against,
                blind=blind,
            )

        done = self._run.stage(f"evaluate-{label}", inputs, make)
        if self._first is None and not blind:
            self._first = (label, done.path)

    def _load(self, frames: int) -> tuple[str, Any]:
        """Checkpoint and encoder, on first need: a finished run loads neither."""
        from harness.modelling.logs import libraries_write_to

        libraries_write_to(self._run.path / "libraries.log")
        from harness.modelling.encoding import VideoEncoder

        backbone = self._assembly.backbone
        self._checkpoint = self._checkpoint or backbone.checkpoint(self._run.path / "checkpoint")
        if frames not in self._encoders:
            processor = backbone.load_processor(self._checkpoint)
            self._encoders[frames] = VideoEncoder(processor, self._clips(frames))
        return self._checkpoint, self._encoders[frames]

    def _clips(self, frames: int) -> Callable[[str], Clip]:
        video = self._assembly.recipe.video

        def clip_of(scene: str) -> Clip:
            path = self._questions.path / self._data.videos[scene]["path"]
            return self._frames.clip(
                path, frames=frames, sampler=video.sampler, height=video.height, width=video.width
            )

        return clip_of


def _question_inputs(recipe: Recipe) -> list[Any]:
    tasks = {name: ref.model_dump() for name, ref in recipe.evaluate.tasks.items()}
    return [
        version("vsi-harness"),
        recipe.scenes.model_dump(mode="json"),
        recipe.questions.model_dump(mode="json", exclude={"preset"}),
        _content(recipe.questions.train_file),
        recipe.video.layout.model_dump(),
        bool(recipe.train),
        tasks,
        recipe.seed,
    ]


def _content(path: Path | None) -> list[str] | None:
    """What is in a question file or folder now."""
    return None if path is None else [file_digest(file) for file in question_files(path)]


def _evaluation_inputs(recipe: Recipe) -> list[Any]:
    section = recipe.evaluate.model_dump(mode="json")
    return [*(section[k] for k in ("tasks", "frames", "batch_size", "resamples")), recipe.seed]
