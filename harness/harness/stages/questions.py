"""Scenes to questions and videos: everything later stages read is written here.

Files: `train.jsonl`, `evaluate.jsonl` (held-out questions), `tasks/<task>.jsonl` (what each task
asks), `videos/` (layout videos) and `videos.json`, `summary.json`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.assembly import Assembly
from harness.atomic import write_json, write_jsonl
from harness.component import TaskInput
from harness.errors import HarnessError
from harness.frame_cache import FrameCache
from harness.generate import build_questions, draw_evenly_by_type, shared_spaces
from harness.question import Question, from_row, to_row
from harness.scene import Scene
from harness.schema import Recipe
from harness.stages.training_set import Loaded, TrainingSet, load, training_set
from harness.stages.videos import Videos, find_videos


@dataclass(frozen=True)
class QuestionSet:
    """What the stage made.

    Args:
        train: questions to train on. held_out: generated questions on unseen scenes.
        tasks: the questions of each task. videos: scene -> {`path`, `layout`}.
    """

    train: Sequence[Question]
    held_out: Sequence[Question]
    tasks: Mapping[str, Sequence[Question]]
    videos: Mapping[str, Mapping[str, Any]]


def make_questions(assembly: Assembly, folder: Path, cache: FrameCache) -> None:
    """Fill the stage's folder; the cache gets the frames of footage.

    Raises:
        UsageError: training scenes are shown by benchmarks.
        HarnessError: no question came out, scenes are shared, or a task's scene is unknown.
    """
    recipe = assembly.recipe
    training = training_set(assembly)
    train, held_out = training.loaded, load(assembly, "evaluate")
    _refuse_shared(train.scenes, held_out.scenes)

    asked = {
        "train": training.questions,
        "evaluate": draw_evenly_by_type(
            build_questions(
                held_out.scenes,
                assembly.families,
                assembly.ask_rules("vsi_bench"),
            ),
            recipe.questions.evaluate_limit,
            seed=recipe.seed,
        ),
    }
    given = TaskInput(held_out=tuple(asked["evaluate"]))
    tasks = {name: list(task.questions(given)) for name, task in assembly.tasks.items()}
    to_train_on = asked["train"] if recipe.train else []
    _require_some(
        {**({"train": to_train_on} if recipe.train else {}), **tasks},
        "the scenes gave none for the recipe's families; add scenes or families, or loosen their "
        "thresholds",
    )
    videos = find_videos(
        recipe,
        (train.scenes, to_train_on),
        (held_out.scenes, [question for questions in tasks.values() for question in questions]),
        folder,
        cache,
    )
    asked = {name: _visible(questions, videos) for name, questions in asked.items()}
    tasks = {name: _visible(questions, videos) for name, questions in tasks.items()}
    _require_some(
        {**({"train": asked["train"]} if recipe.train else {}), **tasks},
        "none of their videos can be read; mend them",
    )
    for name, questions in asked.items():
        write_jsonl(folder / f"{name}.jsonl", map(to_row, questions))
    for name, questions in tasks.items():
        write_jsonl(folder / "tasks" / f"{name}.jsonl", map(to_row, questions))
    write_json(folder / "videos.json", videos.of_scene)
    write_json(
        folder / "summary.json",
        {
            **_scene_summary(train, held_out),
            "skipped": [*train.skipped, *held_out.skipped, *videos.unreadable.values()],
            "questions": {name: _count(questions) for name, questions in asked.items()},
            "tasks": {name: _count(questions) for name, questions in tasks.items()},
            "leak": _leak(recipe, training),
            "layout_video": any(video["layout"] for video in videos.of_scene.values()),
        },
    )


def read_questions(folder: Path) -> QuestionSet:
    """Read what `make_questions` wrote."""
    return QuestionSet(
        train=_read(folder / "train.jsonl"),
        held_out=_read(folder / "evaluate.jsonl"),
        tasks={path.stem: _read(path) for path in sorted((folder / "tasks").glob("*.jsonl"))},
        videos=json.loads((folder / "videos.json").read_text()),
    )


def _refuse_shared(train: Sequence[Scene], held_out: Sequence[Scene]) -> None:
    shared = shared_spaces(train, held_out)
    if shared:
        pairs = ", ".join(f"{a} and {b}" for a, b in shared[:5])
        raise HarnessError(
            f"{len(shared)} space(s) occur in scenes.train and in scenes.evaluate ({pairs}"
            f"{', …' if len(shared) > 5 else ''}): scores on scenes seen in training mean nothing; "
            "choose other scenes or another seed for one of the two"
        )


def _require_some(sets: Mapping[str, Sequence[Question]], why: str) -> None:
    empty = [name for name, questions in sets.items() if not questions]
    if empty:
        raise HarnessError(f"no question for {', '.join(empty)}: {why}")


def _scene_summary(train: Loaded, held_out: Loaded) -> dict[str, Any]:
    return {
        "scenes": {"train": len(train.scenes), "evaluate": len(held_out.scenes)},
        "faults": {s.id: list(s.faults) for s in [*train.scenes, *held_out.scenes] if s.faults},
    }


def _leak(recipe: Recipe, training: TrainingSet) -> dict[str, int]:
    """Benchmark or split -> scenes of it that are trained on."""
    return dict(sorted(Counter(training.leaked.values()).items())) if recipe.train else {}


def _visible(questions: Sequence[Question], videos: Videos) -> list[Question]:
    return [question for question in questions if question.scene not in videos.unreadable]


def _count(questions: Sequence[Question]) -> dict[str, int]:
    return dict(sorted(Counter(q.question_type for q in questions).items()))


def _read(path: Path) -> list[Question]:
    lines = path.read_text().splitlines()
    return [from_row(json.loads(line), f"{path}:{i}") for i, line in enumerate(lines, 1)]
