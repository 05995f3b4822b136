"""A scan's `.sens` recording: posed frames, and what each of them shows of the objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from harness.scene import Array, Frame, Intrinsics, Scene
from harness.visibility import visible_pixels
from harness_plugins.scenes.files.sens import SensFile
from harness_plugins.scenes.files.sens_video import FPS, HEIGHT, WIDTH
from harness_plugins.scenes.scannet.alignment import Alignment


def with_frames(
    scene: Scene,
    sens: SensFile,
    alignment: Alignment,
    points: Mapping[str, Array] | None,
    *,
    rate: float,
) -> Scene:
    """The scene with the recording's poses, and with what they show if `points` are given.

    A frame's time is that in a video of all frames at 24 a second, and its camera the colour
    camera there; visibility is measured with the depth camera and its picture. Frames whose pose
    was lost are left out and counted in the faults.

    Args:
        points: object id -> (m, 3) metres, aligned, for each of the scene's objects; or None.
        rate: frames looked at for each second of that video.

    Raises:
        SceneError: the recording is damaged.
    """
    poses = sens.poses()
    looked_at = range(len(poses)) if rate >= FPS else _every(FPS / rate, len(poses))
    kept = [(index, pose) for index in looked_at if (pose := poses[index]) is not None]
    faults = scene.faults
    if lost := len(looked_at) - len(kept):
        faults += (f"{sens.path.name}: {lost} of {len(looked_at)} frames have no pose, left out",)
    header = sens.header
    colour = header.colour.scaled(WIDTH, HEIGHT)
    frames = tuple(aligned_frame(index, pose, colour, alignment) for index, pose in kept)
    if points is None:
        return replace(scene, frames=frames, faults=faults)
    depth = header.depth.intrinsics
    visibility = visible_pixels(
        [points[found.id] for found in scene.objects],
        [found.id for found in scene.objects],
        [
            aligned_frame(index, pose @ header.depth.extrinsic, depth, alignment)
            for index, pose in kept
        ],
        lambda place: sens.depth(kept[place][0]),
    )
    return replace(scene, frames=frames, visibility=visibility, faults=faults)


def aligned_frame(index: int, pose: Array, camera: Intrinsics, alignment: Alignment) -> Frame:
    """The frame `index` of the recording in the aligned world, at its time in the video."""
    return Frame(index / FPS, tuple((alignment.matrix @ pose).ravel().tolist()), camera)


def _every(step: float, count: int) -> Sequence[int]:
    return [int(index) for index in np.arange(0, count, step)]
