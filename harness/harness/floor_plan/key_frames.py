"""A few frames of a scene: of its footage, or drawn from its boxes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harness.layout import Drawing, camera_walk, render
from harness.scene import Frame, Intrinsics, Scene
from harness.video import read_clip, sample_indices

if TYPE_CHECKING:
    from PIL.Image import Image

COUNT = 8
# A posed frame this near in time tells where a frame of the footage was taken.
_NEAR_SECONDS = 0.5
_WALK_SECONDS, _WALK_FPS, _WIDTH = 12.0, 4, 480
_SHOWN = (640, 640)  # pixels, at most
# A walk is planned step by step: not through a scene with a corner in the next town.
_LONGEST_WALK_ROOM = 300.0


@dataclass(frozen=True)
class KeyFrame:
    """A picture, seconds from the start, and the camera's pose where it is known."""

    picture: Image
    time: float
    frame: Frame | None
    drawn: bool


def filmed_frames(
    scene: Scene, video: Path, poses: Sequence[Frame | None] | None = None
) -> list[KeyFrame]:
    """Evenly spread frames of a video.

    Args:
        poses: of each frame of the video, where known; else the scene's posed frames are asked.

    Raises:
        VideoError: the video is missing or damaged.
    """
    from PIL.Image import fromarray

    drawn = scene.video is not None and scene.video.layout
    clip = read_clip(video, frames=COUNT)
    key_frames = []
    shown = zip(clip.frames, clip.indices, clip.times, strict=True)
    # A video shorter than this repeats frames.
    for index, (picture, time) in {index: (one, time) for one, index, time in shown}.items():
        if poses is None:
            pose = _nearest(scene.frames, time)
        else:
            pose = poses[index] if index < len(poses) else None
        small = fromarray(picture)
        small.thumbnail(_SHOWN)
        key_frames.append(KeyFrame(small, time, pose, drawn))
    return key_frames


def drawn_frames(scene: Scene) -> list[KeyFrame]:
    """Frames drawn from the boxes: as the scene's own camera saw it, or on a walk through it.

    None for a scene without posed frames that is hundreds of metres long.
    """
    from PIL.Image import fromarray

    frames = scene.frames
    if not frames and _extent(scene) <= _LONGEST_WALK_ROOM:
        size = (_WIDTH, _WIDTH * 3 // 4)
        frames = camera_walk(
            scene, seconds=_WALK_SECONDS, fps=_WALK_FPS, width=size[0], height=size[1], seed=0
        )
    if not frames:
        return []
    drawing = Drawing.of(scene)
    chosen = [frames[k] for k in dict.fromkeys(sample_indices(len(frames), COUNT))]
    return [
        KeyFrame(
            fromarray(render(drawing, replace(one, intrinsics=_smaller(one.intrinsics))).colour),
            one.time,
            one,
            drawn=True,
        )
        for one in chosen
    ]


def _extent(scene: Scene) -> float:
    places = np.concatenate(
        [
            np.reshape(scene.floor, (-1, 2)),
            *(item.box.corners[:, :2] for item in scene.objects),
            [np.asarray(scene.room_centre[:2])],
        ]
    )
    return float(max(np.ptp(places, axis=0).max(), math.sqrt(scene.room_area)))


def _nearest(frames: Sequence[Frame], time: float) -> Frame | None:
    best = min(frames, key=lambda frame: abs(frame.time - time), default=None)
    return best if best is not None and abs(best.time - time) <= _NEAR_SECONDS else None


def _smaller(camera: Intrinsics) -> Intrinsics:
    share = _WIDTH / max(camera.width, camera.height)
    return Intrinsics(
        max(1, round(camera.width * share)),
        max(1, round(camera.height * share)),
        *(value * share for value in (camera.fx, camera.fy, camera.cx, camera.cy)),
    )
