"""Writing `.sens` recordings, version 4: the counterpart of `scenes.files.sens`."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.atomic import replacing
from harness.scene import Array, Intrinsics
from harness_plugins.scenes.files.sens_header import FRAME, REST, START, VERSION

JPEG, ZLIB = 2, 1
MILLIMETRES = 1000.0
LOST = np.full((4, 4), -np.inf)


@dataclass(frozen=True)
class SensFrame:
    """One frame to write.

    Args:
        pose: (4, 4) camera-to-world in metres, or None where tracking was lost.
        colour: a JPEG. depth: zlib-compressed uint16 millimetres.
        time: microseconds, of both.
    """

    pose: Array | None
    colour: bytes
    depth: bytes
    time: int


def write_sens(
    path: Path, frames: Iterable[SensFrame], *, sensor: str, colour: Intrinsics, depth: Intrinsics
) -> int:
    """Write a recording frame by frame, whole or not at all; gives the number of frames.

    Args:
        path: the file.
        frames: in the order of time.
        sensor: name of the sensor.
        colour: camera of the JPEGs. depth: of the depth; both sit at the pose.
    """
    name = sensor.encode()
    count = 0
    with replacing(path) as temporary, temporary.open("wb") as file:
        file.write(START.pack(VERSION, len(name)) + name)
        at = file.tell()
        file.write(_rest(colour, depth, count))
        for frame in frames:
            count += 1
            pose = LOST if frame.pose is None else frame.pose
            sizes = len(frame.colour), len(frame.depth)
            file.write(FRAME.pack(*pose.ravel().tolist(), frame.time, frame.time, *sizes))
            file.write(frame.colour)
            file.write(frame.depth)
        # ScanNet's own reader looks for the number of motion measurements here.
        file.write(struct.pack("<Q", 0))
        file.seek(at)
        file.write(_rest(colour, depth, count))
    return count


def _rest(colour: Intrinsics, depth: Intrinsics, frames: int) -> bytes:
    still = np.eye(4)
    matrices = np.stack([_matrix(colour), still, _matrix(depth), still])
    sizes = colour.width, colour.height, depth.width, depth.height
    return REST.pack(*matrices.ravel().tolist(), JPEG, ZLIB, *sizes, MILLIMETRES, frames)


def _matrix(camera: Intrinsics) -> Array:
    matrix = np.eye(4)
    matrix[0, 0], matrix[1, 1] = camera.fx, camera.fy
    matrix[:2, 2] = camera.cx, camera.cy
    return matrix
