"""The video of each scene that is asked about: footage that can be read, or a layout video."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import HarnessError, VideoError
from harness.frame_cache import FrameCache
from harness.layout import film_all
from harness.progress import bar
from harness.question import Question
from harness.scene import Scene
from harness.schema import Recipe


@dataclass(frozen=True)
class Videos:
    """What `find_videos` found.

    Args:
        of_scene: scene -> {`path`, `layout`}; footage by its whole path, layout videos by the path
            in the stage's folder, so that the folder can be linked elsewhere.
        unreadable: scene -> {`scene`, `reason`} where the footage cannot be read.
    """

    of_scene: Mapping[str, Mapping[str, Any]]
    unreadable: Mapping[str, Mapping[str, str]]


def find_videos(
    recipe: Recipe,
    train: tuple[Sequence[Scene], Sequence[Question]],
    evaluate: tuple[Sequence[Scene], Sequence[Question]],
    folder: Path,
    cache: FrameCache,
) -> Videos:
    """Draw the scenes that have no footage, and read the footage of the others.

    Args:
        train: scenes to train on, and the questions about them.
        evaluate: held-out scenes, and the questions of all tasks.
        folder: the stage's folder; layout videos go to `videos/`.
        cache: keeps the frames that training and evaluation will look at.

    Raises:
        HarnessError: a task asks about a scene that is not held out.
        VideoError: a scene cannot be drawn, or more than `max_unreadable` videos cannot be read.
    """
    _refuse_unknown(*evaluate)
    to_train, to_evaluate = _asked_about(*train), _asked_about(*evaluate)
    with bar("layout videos", "videos") as step:
        filmed = film_all(
            sorted([*to_train, *to_evaluate], key=lambda scene: scene.id),
            folder / "videos",
            recipe.video.layout,
            seed=recipe.seed,
            progress=lambda done, total: step(done, total, ""),
        )
    frames_of = {
        **{scene.id: recipe.video.frames for scene in to_train},
        **{scene.id: recipe.evaluate.frames or recipe.video.frames for scene in to_evaluate},
    }
    return _with_readable_footage(recipe, filmed, frames_of, folder, cache)


def _with_readable_footage(
    recipe: Recipe,
    filmed: Sequence[Scene],
    frames_of: Mapping[str, int],
    folder: Path,
    cache: FrameCache,
) -> Videos:
    unreadable: dict[str, dict[str, str]] = {}
    videos: dict[str, dict[str, Any]] = {}
    footage = [scene for scene in filmed if scene.video is not None and not scene.video.layout]
    for scene in filmed:
        if scene.video is not None and scene.video.layout:
            videos[scene.id] = {"path": str(scene.video.path.relative_to(folder)), "layout": True}
    if not footage:
        return Videos(videos, unreadable)
    with bar("footage", "videos") as step:
        for done, scene in enumerate(footage, 1):
            assert scene.video is not None
            try:
                _read(scene.video.path, frames_of[scene.id], recipe, cache)
            except VideoError as error:
                unreadable[scene.id] = {"scene": scene.id, "reason": str(error)}
            else:
                videos[scene.id] = {"path": str(scene.video.path.absolute()), "layout": False}
            step(done, len(footage), "")
    _refuse_too_many(unreadable, len(footage), recipe.video.max_unreadable)
    return Videos(videos, unreadable)


def _read(path: Path, frames: int, recipe: Recipe, cache: FrameCache) -> None:
    """Damage far into a file shows only when it is read, and better now than amid training."""
    video = recipe.video
    cache.clip(path, frames=frames, sampler=video.sampler, height=video.height, width=video.width)


def _asked_about(scenes: Sequence[Scene], questions: Sequence[Question]) -> list[Scene]:
    asked = {question.scene for question in questions}
    return [scene for scene in scenes if scene.id in asked]


def _refuse_unknown(scenes: Sequence[Scene], questions: Sequence[Question]) -> None:
    unknown = sorted({q.scene for q in questions} - {scene.id for scene in scenes})
    if unknown:
        raise HarnessError(
            f"{len(unknown)} scene(s) that a task asks about are not in scenes.evaluate "
            f"({_listed(unknown)}), so there is no video of them: add them to scenes.evaluate, or "
            "give the task an id list"
        )


def _refuse_too_many(
    unreadable: Mapping[str, Mapping[str, str]], footage: int, allowed: int
) -> None:
    if len(unreadable) > allowed:
        reasons = [problem["reason"] for problem in unreadable.values()]
        raise VideoError(
            f"{len(unreadable)} of {footage} videos cannot be read, video.max_unreadable is "
            f"{allowed}: mend them, leave their scenes out, or raise video.max_unreadable\n  "
            + "\n  ".join(reasons[:20])
            + (f"\n  and {len(reasons) - 20} more" if len(reasons) > 20 else "")
        )


def _listed(names: Collection[str]) -> str:
    return ", ".join(list(names)[:5]) + (", …" if len(names) > 5 else "")
