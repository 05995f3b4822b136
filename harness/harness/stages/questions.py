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
from harness.component import SceneSource, TaskInput
from harness.errors import HarnessError, VideoError
from harness.generate import (
    build_questions,
    draw_evenly_by_type,
    load_scenes,
    shared_spaces,
)
from harness.layout import film_all
from harness.progress import bar
from harness.question import Question, from_row, to_row
from harness.scene import Scene
from harness.video import probe


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


@dataclass(frozen=True)
class _Loaded:
    scenes: list[Scene]
    skipped: list[dict[str, str]]


def make_questions(assembly: Assembly, folder: Path) -> None:
    """Fill the stage's folder.

    Raises:
        HarnessError: no question came out, scenes are shared, or a task's scene is unknown.
    """
    recipe = assembly.recipe
    train = _load(assembly.train_scenes, "train", recipe.scenes.max_faulty)
    held_out = _load(assembly.held_out_scenes, "evaluate", recipe.scenes.max_faulty)
    _refuse_shared(train.scenes, held_out.scenes)

    asked = {
        "train": build_questions(
            train.scenes,
            assembly.families,
            style=recipe.questions.style,
            seed=recipe.seed,
            limit=recipe.questions.train_limit,
        ),
        "evaluate": draw_evenly_by_type(
            build_questions(
                held_out.scenes,
                assembly.families,
                style="vsi_bench",
                seed=recipe.seed,
                limit=None,
            ),
            recipe.questions.evaluate_limit,
            seed=recipe.seed,
        ),
    }
    given = TaskInput(held_out=tuple(asked["evaluate"]))
    tasks = {name: list(task.questions(given)) for name, task in assembly.tasks.items()}
    _require_some({**({"train": asked["train"]} if recipe.train else {}), **tasks})

    videos, unreadable = _videos(assembly, [*train.scenes, *held_out.scenes], asked, tasks, folder)
    for name in ("train", "evaluate"):
        asked[name] = [q for q in asked[name] if q.scene not in unreadable]
        write_jsonl(folder / f"{name}.jsonl", map(to_row, asked[name]))
    for name, questions in tasks.items():
        kept = [q for q in questions if q.scene not in unreadable]
        write_jsonl(folder / "tasks" / f"{name}.jsonl", map(to_row, kept))
    write_json(folder / "videos.json", videos)
    write_json(
        folder / "summary.json",
        {
            "scenes": {"train": len(train.scenes), "evaluate": len(held_out.scenes)},
            "skipped": [*train.skipped, *held_out.skipped, *unreadable.values()],
            "faults": {s.id: list(s.faults) for s in [*train.scenes, *held_out.scenes] if s.faults},
            "questions": {name: _count(questions) for name, questions in asked.items()},
            "tasks": {name: _count(questions) for name, questions in tasks.items()},
            "layout_video": any(video["layout"] for video in videos.values()),
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


def _load(source: SceneSource, which: str, max_faulty: int) -> _Loaded:
    with bar(f"scenes to {which}", "scenes") as step:
        total = len(source.scene_ids())
        scenes, skipped = load_scenes(
            source, max_faulty=max_faulty, progress=lambda done: step(done, total, "")
        )
    return _Loaded(list(scenes), list(skipped))


def _refuse_shared(train: Sequence[Scene], held_out: Sequence[Scene]) -> None:
    shared = shared_spaces([s.id for s in train], [s.id for s in held_out])
    if shared:
        pairs = ", ".join(f"{a} and {b}" for a, b in shared[:5])
        raise HarnessError(
            f"{len(shared)} space(s) occur in scenes.train and in scenes.evaluate ({pairs}"
            f"{', …' if len(shared) > 5 else ''}): scores on scenes seen in training mean nothing; "
            "choose other scenes or another seed for one of the two"
        )


def _require_some(sets: Mapping[str, Sequence[Question]]) -> None:
    empty = [name for name, questions in sets.items() if not questions]
    if empty:
        raise HarnessError(
            f"no question for {', '.join(empty)}: the scenes gave none for the recipe's families; "
            "add scenes or families, or loosen their thresholds"
        )


def _videos(
    assembly: Assembly,
    scenes: Sequence[Scene],
    asked: Mapping[str, Sequence[Question]],
    tasks: Mapping[str, Sequence[Question]],
    folder: Path,
) -> tuple[dict[str, Any], dict[str, dict[str, str]]]:
    """Video of each scene that is asked about, and the scenes whose footage cannot be read."""
    recipe = assembly.recipe
    by_id = {scene.id: scene for scene in scenes}
    needed = {q.scene for group in (*asked.values(), *tasks.values()) for q in group}
    if unknown := sorted(needed - by_id.keys()):
        raise HarnessError(
            f"{len(unknown)} scene(s) that a task asks about are not in scenes.evaluate "
            f"({', '.join(unknown[:5])}{', …' if len(unknown) > 5 else ''}), so there is no video of "
            "them: add them to scenes.evaluate, or give the task an id list"
        )
    wanted = [by_id[scene] for scene in sorted(needed)]
    with bar("layout videos", "videos") as step:
        filmed = film_all(
            wanted,
            folder / "videos",
            recipe.video.layout,
            seed=recipe.seed,
            progress=lambda done, total: step(done, total, ""),
        )
    unreadable: dict[str, dict[str, str]] = {}
    videos = {}
    for scene in filmed:
        assert scene.video is not None
        try:
            probe(scene.video.path)
        except VideoError as error:
            unreadable[scene.id] = {"scene": scene.id, "reason": str(error)}
            if len(unreadable) > recipe.video.max_unreadable:
                raise
            continue
        path = scene.video.path
        if scene.video.layout:  # relative, so that the stage's folder can be linked elsewhere
            path = path.relative_to(folder)
        videos[scene.id] = {"path": str(path), "layout": scene.video.layout}
    return videos, unreadable


def _count(questions: Sequence[Question]) -> dict[str, int]:
    return dict(sorted(Counter(q.question_type for q in questions).items()))


def _read(path: Path) -> list[Question]:
    lines = path.read_text().splitlines()
    return [from_row(json.loads(line), f"{path}:{i}") for i, line in enumerate(lines, 1)]
