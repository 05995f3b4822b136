"""Where the camera was: `lowres_wide.traj`, ten poses a second."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation, Slerp

from harness.scene import Array
from harness_plugins.scenes.files.bounded import read_bytes
from harness_plugins.scenes.files.problems import refuse, short

MOST_BYTES = 64 * 2**20
FARTHEST = 10_000.0
# Seconds between a picture and its pose, as the release's own tools allow.
_SAME_PICTURE = 0.005
# Seconds; a longer gap between two poses is lost tracking, not the usual tenth.
_LONGEST_GAP = 0.25


@dataclass(frozen=True, eq=False)
class Trajectory:
    """Poses over time.

    Args:
        times: (n,) seconds, increasing. poses: (n, 4, 4) camera to world.
    """

    times: Array
    poses: Array

    def at(self, time: float) -> Array | None:
        """(4, 4) pose at a time; between two poses interpolated, None where there is none near."""
        after = int(np.searchsorted(self.times, time))
        near = [place for place in (after - 1, after) if 0 <= place < len(self.times)]
        nearest = min(near, key=lambda place: abs(self.times[place] - time))
        if abs(self.times[nearest] - time) <= _SAME_PICTURE:
            return np.array(self.poses[nearest])
        if len(near) < 2 or self.times[after] - self.times[after - 1] > _LONGEST_GAP:
            return None
        ends = slice(after - 1, after + 1)
        share = (time - self.times[after - 1]) / (self.times[after] - self.times[after - 1])
        pose = np.eye(4)
        turns = Rotation.from_matrix(self.poses[ends, :3, :3])
        pose[:3, :3] = Slerp([0.0, 1.0], turns)(share).as_matrix()
        pose[:3, 3] = (1 - share) * self.poses[after - 1, :3, 3] + share * self.poses[after, :3, 3]
        return pose


def read_trajectory(path: Path) -> Trajectory:
    """Read `timestamp rx ry rz tx ty tz` lines: axis-angle and shift from world to camera.

    Raises:
        SceneError: the file is missing, too large, empty, or a line is not seven finite numbers
            after the time before it; all problems at once.
    """
    # A byte that is no text makes a line that is no seven numbers.
    lines = read_bytes(path, MOST_BYTES).decode(errors="replace").splitlines()
    rows: list[list[float]] = []
    problems: list[str] = []
    for number, line in enumerate(lines, 1):
        values = _seven(line)
        if values is None:
            if line.strip():
                problems.append(
                    f"{path}: line {number}: expected seven finite numbers, found {short(line)}"
                )
        elif rows and values[0] <= rows[-1][0]:
            problems.append(f"{path}: line {number}: time {values[0]} does not come after the last")
        else:
            rows.append(values)
    if not (rows or problems):
        problems.append(f"{path}: has no poses; download it again")
    refuse(problems)
    table = np.array(rows)
    return Trajectory(table[:, 0], _camera_to_world(table[:, 1:4], table[:, 4:7]))


def _seven(line: str) -> list[float] | None:
    try:
        values = [float(word) for word in line.split()]
    except ValueError:
        return None
    # Angles and metres alike: NaN and what is beyond 10 km is no place in a room.
    fine = len(values) == 7 and all(abs(value) <= FARTHEST for value in values[1:])
    return values if fine and np.isfinite(values[0]) else None


def _camera_to_world(axis_angle_n3: Array, shift_n3: Array) -> Array:
    turns_n33 = Rotation.from_rotvec(axis_angle_n3).as_matrix().transpose(0, 2, 1)
    poses = np.tile(np.eye(4), (len(turns_n33), 1, 1))
    poses[:, :3, :3] = turns_n33
    poses[:, :3, 3] = -(turns_n33 @ shift_n3[:, :, None])[:, :, 0]
    return poses
