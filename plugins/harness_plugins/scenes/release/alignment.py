"""The frame of a raw scan: turned and shifted against the room, as a tracker starts anywhere."""

from __future__ import annotations

import hashlib
import math

import numpy as np

from harness.scene import Array

# Metres that a scan's origin may lie from the room's.
FARTHEST = 5.0


def axis_alignment(scene_id: str) -> Array:
    """(4, 4) from the raw scan's frame to the scene's, to six decimals, as the files have it.

    A turn about z and a shift, the same for the same id.
    """
    rng = np.random.default_rng(list(hashlib.sha256(scene_id.encode()).digest()))
    yaw = rng.uniform(-math.pi, math.pi)
    cos, sin = math.cos(yaw), math.sin(yaw)
    matrix = np.eye(4)
    matrix[:2, :2] = (cos, -sin), (sin, cos)
    matrix[:3, 3] = rng.uniform(-FARTHEST, FARTHEST, size=3)
    return matrix.round(6)


def rows_as_text(matrix: Array) -> str:
    """A matrix row by row, six decimals."""
    return " ".join(f"{value:.6f}" for value in matrix.ravel().tolist())
