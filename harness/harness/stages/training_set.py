"""The questions to train on: asked about the training scenes, or read from a question file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from harness.assembly import Assembly
from harness.errors import HarnessError, UsageError
from harness.generate import Family, build_questions, draw, load_scenes
from harness.leak import refuse_leaks
from harness.progress import bar
from harness.question import Question
from harness.question_files import read_questions
from harness.scene import Scene
from harness.schema import LayoutVideo, Recipe

SETTING = "scenes.allow_leak: true"
_SHOWN = 5
# What their answers are depends on the video, not on the scene alone.
_OF_VIDEOS = ("obj_appearance_order",)


@dataclass(frozen=True)
class Loaded:
    """Scenes of a source, and the faulty ones left out as `{scene, reason}`."""

    scenes: list[Scene]
    skipped: list[dict[str, str]]


@dataclass(frozen=True)
class TrainingSet:
    """What a run trains on.

    Args:
        loaded: the scenes. questions: about them.
        leaked: (dataset, scene) -> the benchmark or split that shows it, where that is allowed.
    """

    loaded: Loaded
    questions: list[Question]
    leaked: Mapping[tuple[str, str], str] = field(default_factory=dict)


def training_set(assembly: Assembly) -> TrainingSet:
    """Load the training scenes and ask about them, or read the questions somebody asked.

    Raises:
        UsageError: scenes are shown by benchmarks and `scenes.allow_leak` is not set.
        HarnessError: scenes or rows are faulty, or the file asks about scenes that are not there.
    """
    recipe = assembly.recipe
    if recipe.questions.train_file is not None:
        return _from_file(assembly)
    loaded = load(assembly, "train")
    leaked = refuse_training_on_benchmarks(recipe, _places(loaded.scenes))
    questions = build_questions(
        loaded.scenes,
        assembly.families,
        assembly.ask_rules(recipe.questions.style),
        limit=recipe.questions.train_limit,
    )
    return TrainingSet(loaded, _marked(questions, leaked), leaked)


def load(assembly: Assembly, which: str, ids: Sequence[str] | None = None) -> Loaded:
    """The scenes to `train` or `evaluate`, all or these."""
    source = assembly.train_scenes if which == "train" else assembly.held_out_scenes
    with bar(f"scenes to {which}", "scenes") as step:
        ids = source.scene_ids() if ids is None else ids
        scenes, skipped = load_scenes(
            source,
            max_faulty=assembly.recipe.scenes.max_faulty,
            ids=ids,
            progress=lambda done: step(done, len(ids), ""),
        )
    return Loaded(scenes, skipped)


def refuse_training_on_benchmarks(
    recipe: Recipe, scenes: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], str]:
    """The scenes to train on that benchmarks show, unless there may be none.

    Args:
        scenes: (dataset, scene) pairs.

    Raises:
        UsageError: there are some, the recipe trains, and `scenes.allow_leak` is not set.
    """
    allowed = recipe.scenes.allow_leak or not recipe.train
    return refuse_leaks(scenes, allowed=allowed, setting=SETTING)


def questions_of_file(recipe: Recipe) -> list[Question]:
    """The rows of `questions.train_file`, as many as `train_limit` allows, drawn by weights.

    Raises:
        UsageError: rows are marked as leaked, or are about scenes of benchmarks, and
            `scenes.allow_leak` is not set; or there is no such file. HarnessError: rows are faulty.
    """
    path = recipe.questions.train_file
    assert path is not None
    rows = list(read_questions(path))
    marked = {(row.dataset, row.scene): row.leak for row in rows if row.leak}
    if marked and recipe.train and not recipe.scenes.allow_leak:
        splits = ", ".join(sorted(set(marked.values())))
        raise UsageError(
            f"{path}: rows about {len(marked)} scenes are marked as shown by {splits}: train on "
            f"another file, or say {SETTING} if that is what you want"
        )
    refuse_training_on_benchmarks(recipe, ((row.dataset, row.scene) for row in rows))
    by_family: dict[str, list[Question]] = {}
    for row in rows:
        by_family.setdefault(row.generator, []).append(row)
    weights = {name: ref.weight for name, ref in recipe.questions.families.items()}
    masks = draw(
        {name: len(found) for name, found in by_family.items()},
        [Family(name, _NoGenerator(), weight=weights.get(name, 1.0)) for name in by_family],
        seed=recipe.seed,
        limit=recipe.questions.train_limit,
    )
    kept = {
        row.id
        for name, found in by_family.items()
        for row, keep in zip(found, masks[name], strict=True)
        if keep
    }
    return [row for row in rows if row.id in kept]


def _from_file(assembly: Assembly) -> TrainingSet:
    recipe = assembly.recipe
    questions = questions_of_file(recipe)
    asked = dict.fromkeys(question.scene for question in questions)
    there = set(assembly.train_scenes.scene_ids())
    missing = [scene for scene in asked if scene not in there]
    if missing:
        raise HarnessError(
            f"questions.train_file {recipe.questions.train_file} asks about {len(missing)} scene(s) "
            f"that are not in scenes.train ({', '.join(missing[:_SHOWN])}"
            f"{', …' if len(missing) > _SHOWN else ''}), so there is no video of them: give "
            "scenes.train the source and settings the file was built with"
        )
    loaded = load(assembly, "train", list(asked))
    leaked = refuse_training_on_benchmarks(recipe, _places(loaded.scenes))
    leaked |= {(q.dataset, q.scene): q.leak for q in questions if q.leak}
    skipped = {one["scene"] for one in loaded.skipped}
    kept = [question for question in questions if question.scene not in skipped]
    _refuse_other_walks(assembly, loaded.scenes, kept)
    return TrainingSet(loaded, _marked(kept, leaked), leaked)


def _refuse_other_walks(
    assembly: Assembly, scenes: Iterable[Scene], questions: Iterable[Question]
) -> None:
    """A layout video shows things in the order of its walk, which `harness questions build` took.

    Raises:
        HarnessError: the run would show another walk.
    """
    recipe = assembly.recipe
    bare = {scene.id for scene in scenes if scene.video is None}
    walked = assembly.train_scenes.drawn and recipe.video.layout == LayoutVideo()
    other = [
        question
        for question in questions
        if question.question_type in _OF_VIDEOS
        and question.scene in bare
        and not (walked and question.seed == recipe.seed)
    ]
    if other and recipe.train:
        raise HarnessError(
            f"questions.train_file {recipe.questions.train_file}: {len(other)} rows of type "
            f"{', '.join(_OF_VIDEOS)} are about scenes without footage, and the layout videos of "
            "this run show things in another order: leave these rows out, give the scenes videos, "
            f"or leave video.layout as it is and build the file with --seed {recipe.seed} from a "
            "source whose scenes are drawn"
        )


def _places(scenes: Iterable[Scene]) -> list[tuple[str, str]]:
    return [(scene.dataset, scene.id) for scene in scenes]


def _marked(questions: Sequence[Question], leaked: Mapping[tuple[str, str], str]) -> list[Question]:
    return [
        replace(question, leak=split)
        if (split := leaked.get((question.dataset, question.scene), ""))
        else question
        for question in questions
    ]


class _NoGenerator:
    """Stands where a family asks nothing: its questions are there already."""

    version = 0

    def questions(self, *_: object) -> list[Question]:
        return []
