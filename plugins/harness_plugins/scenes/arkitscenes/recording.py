"""The pictures of a scan, turned upright: `lowres_wide`, `lowres_depth`, `lowres_wide_intrinsics`.

The iPad was held in any way. By how many quarters to turn is decided by where the sky is in the
poses; the release's own `sky_direction` is not needed. Pictures, depth, cameras and poses are all
turned by it.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from harness.errors import SceneError
from harness.scene import Array, Frame, Intrinsics
from harness.video import write_video
from harness_plugins.scenes.arkitscenes.trajectory import Trajectory, read_trajectory
from harness_plugins.scenes.files.bounded import read_bytes
from harness_plugins.scenes.files.pacing import shown_at_rate
from harness_plugins.scenes.files.png import read_colour, read_depth
from harness_plugins.scenes.files.problems import short
from harness_plugins.scenes.files.turning import quarter_turns, scaled, turned

PICTURES, DEPTHS, CAMERAS = "lowres_wide", "lowres_depth", "lowres_wide_intrinsics"
TRAJECTORY = "lowres_wide.traj"
# VSI-Bench's size, the longer side first; pictures that are upright in portrait are 480 x 640.
LONG, SHORT = 640, 480
_TIME = re.compile(r".*_(\d{1,9}(?:\.\d{1,9})?)")
_MOST_CAMERA_BYTES = 10_000
_MOST_PIXELS = 100_000


@dataclass(frozen=True)
class Recording:
    """A scan's `<video>_frames` folder."""

    folder: Path

    def posed_frames(self, rate: float) -> tuple[tuple[Path, Frame], ...]:
        """Pictures, about `rate` a second, that have a pose, each with its upright frame.

        Raises:
            SceneError: there are no pictures, or the trajectory or a camera cannot be read.
        """
        shown = np.unique(shown_at_rate(self._times, rate, str(self.folder))).tolist()
        posed = ((place, self._frame(place)) for place in shown)
        return tuple((self._pictures[place], frame) for place, frame in posed if frame is not None)

    def depth(self, picture: Path) -> Array | None:
        """(h, w) upright metres beside a picture, 0 where unknown; None where there is no file.

        Raises:
            SceneError: the file is damaged.
        """
        path = self.folder / DEPTHS / picture.name
        return np.rot90(read_depth(path), self.turns) if path.is_file() else None

    @cached_property
    def turns(self) -> int:
        """Quarters by which pictures are turned counter-clockwise."""
        return quarter_turns(self._trajectory.poses)

    def export_video(self, out: Path, rate: float) -> Sequence[Frame | None]:
        """Write the pictures as an upright mp4 in their own time, with a pose for each frame.

        640 x 480 pixels, or 480 x 640 where the iPad was held upright: the proportions stay.

        Raises:
            SceneError: as `posed_frames`, or a picture is damaged. VideoError: the mp4 cannot be
                written.
        """
        shown = shown_at_rate(self._times, rate, str(self.folder)).tolist()
        size = (SHORT, LONG) if self.turns % 2 else (LONG, SHORT)
        posed = {place: self._frame(place) for place in set(shown)}
        write_video(out, self._upright_pictures(shown, size), rate)
        return [
            None
            if (frame := posed[place]) is None
            else Frame(number / rate, frame.camera_to_world, scaled(frame.intrinsics, *size))
            for number, place in enumerate(shown)
        ]

    def _upright_pictures(
        self, shown: Sequence[int], size: tuple[int, int]
    ) -> Iterator[NDArray[np.uint8]]:
        last, picture = -1, np.empty(0, dtype=np.uint8)
        for place in shown:
            if place != last:
                image = Image.fromarray(np.rot90(read_colour(self._pictures[place]), self.turns))
                picture = np.asarray(image.resize(size, Image.Resampling.BICUBIC))
                last = place
            yield picture

    def _frame(self, place: int) -> Frame | None:
        pose = self._trajectory.at(self._recorded[place])
        if pose is None:
            return None
        frame = Frame(
            self._times[place],
            tuple(pose.ravel().tolist()),
            _read_camera(self._camera_near(self._recorded[place])),
        )
        return turned(frame, self.turns)

    def _camera_near(self, time: float) -> Path:
        after = bisect_left(self._camera_times, time)
        near = self._cameras[max(0, after - 1) : after + 1]
        return min(near, key=lambda camera: abs(camera[0] - time))[1]

    @cached_property
    def _trajectory(self) -> Trajectory:
        return read_trajectory(self.folder / TRAJECTORY)

    @cached_property
    def _timed_pictures(self) -> list[tuple[float, Path]]:
        return _timed(self.folder / PICTURES, "png")

    @cached_property
    def _pictures(self) -> list[Path]:
        return [path for _, path in self._timed_pictures]

    @cached_property
    def _cameras(self) -> list[tuple[float, Path]]:
        return _timed(self.folder / CAMERAS, "pincam")

    @cached_property
    def _camera_times(self) -> list[float]:
        return [time for time, _ in self._cameras]

    @cached_property
    def _recorded(self) -> list[float]:
        """Seconds of the device's clock."""
        return [time for time, _ in self._timed_pictures]

    @cached_property
    def _times(self) -> list[float]:
        """Seconds from the first picture."""
        return [time - self._recorded[0] for time in self._recorded]


def _timed(folder: Path, ending: str) -> list[tuple[float, Path]]:
    """Files named `<video>_<seconds>.<ending>`, in the order of time."""
    found = []
    for path in folder.glob(f"*.{ending}"):
        matched = _TIME.fullmatch(path.stem)
        if matched is None:
            raise SceneError(f"{path}: expected <video>_<seconds>.{ending}; remove or rename it")
        found.append((float(matched[1]), path))
    if not found:
        raise SceneError(f"{folder}: has no .{ending} files; download the scan's frames again")
    return sorted(found)


def _read_camera(path: Path) -> Intrinsics:
    text = read_bytes(path, _MOST_CAMERA_BYTES).decode(errors="replace")
    try:
        values = [float(word) for word in text.split()]
    except ValueError:
        values = []
    fine = len(values) == 6 and all(abs(value) <= _MOST_PIXELS for value in values)
    if not fine or min(values[:4]) < 1:
        raise SceneError(f"{path}: expected 'width height fx fy cx cy', found {short(text)}")
    width, height, fx, fy, cx, cy = values
    return Intrinsics(round(width), round(height), fx, fy, cx, cy)
