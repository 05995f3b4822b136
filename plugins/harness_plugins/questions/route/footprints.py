"""Objects on the floor plan: how far a place is from them, and where one stops beside them.

Shapes: n objects, p pairs of a place and an object; 2 coordinates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.scene import Array, Box

Indices = NDArray[np.intp]

# Halvings of the way to an object: 50 m become 3 micrometres.
_HALVINGS = 24


@dataclass(frozen=True)
class Footprints:
    """Rectangles around boxes on the floor plan, along each box's longest level axis.

    Exact for boxes that stand upright.

    Args:
        centres: (n, 2) metres.
        axes: (n, 2, 2), rows are unit axes.
        halves: (n, 2) half side lengths, metres.
    """

    centres: Array
    axes: Array
    halves: Array

    @classmethod
    def of(cls, boxes: Sequence[Box]) -> Footprints:
        """One for each box."""
        if not boxes:
            return cls(np.empty((0, 2)), np.empty((0, 2, 2)), np.empty((0, 2)))
        corners_n82 = np.array([box.corners[:, :2] for box in boxes])
        sides_n32 = np.array([box.rotation[:, :2] * np.array(box.size)[:, None] for box in boxes])
        longest_n = np.linalg.norm(sides_n32, axis=2).argmax(axis=1)
        along_n2 = sides_n32[np.arange(len(boxes)), longest_n]
        along_n2 /= np.linalg.norm(along_n2, axis=1, keepdims=True)
        axes_n22 = np.stack([along_n2, along_n2[:, ::-1] * (-1, 1)], axis=1)
        local_n82 = corners_n82 @ axes_n22.transpose(0, 2, 1)
        low_n2, high_n2 = local_n82.min(axis=1), local_n82.max(axis=1)
        centres_n2 = np.einsum("ni,nij->nj", (low_n2 + high_n2) / 2, axes_n22)
        return cls(centres_n2, axes_n22, (high_n2 - low_n2) / 2)

    def distances(self, places: Array, which: Indices) -> Array:
        """(...) metres from places (..., 2) to the objects `which` (...); 0 inside."""
        local = np.einsum("...ij,...j->...i", self.axes[which], places - self.centres[which])
        beyond = np.maximum(np.abs(local) - self.halves[which], 0.0)
        return np.asarray(np.hypot(beyond[..., 0], beyond[..., 1]))

    def approach(self, origins: Array, which: Indices, reach: float) -> Array:
        """(p, 2) where one first is `reach` from an object, going straight to its middle.

        Args:
            origins: (p, 2) where one comes from.
            which: (p,) the objects.
            reach: metres; where the origin is as near already, one stays there.
        """
        near, far = np.zeros(len(origins)), np.ones(len(origins))
        way = self.centres[which] - origins
        # Along the way the distance only shrinks: the rectangle is convex, and its middle is 0.
        for _ in range(_HALVINGS):
            middle = (near + far) / 2
            beside = self.distances(origins + middle[:, None] * way, which) <= reach
            far, near = np.where(beside, middle, far), np.where(beside, near, middle)
        far[self.distances(origins, which) <= reach] = 0.0
        return np.asarray(origins + far[:, None] * way)
