"""Turning recordings upright by quarters, decided by where the sky is, and scaling their cameras.

Pixel (row, column) looks through (column + 0.5, row + 0.5).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from harness.scene import Array, Frame, Intrinsics

# Camera axes of an image turned by a quarter counter-clockwise, in the unturned camera's: what was
# right is up now, so the new x is the old y (down), and the new y is the old x backwards.
_QUARTER = np.array([[0.0, -1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0] * 4])
_QUARTER[3, 3] = 1.0


def quarter_turns(poses: Iterable[Array]) -> int:
    """Quarters (0 to 3) by which to turn images counter-clockwise so that up is up.

    The direction of the world's z in the image, added up over the poses: a camera that looks at
    the floor or the ceiling says little about it and counts little. No poses: 0.

    Args:
        poses: (4, 4) camera to world each, camera axes x right, y down, z forward; z is up.
    """
    right, down = np.zeros(2)
    for pose in poses:
        right, down = right + pose[2, 0], down + pose[2, 1]
    if right == down == 0:
        return 0
    # The sky is up (y is down), right, down, left in the image.
    return int(np.argmax([-down, right, down, -right]))


def turned_image(image: NDArray[np.generic], turns: int) -> NDArray[np.generic]:
    """An image turned counter-clockwise by quarters; a view."""
    return np.rot90(image, turns)


def turned(frame: Frame, turns: int) -> Frame:
    """The frame of an image turned counter-clockwise by quarters: pose and camera turn with it."""
    pose, camera = frame.pose, frame.intrinsics
    for _ in range(turns % 4):
        pose = pose @ _QUARTER
        camera = Intrinsics(
            width=camera.height,
            height=camera.width,
            fx=camera.fy,
            fy=camera.fx,
            cx=camera.cy,
            cy=camera.width - camera.cx,
        )
    return Frame(frame.time, tuple(map(float, pose.ravel())), camera)


def scaled(camera: Intrinsics, width: int, height: int) -> Intrinsics:
    """The camera of an image scaled to width x height pixels."""
    x, y = width / camera.width, height / camera.height
    return Intrinsics(width, height, camera.fx * x, camera.fy * y, camera.cx * x, camera.cy * y)
