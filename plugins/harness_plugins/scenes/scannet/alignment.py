"""The scan's `.txt`: how to turn it so that its walls follow the axes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.errors import SceneError
from harness.scene import ORTHONORMAL_TOLERANCE, Array
from harness_plugins.scenes.files.bounded import read_bytes

KEY = "axisAlignment"
# Bytes; the released ones have under 1 kB.
MOST_BYTES = 100_000
MOST_SHIFT = 10_000.0


@dataclass(frozen=True, eq=False)
class Alignment:
    """(4, 4) scan -> upright, axis-aligned world, metres; what was mended, in words."""

    matrix: Array
    faults: tuple[str, ...] = ()

    def points(self, points: Array) -> Array:
        """(n, 3) points of the scan in the aligned world."""
        return points @ self.matrix[:3, :3].T + self.matrix[:3, 3]


def read_alignment(path: Path) -> Alignment:
    """The `axisAlignment` of `<scan>.txt`; the identity, noted, if the file or the key is missing.

    Raises:
        SceneError: the value is not 16 finite numbers of a rigid motion.
    """
    if not path.exists():
        return Alignment(np.eye(4), (f"{path.name} is missing: not axis-aligned",))
    text = read_bytes(path, MOST_BYTES).decode("utf-8", errors="replace")
    values = [
        value.strip()
        for key, _, value in (line.partition("=") for line in text.split("\n"))
        if key.strip() == KEY
    ]
    if not values:
        return Alignment(np.eye(4), (f"{path.name} has no {KEY}: not axis-aligned",))
    try:
        (value,) = values
        matrix = np.array([float(word) for word in value.split()]).reshape(4, 4)
    except ValueError as error:
        raise SceneError(
            f"{path}: {KEY}: expected 16 numbers once, found {' and '.join(values)[:200]!r}"
        ) from error
    turn, shift = matrix[:3, :3], matrix[:3, 3]
    if not (
        np.isfinite(matrix).all()
        and np.abs(turn).max() <= 1 + ORTHONORMAL_TOLERANCE
        and np.abs(turn @ turn.T - np.eye(3)).max() <= ORTHONORMAL_TOLERANCE
        and np.linalg.det(turn) > 0
        and np.abs(matrix[3] - (0, 0, 0, 1)).max() <= ORTHONORMAL_TOLERANCE
        and np.abs(shift).max() <= MOST_SHIFT
    ):
        raise SceneError(f"{path}: {KEY}: no rotation and shift: {matrix.tolist()}")
    return Alignment(matrix)
