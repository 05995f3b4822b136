"""Scenes out of a source: the faulty ones left out, the spaces two sets share."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence

from harness.component import SceneSource
from harness.errors import SceneError
from harness.leak import space_of
from harness.scene import Scene

_FAULTS_SHOWN = 20


def load_scenes(
    source: SceneSource,
    *,
    max_faulty: int = 0,
    ids: Sequence[str] | None = None,
    progress: Callable[[int], object] | None = None,
) -> tuple[list[Scene], list[dict[str, str]]]:
    """The scenes of a source, and the faulty ones that were left out as `{scene, reason}`.

    Args:
        max_faulty: faulty scenes that may be left out.
        ids: only these scenes; all of the source if left out.
        progress: called with the number of scenes done after each.

    Raises:
        SceneError: more than `max_faulty` scenes are faulty (they are named), or the source gives
            an id twice or a scene under another id.
    """
    ids = source.scene_ids() if ids is None else ids
    twice = sorted(scene for scene, times in Counter(ids).items() if times > 1)
    if twice:
        raise SceneError(f"{type(source).__name__} gives these ids twice: {', '.join(twice)}")
    scenes: list[Scene] = []
    skipped: list[dict[str, str]] = []
    for done, scene_id in enumerate(ids, 1):
        try:
            scene = source.load(scene_id)
        except SceneError as error:
            skipped.append({"scene": scene_id, "reason": str(error)})
        else:
            if scene.id != scene_id:
                raise SceneError(
                    f"{type(source).__name__} was asked for scene {scene_id} and gave {scene.id}"
                )
            scenes.append(scene)
        if progress is not None:
            progress(done)
    refuse_too_faulty(skipped, len(ids), max_faulty, "scenes.max_faulty")
    return scenes, skipped


def refuse_too_faulty(
    skipped: Sequence[dict[str, str]], total: int, allowed: int, setting: str
) -> None:
    """Complain about faulty scenes, `{scene, reason}` each, if there are more than allowed.

    Raises:
        SceneError: there are more.
    """
    if len(skipped) <= allowed:
        return
    shown = "".join(f"\n  {s['scene']}: {s['reason']}" for s in skipped[:_FAULTS_SHOWN])
    more = len(skipped) - _FAULTS_SHOWN
    raise SceneError(
        f"{len(skipped)} of {total} scenes are faulty, {setting} is {allowed}: "
        f"mend them, leave them out, or raise {setting}"
        + shown
        + (f"\n  and {more} more" if more > 0 else "")
    )


def shared_spaces(train: Iterable[Scene], evaluate: Iterable[Scene]) -> list[tuple[str, str]]:
    """Pairs (training scene, evaluation scene) that show the same space, sorted.

    Scans of one space and videos of one visit count as the same (`harness.leak.space_of`).
    """
    by_space: dict[tuple[str, str], list[str]] = defaultdict(list)
    for scene in train:
        by_space[_space(scene)].append(scene.id)
    return sorted(
        {(seen, scene.id) for scene in evaluate for seen in by_space.get(_space(scene), ())}
    )


def _space(scene: Scene) -> tuple[str, str]:
    return scene.dataset, space_of(scene.dataset, scene.id)
