"""The iPhone recording: `rgb.mkv` and a pose and camera for each of its frames.

`aligned_pose` is camera to world in the mesh's frame (x right, y down, z forward), `intrinsic` the
3x3 of the 1920 x 1440 picture (the release's own `iphone/arkit_pcl.py` reads both so).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.decoder import decode
from harness.scene import ORTHONORMAL_TOLERANCE, Array, Frame, Intrinsics
from harness.video import write_video
from harness_plugins.scenes.files.json_file import read_json_object
from harness_plugins.scenes.files.pacing import shown_at_rate
from harness_plugins.scenes.files.problems import refuse, short
from harness_plugins.scenes.files.turning import scaled

RECORDED = (1920, 1440)
RECORDED_RATE = 60.0
# Metres, and pixels; NaN and what is beyond is a lost pose.
FARTHEST = 10_000.0
_MOST_PIXELS = 100_000.0
# VSI-Bench's size; the recordings are landscape and have the same proportions.
WIDTH, HEIGHT = 640, 480
_FRAME = re.compile(r"frame_(\d{6,8})")
# Frames decoded at a time: 100 MB of pictures.
_DECODED_AT_A_TIME = 112


def read_poses(path: Path) -> list[tuple[Array, Intrinsics] | None]:
    """Pose and camera (of the 640 x 480 picture) of each recorded frame, None where it was lost.

    Raises:
        SceneError: the file has another shape; all problems at once.
    """
    problems: list[str] = []
    found: dict[int, tuple[Array, Intrinsics] | None] = {}
    for name, entry in read_json_object(path).items():
        matched = _FRAME.fullmatch(name)
        if matched is None or not isinstance(entry, Mapping):
            problems.append(f"{path}: {short(name)}: expected frame_<number> with an object")
            continue
        pose = _matrix(entry.get("aligned_pose"), (4, 4), f"{path}: {name}.aligned_pose", problems)
        camera = _matrix(entry.get("intrinsic"), (3, 3), f"{path}: {name}.intrinsic", problems)
        if pose is not None and camera is not None:
            found[int(matched[1])] = _posed(pose, camera)
    if not (found or problems):
        problems.append(f"{path}: has no frames; download it again")
    if found and max(found) > 10 * len(found) + 1000:
        problems.append(
            f"{path}: {len(found)} frames, numbered up to {max(found)}: most are missing"
        )
    refuse(problems)
    return [found.get(number) for number in range(max(found) + 1)]


def posed_frames(path: Path, rate: float) -> tuple[Frame, ...]:
    """About `rate` frames a second of those that have a pose.

    Raises:
        SceneError: as `read_poses`.
    """
    poses = read_poses(path)
    times = [number / RECORDED_RATE for number in range(len(poses))]
    return tuple(
        frame
        for number in np.unique(shown_at_rate(times, rate, str(path))).tolist()
        if (frame := _frame(poses[number], times[number])) is not None
    )


def export_video(video: Path, poses: Path, out: Path, rate: float) -> Sequence[Frame | None]:
    """Write the recording as a 640 x 480 mp4 of another rate, with a pose for each frame.

    Raises:
        SceneError: the poses cannot be read. VideoError: the recording cannot be read, or the mp4
            not be written.
    """
    known = read_poses(poses)
    recorded = decode(video, lambda _: (0,), (HEIGHT, WIDTH))
    fps = recorded.fps or RECORDED_RATE
    times = [number / fps for number in range(recorded.total)]
    shown = shown_at_rate(times, rate, str(video))
    write_video(out, _pictures(video, shown), rate)
    return [
        _frame(known[number] if number < len(known) else None, place / rate)
        for place, number in enumerate(shown.tolist())
    ]


def _pictures(video: Path, shown: NDArray[np.intp]) -> Iterator[NDArray[np.uint8]]:
    for start in range(0, len(shown), _DECODED_AT_A_TIME):
        part = tuple(shown[start : start + _DECODED_AT_A_TIME].tolist())
        yield from decode(video, partial(_these, part), (HEIGHT, WIDTH)).frames


def _these(part: tuple[int, ...], _total: int) -> tuple[int, ...]:
    return part


def _frame(posed: tuple[Array, Intrinsics] | None, time: float) -> Frame | None:
    if posed is None:
        return None
    pose, camera = posed
    return Frame(time, tuple(pose.ravel().tolist()), camera)


def _posed(pose: Array, camera: Array) -> tuple[Array, Intrinsics] | None:
    """None where tracking was lost: the pose is no rigid motion, or the camera no camera."""
    turn = pose[:3, :3]
    if not (np.abs(pose).max() <= FARTHEST and np.abs(camera).max() <= _MOST_PIXELS):
        return None
    if np.abs(turn @ turn.T - np.eye(3)).max() > ORTHONORMAL_TOLERANCE:
        return None
    fx, fy, cx, cy = (float(camera[place]) for place in ((0, 0), (1, 1), (0, 2), (1, 2)))
    if min(fx, fy) <= 0:
        return None
    return pose, scaled(Intrinsics(*RECORDED, fx, fy, cx, cy), WIDTH, HEIGHT)


def _matrix(value: Any, shape: tuple[int, int], where: str, problems: list[str]) -> Array | None:
    rows, columns = shape
    if isinstance(value, list) and len(value) == rows:
        flat = [x for row in value if isinstance(row, list) and len(row) == columns for x in row]
        if len(flat) == rows * columns and all(type(x) in (int, float) for x in flat):
            try:
                return np.array(flat, dtype=np.float64).reshape(shape)
            except OverflowError:
                pass
    problems.append(f"{where}: expected {rows} x {columns} numbers, found {short(value)}")
    return None
