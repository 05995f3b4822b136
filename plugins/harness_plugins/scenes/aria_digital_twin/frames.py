"""Where the wearer looked, and what each look showed.

The trajectory gives the pose of the device, whose frame is the left camera's (stream `1201-1`,
axes x right, y down, z forward). In the test sequence of projectaria_tools the centres of
small boxes, projected with these poses by the nominal fisheye, lie 6.7 pixels on the mean from the
middle of that stream's 2D boxes, and 2.6 with focal lengths and a middle fitted to them. The
colour camera's pose on the device is in the VRS recording alone, which is not read here.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from harness.scene import Frame, Intrinsics, Visibility
from harness_plugins.scenes.aria_digital_twin.turn import Z_UP, is_place, is_unit, rotations
from harness_plugins.scenes.files.csv_file import csv_rows
from harness_plugins.scenes.files.pacing import shown_at_rate
from harness_plugins.scenes.files.problems import refuse, short
from harness_plugins.scenes.files.turning import quarter_turns, turned

TRAJECTORY, SEEN = "aria_trajectory.csv", "2d_bounding_box.csv"
LEFT_CAMERA = "1201-1"
# Nominal: the calibration of each device is in its VRS recording. The lens is a fisheye of this
# focal length, so the pinhole is right near the middle of the picture only.
NOMINAL = Intrinsics(width=640, height=480, fx=241.0, fy=241.0, cx=320.0, cy=240.0)
# Nanoseconds between a pose and the 2D boxes of the same picture: half a picture at 30 a second.
_SAME_PICTURE = 17_000_000
_POSE = [f"t{axis}_world_device" for axis in "xyz"] + [f"q{axis}_world_device" for axis in "wxyz"]
_SIDES = ["x_min[pixel]", "x_max[pixel]", "y_min[pixel]", "y_max[pixel]", "visibility_ratio[%]"]


def read_frames(path: Path, rate: float) -> tuple[tuple[int, ...], tuple[Frame, ...]]:
    """Nanoseconds and posed frames, about `rate` a second, turned to z up and upright.

    The left camera sits in the frame of the glasses on its side.

    Raises:
        SceneError: the trajectory is truncated, has no rows, or a pose is none.
    """
    times: list[int] = []
    poses: list[list[float]] = []
    problems: list[str] = []
    for where, (time, *texts) in csv_rows(path, ["tracking_timestamp_us", *_POSE]):
        try:
            moment, values = 1000 * int(time), [float(text) for text in texts]
        except ValueError:
            problems.append(f"{where}: expected a time and seven numbers, found {short(texts)}")
            continue
        if not is_place(values[:3]) or not is_unit(np.array(values[3:])):
            problems.append(f"{where}: expected a pose with a quaternion of length 1")
        elif not 0 <= moment < 2**63:
            problems.append(f"{where}: tracking_timestamp_us: {short(time)} is no time")
        elif times and moment <= times[-1]:
            problems.append(f"{where}: tracking_timestamp_us: {time} does not come after the last")
        else:
            times.append(moment)
            poses.append(values)
    if not (times or problems):
        problems.append(f"{path}: has no rows; download it again")
    refuse(problems)
    kept = np.unique(shown_at_rate([(time - times[0]) / 1e9 for time in times], rate, str(path)))
    moments = tuple(times[row] for row in kept)
    chosen_n7 = np.array(poses)[kept]
    turns_n33 = Z_UP @ rotations(chosen_n7[:, 3:])
    places_n3 = chosen_n7[:, :3] @ Z_UP.T
    frames = []
    for moment, turn_33, place in zip(moments, turns_n33, places_n3, strict=True):
        pose = np.eye(4)
        pose[:3, :3], pose[:3, 3] = turn_33, place
        frames.append(Frame((moment - times[0]) / 1e9, tuple(map(float, pose.ravel())), NOMINAL))
    turns = quarter_turns(frame.pose for frame in frames)
    return moments, tuple(turned(frame, turns) for frame in frames)


def read_visibility(path: Path, moments: Sequence[int], objects: Sequence[str]) -> Visibility:
    """What the left camera saw of each object at each moment.

    The release gives a rectangle around the visible part and the share of the object that is not
    hidden; their product in pixels is taken. A rectangle holds more than the object's outline, so
    this is at least the number of pixels that an outline would count.

    Args:
        moments: nanoseconds, increasing.
        objects: ids.

    Raises:
        SceneError: the table is truncated or has values of another kind.
    """
    columns = {name: place for place, name in enumerate(objects)}
    pixels_fn = np.zeros((len(moments), len(objects)), dtype=np.int32)
    problems: list[str] = []
    names = ["stream_id", "object_uid", "timestamp[ns]", *_SIDES]
    for where, (stream, uid, time, *texts) in csv_rows(path, names):
        if stream != LEFT_CAMERA or uid not in columns:
            continue
        try:
            moment, values = int(time), [float(text) for text in texts]
        except ValueError:
            problems.append(f"{where}: expected a time and five numbers, found {short(texts)}")
            continue
        left, right, top, bottom, share = values
        if not np.isfinite(values).all() or right < left or bottom < top or not 0 <= share <= 1.01:
            problems.append(f"{where}: expected a rectangle and a share, found {short(values)}")
            continue
        row = _nearest(moments, moment)
        if row is not None:
            width = min(right, NOMINAL.width) - max(left, 0.0)
            height = min(bottom, NOMINAL.height) - max(top, 0.0)
            pixels_fn[row, columns[uid]] = round(max(width, 0.0) * max(height, 0.0) * share)
    refuse(problems)
    return Visibility(tuple(objects), pixels_fn)


def _nearest(moments: Sequence[int], moment: int) -> int | None:
    place = bisect_left(moments, moment)
    near = [row for row in (place - 1, place) if 0 <= row < len(moments)]
    row = min(near, key=lambda row: abs(moments[row] - moment))
    return row if abs(moments[row] - moment) <= _SAME_PICTURE else None
