"""What a scene is: oriented boxes, a room and camera poses, in metres, z up.

A scene source plugin makes `Scene` values; everything after it reads nothing else.
Arrays are read-only, so that a scene can be shared.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.errors import SceneError

Vec3 = tuple[float, float, float]
Array = NDArray[np.float64]

# Axes of real annotations are unit and orthogonal to about 1e-6; a worse frame is no rotation.
ORTHONORMAL_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Box:
    """An oriented box.

    Args:
        centre: centre of the box, metres.
        size: full side lengths along the three axes, metres, each > 0.
        axes: 9 numbers, row-major 3x3 whose *rows* are the unit axes of the box
            (the `normalizedAxes` of VSI-Bench's metadata).

    Raises:
        SceneError: a number is not finite, a side is not positive, or the axes are no frame.
    """

    centre: Vec3
    size: Vec3
    axes: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)

    def __post_init__(self) -> None:
        if len(self.centre) != 3 or len(self.size) != 3 or len(self.axes) != 9:
            raise SceneError(
                f"box: centre, size and axes have {len(self.centre)}, {len(self.size)} and "
                f"{len(self.axes)} numbers, expected 3, 3 and 9"
            )
        if not all(math.isfinite(x) for x in (*self.centre, *self.size, *self.axes)):
            raise SceneError(f"box: a number is not finite in {self}")
        if min(self.size) <= 0:
            raise SceneError(f"box: side lengths must be positive, found {self.size}")
        rotation = self.rotation
        # The squares of the largest numbers overflow.
        if (
            max(map(abs, self.axes)) > 1 + ORTHONORMAL_TOLERANCE
            or np.abs(rotation @ rotation.T - np.eye(3)).max() > ORTHONORMAL_TOLERANCE
        ):
            raise SceneError(f"box: axes are not orthonormal rows: {self.axes}")

    @cached_property
    def rotation(self) -> Array:
        """(3, 3), rows are the box axes in world coordinates."""
        rotation = np.asarray(self.axes, dtype=np.float64).reshape(3, 3)
        rotation.flags.writeable = False
        return rotation

    @cached_property
    def corners(self) -> Array:
        """(8, 3) corners in world coordinates, metres."""
        signs = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)])
        corners: Array = np.asarray(self.centre) + (signs * np.asarray(self.size)) @ self.rotation
        corners.flags.writeable = False
        return corners

    @classmethod
    def upright(cls, centre: Vec3, size: Vec3, yaw: float = 0.0) -> Box:
        """A box standing on the floor plane, turned by `yaw` radians about z."""
        c, s = math.cos(yaw), math.sin(yaw)
        return cls(centre, size, (c, s, 0.0, -s, c, 0.0, 0.0, 0.0, 1.0))


@dataclass(frozen=True)
class SceneObject:
    """One instance: its id (unique in the scene), category, box and, where known, its points.

    `points` is (n, 3) in metres, world coordinates, or None.
    """

    id: str
    category: str
    box: Box
    points: Array | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Intrinsics:
    """A pinhole camera, all in pixels."""

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float


@dataclass(frozen=True)
class Frame:
    """One posed frame.

    Args:
        time: seconds from the start of the video.
        camera_to_world: 16 numbers, row-major 4x4; camera axes x right, y down, z forward.
        intrinsics: the camera.
    """

    time: float
    camera_to_world: tuple[float, ...]
    intrinsics: Intrinsics

    @property
    def pose(self) -> Array:
        """(4, 4) camera-to-world matrix."""
        return np.asarray(self.camera_to_world, dtype=np.float64).reshape(4, 4)


@dataclass(frozen=True, eq=False)
class Visibility:
    """How much of each object each posed frame of a scene shows.

    Args:
        objects: ids of the scene's objects, n of them.
        pixels: (f, n) int32, pixels of the object in the frame that nothing hides; rows follow
            `Scene.frames`.
    """

    objects: tuple[str, ...]
    pixels: NDArray[np.int32]

    def __post_init__(self) -> None:
        if self.pixels.ndim != 2 or self.pixels.shape[1] != len(self.objects):
            raise SceneError(
                f"visibility: pixels have the shape {self.pixels.shape}, expected frames x "
                f"{len(self.objects)} objects"
            )
        self.pixels.flags.writeable = False

    @cached_property
    def column(self) -> Mapping[str, int]:
        """Object id -> its column in `pixels`."""
        return {name: place for place, name in enumerate(self.objects)}


@dataclass(frozen=True)
class VideoRef:
    """A video file; `layout` marks one that was drawn from boxes, not filmed."""

    path: Path
    layout: bool = False


@dataclass(frozen=True)
class Scene:
    """A room with its objects.

    Args:
        id: unique within the source, such as `scene0231_00`.
        dataset: name of the data set, such as `scannet`.
        objects: the instances.
        room_area: floor area in square metres.
        room_centre: metres.
        counts: instances for each category, in the annotation's order. Not always the number
            of boxes: real annotations disagree (see `faults`), and questions follow the counts.
        frames: posed frames in the order of time, possibly none; not every frame of the video.
        visibility: what each of `frames` shows of each object, or None where nobody measured it.
        video: the footage, or None: then it can be drawn.
        split: `train`, `val`, `test` or None.
        floor: (x, y) corners of the room's outline in metres, counter-clockwise, or ().
        height: room height in metres, or None.
        faults: what the source found and mended in the annotation, in words.
    """

    id: str
    dataset: str
    objects: tuple[SceneObject, ...]
    room_area: float
    room_centre: Vec3
    counts: Mapping[str, int]
    frames: tuple[Frame, ...] = ()
    visibility: Visibility | None = field(default=None, compare=False, repr=False)
    video: VideoRef | None = None
    split: str | None = None
    floor: tuple[tuple[float, float], ...] = ()
    height: float | None = None
    faults: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not (math.isfinite(self.room_area) and self.room_area > 0):
            raise SceneError(
                f"scene {self.id}: room area must be a positive number of square metres, "
                f"found {self.room_area}"
            )
        if self.visibility is not None and len(self.visibility.pixels) != len(self.frames):
            raise SceneError(
                f"scene {self.id}: visibility of {len(self.visibility.pixels)} frames, expected "
                f"one row for each of its {len(self.frames)} posed frames"
            )
        object.__setattr__(self, "counts", MappingProxyType(dict(self.counts)))

    def __getstate__(self) -> dict[str, Any]:
        # A mapping proxy cannot be sent to a worker process.
        return {**self.__dict__, "counts": dict(self.counts)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, counts=MappingProxyType(state["counts"]))

    def of(self, category: str) -> tuple[SceneObject, ...]:
        """The instances of a category, in the annotation's order."""
        return tuple(o for o in self.objects if o.category == category)

    @property
    def singletons(self) -> tuple[SceneObject, ...]:
        """The instances whose category occurs once, in the order of `counts`."""
        return tuple(
            objects[0]
            for category, count in self.counts.items()
            if count == 1 and len(objects := self.of(category)) == 1
        )
