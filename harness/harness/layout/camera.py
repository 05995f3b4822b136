"""A smooth camera walk around a room that looks across it, so that its objects come into view.

The path is a loop around the room's freest place: in each direction it goes part of the way to
the nearest wall or obstacle, evened out so that it stays on the near side of all of them.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.layout.drawing import USUAL_HEIGHT, floor_height
from harness.scene import Array, Frame, Intrinsics, Scene

# Eyes of a person holding a camera, and the least room under a low ceiling, metres.
EYE_HEIGHT = 1.5
HEAD_ROOM = 0.3
# Kept from walls and objects where there is that much room, metres.
CLEARANCE = 0.3
# Part of the way from the middle to the wall: from far out, most of the room is in view.
REACH = 0.75
# A phone's wide camera: 75 degrees along the longer side of the picture.
FIELD_OF_VIEW = math.radians(75)
# The camera looks down a little, up and down by the swing as it goes, and from side to side.
# Tried on the 288 annotated scenes of VSI-Bench: more swing shows hardly more objects, and much
# ceiling.
PITCH, PITCH_SWING, YAW_SWING = map(math.radians, (-12.0, 14.0, 25.0))
# Directions in which the room is measured, and the step of measuring, metres.
DIRECTIONS, STEP = 72, 0.05
GRID = 24


def camera_walk(
    scene: Scene, *, seconds: float, fps: int, width: int, height: int, seed: int
) -> tuple[Frame, ...]:
    """Posed frames of one round through the room, `fps` a second, at least one.

    The same arguments give the same walk. The camera stays inside the room's outline (without
    one: the hull of the boxes and of a square as large as the room) at eye height above the
    lowest box, and outside every object unless they leave no room.

    Args:
        scene: where to walk.
        seconds: length of the walk.
        fps: frames a second.
        width: pixels.
        height: pixels.
        seed: with the scene's id, decides where the walk starts and which way round it goes.
    """
    rng = np.random.default_rng([seed, *hashlib.sha256(scene.id.encode()).digest()[:8]])
    count = max(1, round(seconds * fps))
    direction = rng.choice([-1.0, 1.0])
    angles = rng.uniform(0, 2 * np.pi) + direction * 2 * np.pi * np.arange(count) / count
    phases = rng.uniform(0, 2 * np.pi, size=2)
    room = _Room.of(scene)
    middle = room.freest_place()
    reach = _along(room.reach(middle), angles)
    eyes = np.column_stack(
        [
            middle[0] + reach * np.cos(angles),
            middle[1] + reach * np.sin(angles),
            np.full(count, room.eye),
        ]
    )
    yaws = angles + np.pi + YAW_SWING * np.sin(2 * angles + phases[0])
    pitches = PITCH + PITCH_SWING * np.sin(3 * angles + phases[1])
    focal = max(width, height) / 2 / math.tan(FIELD_OF_VIEW / 2)
    camera = Intrinsics(width, height, focal, focal, width / 2, height / 2)
    return tuple(
        Frame(number / fps, tuple(_pose(eye, yaw, pitch).ravel().tolist()), camera)
        for number, (eye, yaw, pitch) in enumerate(zip(eyes, yaws, pitches, strict=True))
    )


def _pose(eye: Array, yaw: float, pitch: float) -> Array:
    """(4, 4) camera to world; yaw counter-clockwise from +x, pitch up from the horizon."""
    forward = np.array(
        [math.cos(yaw) * math.cos(pitch), math.sin(yaw) * math.cos(pitch), math.sin(pitch)]
    )
    right = np.array([math.sin(yaw), -math.cos(yaw), 0.0])
    pose = np.eye(4)
    pose[:3, :3] = np.column_stack([right, np.cross(forward, right), forward])
    pose[:3, 3] = eye
    return pose


@dataclass(frozen=True)
class _Room:
    """Where a camera at height `eye` may be: inside `outline` (N, 2), outside the boxes."""

    outline: Array
    eye: float
    centres: Array
    axes: Array
    halves: Array

    @classmethod
    def of(cls, scene: Scene) -> _Room:
        floor = floor_height(scene)
        ceiling = floor + (scene.height or USUAL_HEIGHT)
        eye = min(floor + EYE_HEIGHT, max(ceiling - HEAD_ROOM, (floor + ceiling) / 2))
        boxes = [item.box for item in scene.objects]
        in_the_way = [
            box
            for box in boxes
            if box.corners[:, 2].min() < eye + CLEARANCE
            and box.corners[:, 2].max() > eye - CLEARANCE
        ]
        return cls(
            _outline(scene),
            eye,
            np.array([box.centre for box in in_the_way]).reshape(-1, 3),
            np.array([box.rotation for box in in_the_way]).reshape(-1, 3, 3),
            np.array([box.size for box in in_the_way]).reshape(-1, 3) / 2,
        )

    def freest_place(self) -> Array:
        """(2,) a place far from walls and obstacles, rather near the middle of the room."""
        low, high = self.outline.min(axis=0), self.outline.max(axis=0)
        middle = (low + high) / 2
        steps = (np.arange(GRID) + 0.5) / GRID
        grid = low + np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2) * (high - low)
        room = np.minimum(self.to_walls(grid), self.to_boxes(grid))
        scores = np.minimum(room, 4 * CLEARANCE) - 0.2 * np.linalg.norm(grid - middle, axis=1)
        # A place that is free at all comes before any that is not.
        scores[room <= 0] += room[room <= 0] - 1e3
        best: Array = grid[int(np.argmax(scores))]
        return best

    def reach(self, middle: Array) -> Array:
        """(DIRECTIONS,) how far the walk goes from the middle, metres, in all directions."""
        angles = 2 * np.pi * np.arange(DIRECTIONS) / DIRECTIONS
        extent = float(np.linalg.norm(self.outline - middle, axis=1).max())
        lengths = np.arange(STEP, extent + STEP, STEP)
        rays = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
        places = middle + lengths[:, None] * rays[:, None, :]
        flat = places.reshape(-1, 2)
        clear = np.minimum(self.to_walls(flat), self.to_boxes(flat)) > CLEARANCE
        free = np.logical_and.accumulate(clear.reshape(DIRECTIONS, -1), axis=1).sum(axis=1) * STEP
        return _smooth_below(REACH * free)

    def to_walls(self, places: Array) -> Array:
        """(P,) metres from places inside the outline to it; negative outside."""
        starts, ends = self.outline, np.roll(self.outline, -1, axis=0)
        along = ends - starts
        offset = places[:, None] - starts
        length = np.maximum((along**2).sum(axis=1), 1e-12)
        share = np.clip((offset * along).sum(axis=-1) / length, 0, 1)
        distance = np.linalg.norm(offset - share[..., None] * along, axis=-1).min(axis=1)
        return np.where(_inside(places, starts, ends), distance, -distance)

    def to_boxes(self, places: Array) -> Array:
        """(P,) metres from places at eye height to the nearest box; 0 or less inside one."""
        if not len(self.centres):
            return np.full(len(places), np.inf)
        points = np.column_stack([places, np.full(len(places), self.eye)])
        local = np.einsum("bij,bpj->bpi", self.axes, points - self.centres[:, None])
        beyond = np.abs(local) - self.halves[:, None]
        outside = np.linalg.norm(np.maximum(beyond, 0), axis=-1)
        distance: Array = np.where(outside > 0, outside, beyond.max(axis=-1)).min(axis=0)
        return distance


def _outline(scene: Scene) -> Array:
    if len(scene.floor) >= 3:
        return np.asarray(scene.floor, dtype=np.float64)
    side = math.sqrt(scene.room_area) / 2
    centre = np.asarray(scene.room_centre[:2])
    square = centre + side * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    corners = [item.box.corners[:, :2] for item in scene.objects]
    return _hull(np.concatenate([square, *corners]))


def _hull(points: Array) -> Array:
    """Convex hull, counter-clockwise (Andrew's monotone chain)."""
    ordered = sorted(set(map(tuple, points.tolist())))
    halves = []
    for sequence in (ordered, ordered[::-1]):
        chain: list[tuple[float, ...]] = []
        for point in sequence:
            while len(chain) > 1 and _turn(chain[-2], chain[-1], point) <= 0:
                chain.pop()
            chain.append(point)
        halves.append(chain[:-1])
    return np.array(halves[0] + halves[1])


def _turn(a: tuple[float, ...], b: tuple[float, ...], c: tuple[float, ...]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _inside(places: Array, starts: Array, ends: Array) -> NDArray[np.bool_]:
    """Even-odd rule for (P, 2) places in a polygon."""
    x, y = places[:, None, 0], places[:, None, 1]
    crosses = (starts[:, 1] > y) != (ends[:, 1] > y)
    with np.errstate(divide="ignore", invalid="ignore"):
        at = starts[:, 0] + (y - starts[:, 1]) / (ends[:, 1] - starts[:, 1]) * (
            ends[:, 0] - starts[:, 0]
        )
    inside: NDArray[np.bool_] = (crosses & (x < at)).sum(axis=1) % 2 == 1
    return inside


def _smooth_below(values: Array) -> Array:
    """Evened out around the circle, and nowhere above the values.

    Each value becomes the mean of the minima around its neighbours; its own is in each minimum.
    """
    half = DIRECTIONS // 12
    shifts = range(-half, half + 1)
    least = np.min([np.roll(values, shift) for shift in shifts], axis=0)
    mean: Array = np.mean([np.roll(least, shift) for shift in shifts], axis=0)
    return mean


def _along(reach: Array, angles: Array) -> Array:
    """The reach at any angle, linear between the measured directions."""
    return np.interp(
        angles, 2 * np.pi * np.arange(DIRECTIONS) / DIRECTIONS, reach, period=2 * np.pi
    )
