"""The surfaces of a scene as a mesh of small triangles, each surface a segment of an object."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from harness.errors import SceneError
from harness.layout import Drawing
from harness.layout.raster import PLAIN_COLOURS, WALL_COLOUR
from harness.scene import Array, Scene

# Sides of a box: the axis it is across, and which end.
_SIDES = [(axis, end) for axis in range(3) for end in (-1.0, 1.0)]
FLOOR_COLOUR = PLAIN_COLOURS[3]


@dataclass(frozen=True)
class Group:
    """An annotated object: its label and the segments it is made of."""

    label: str
    segments: tuple[int, ...]


@dataclass(frozen=True)
class Surfaces:
    """A mesh cut into segments.

    Args:
        vertices: (n, 3) metres. colours: (n, 3) RGB. faces: (m, 3) indices of vertices.
        segments: (n,) number of the segment of each vertex.
        groups: floor, walls, then the scene's objects in their order.
    """

    vertices: Array
    colours: NDArray[np.uint8]
    faces: NDArray[np.int32]
    segments: NDArray[np.int32]
    groups: tuple[Group, ...]

    @classmethod
    def of(cls, scene: Scene, spacing: float) -> Surfaces:
        """Floor, walls and the six sides of every box, with vertices at most `spacing` apart.

        Every corner of a box, the floor and a wall is a vertex.

        Raises:
            SceneError: the floor's outline has sides that run along neither x nor y, or is none.
        """
        vertices, colours, faces, segments, groups = [], [], [], [], []
        first, segment = 0, 0
        for label, colour, patches in _objects(scene, spacing):
            begun = segment
            for points, triangles in patches:
                vertices.append(points)
                colours.append(np.broadcast_to(np.asarray(colour, dtype=np.uint8), points.shape))
                faces.append(triangles + first)
                segments.append(np.full(len(points), segment, dtype=np.int32))
                first += len(points)
                segment += 1
            groups.append(Group(label, tuple(range(begun, segment))))
        return cls(
            np.concatenate(vertices),
            np.concatenate(colours),
            np.concatenate(faces),
            np.concatenate(segments),
            tuple(groups),
        )


Patch = tuple[Array, NDArray[np.int32]]


def _objects(scene: Scene, spacing: float) -> Iterator[tuple[str, tuple[float, ...], list[Patch]]]:
    drawing = Drawing.of(scene)
    outline = np.asarray(scene.floor, dtype=np.float64).reshape(-1, 2)
    slanted = (outline != np.roll(outline, -1, axis=0)).all(axis=1).sum()
    if len(outline) < 4 or slanted:
        raise SceneError(
            f"scene {scene.id}: the floor's outline has {len(outline)} corners and {slanted} "
            "slanted sides, expected four corners or more and sides along x and y"
        )
    yield "floor", FLOOR_COLOUR, _floor(outline, drawing.floor, spacing)
    up = np.array([0.0, 0.0, drawing.ceiling - drawing.floor])
    for wall in drawing.walls:
        start = np.array([*wall.start, drawing.floor])
        along = np.array([*(wall.end - wall.start), 0.0])
        yield "wall", WALL_COLOUR, [_patch(start, along, up, spacing)]
    for item, colour in zip(scene.objects, drawing.colours, strict=True):
        sides = item.box.rotation * np.asarray(item.box.size)[:, None]
        patches = []
        for axis, end in _SIDES:
            one, other = np.delete(sides, axis, axis=0)
            corner = np.asarray(item.box.centre) + end * sides[axis] / 2 - one / 2 - other / 2
            patches.append(_patch(corner, one, other, spacing))
        yield item.category, tuple(colour.tolist()), patches


def _floor(outline: Array, height: float, spacing: float) -> list[Patch]:
    """Rectangles between the corners' coordinates that lie in an outline of right angles."""
    xs, ys = (np.unique(outline[:, axis]) for axis in (0, 1))
    patches = []
    for left, right in pairwise(xs):
        for near, far in pairwise(ys):
            if _inside((left + right) / 2, (near + far) / 2, outline):
                corner = np.array([left, near, height])
                along, across = np.array([right - left, 0, 0]), np.array([0, far - near, 0])
                patches.append(_patch(corner, along, across, spacing))
    return patches


def _inside(x: float, y: float, outline: Array) -> bool:
    starts, ends = outline, np.roll(outline, -1, axis=0)
    upright = starts[:, 0] == ends[:, 0]
    low, high = np.minimum(starts, ends)[:, 1], np.maximum(starts, ends)[:, 1]
    return bool((upright & (starts[:, 0] > x) & (low <= y) & (y < high)).sum() % 2)


def _patch(corner: Array, one: Array, other: Array, spacing: float) -> Patch:
    """Vertices and triangles of the parallelogram that two sides span from a corner."""
    rows, columns = (
        max(1, math.ceil(float(np.linalg.norm(side)) / spacing)) for side in (one, other)
    )
    steps_one = np.linspace(0, 1, rows + 1)[:, None, None] * one
    steps_other = np.linspace(0, 1, columns + 1)[None, :, None] * other
    points: Array = (corner + steps_one + steps_other).reshape(-1, 3)
    numbers = np.arange(len(points), dtype=np.int32).reshape(rows + 1, columns + 1)
    a, b = numbers[:-1, :-1], numbers[1:, :-1]
    c, d = numbers[1:, 1:], numbers[:-1, 1:]
    triangles = np.stack([a, b, c, a, c, d], axis=-1).reshape(-1, 3)
    return points, triangles
