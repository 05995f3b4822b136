"""What a walk through a scene shows of each object, counted in the drawing itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from harness.errors import SceneError
from harness.layout.drawing import Drawing
from harness.layout.raster import object_pixels
from harness.scene import Frame, Intrinsics, Scene, Visibility


def drawn_visibility(
    scene: Scene, frames: Sequence[Frame], *, width: int | None = None
) -> Visibility:
    """Pixels of each object in each frame as `render` draws it, hidden ones left out.

    Args:
        scene: what is drawn: boxes, and the walls of the room if its outline is known.
        frames: posed frames, one row of the result each.
        width: draw this many pixels wide instead, for speed, and scale the counts up to the
            frame's own size; then objects smaller than a pixel of that drawing may be missed.

    Raises:
        SceneError: `width` is not positive.
    """
    if width is not None and width < 1:
        raise SceneError(f"drawn_visibility: width must be at least 1 pixel, found {width}")
    drawing = Drawing.of(scene)
    pixels = np.zeros((len(frames), len(scene.objects)), dtype=np.int32)
    for place, frame in enumerate(frames):
        camera = frame.intrinsics
        small = _scaled(camera, width if width is not None else camera.width)
        counts = object_pixels(drawing, replace(frame, intrinsics=small))
        share = camera.width * camera.height / (small.width * small.height)
        pixels[place] = np.round(counts * share)
    return Visibility(tuple(item.id for item in scene.objects), pixels)


def _scaled(camera: Intrinsics, width: int) -> Intrinsics:
    height = max(1, round(camera.height * width / camera.width))
    x, y = width / camera.width, height / camera.height
    return Intrinsics(width, height, camera.fx * x, camera.fy * y, camera.cx * x, camera.cy * y)
