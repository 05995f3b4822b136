"""The recording of a scene that has no footage: a camera walk, drawn in colour and depth."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from PIL import Image

from harness.layout import Drawing, camera_walk, render
from harness.scene import Array, Frame, Intrinsics, Scene
from harness_plugins.scenes.release.sens import MILLIMETRES, SensFrame

# The rate of ScanNet's recordings, frames a second.
RATE = 30
JPEG_QUALITY = 90
FARTHEST = np.iinfo(np.uint16).max


def record(
    scene: Scene, walk: Sequence[Frame], depth: Intrinsics, to_raw: Array, lost: int | None
) -> Iterator[SensFrame]:
    """The frames of a walk, drawn one by one.

    Args:
        scene: what to draw.
        walk: poses in the scene's frame, with the colour camera.
        depth: the depth camera; it looks from where the colour camera does.
        to_raw: (4, 4) from the scene's frame to the recording's.
        lost: a frame whose pose is lost, or None.
    """
    drawing = Drawing.of(scene)
    for number, frame in enumerate(walk):
        colour = io.BytesIO()
        picture = Image.fromarray(render(drawing, frame).colour)
        picture.save(colour, "JPEG", quality=JPEG_QUALITY)
        seen = render(drawing, replace(frame, intrinsics=depth)).depth
        stored = np.rint(np.where(np.isfinite(seen), seen, 0) * MILLIMETRES)
        stored[stored > FARTHEST] = 0
        yield SensFrame(
            pose=None if number == lost else to_raw @ frame.pose,
            colour=colour.getvalue(),
            depth=zlib.compress(stored.astype("<u2").tobytes(), 1),
            time=round(number * 1e6 / RATE),
        )


def walk_of(scene: Scene, frames: int, width: int, height: int) -> tuple[Frame, ...]:
    """One round through the room in so many frames."""
    return camera_walk(scene, seconds=frames, fps=1, width=width, height=height, seed=0)


def resized(camera: Intrinsics, width: int, height: int) -> Intrinsics:
    """The camera with another number of pixels and the same view."""
    across, down = width / camera.width, height / camera.height
    return Intrinsics(
        width, height, camera.fx * across, camera.fy * down, camera.cx * across, camera.cy * down
    )
