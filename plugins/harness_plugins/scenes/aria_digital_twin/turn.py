"""Aria's world to ours: Y up to Z up, and quaternions to rotations.

(x, y, z) becomes (x, -z, y), a quarter turn about x, so that nothing is mirrored.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from harness.scene import Array

Z_UP = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
"""(3, 3), from the release's world to ours."""
# Quaternions of the release have the length 1 to 1e-9.
UNIT_TOLERANCE = 1e-3
# Metres from the origin; a sequence's world begins in its room.
FARTHEST = 10_000.0


def is_place(values: Sequence[float]) -> bool:
    """Whether numbers can be coordinates: finite, and not farther than `FARTHEST`."""
    return all(math.isfinite(value) and abs(value) <= FARTHEST for value in values)


def is_unit(quaternion: Array) -> bool:
    """Whether a quaternion can be one of a rotation."""
    # A comparison with NaN is false, and the squares of the largest numbers overflow.
    if not np.abs(quaternion).max() <= 1 + UNIT_TOLERANCE:
        return False
    return abs(float(np.linalg.norm(quaternion)) - 1.0) <= UNIT_TOLERANCE


def rotations(quaternions_n4: Array) -> Array:
    """(n, 3, 3) rotations of (n, 4) quaternions w, x, y, z of about unit length."""
    unit_n4 = quaternions_n4 / np.linalg.norm(quaternions_n4, axis=1, keepdims=True)
    w, x, y, z = unit_n4.T
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return np.moveaxis(np.array(rows), 2, 0)
