"""Draws a scene's boxes, floor and walls from a posed camera, with depth and instances.

Everything drawn is flat, and the inverse depth of a plane is affine in the pixel (u, v):
a ray o + t d, with d of depth 1, meets the plane n.x = k at 1/t = (n.d) / (k - n.o), and d is
affine in (u, v). A box is the three slabs between its faces: a ray enters it at the last slab it
enters, if it has not left another before (Kay and Kajiya, 1986). So a surface costs a few sums
over the pixels it may cover, with no division and nothing to clip but those pixels' bounds.

Shapes: H rows, W columns, B boxes, 3 axes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.layout.drawing import Drawing, Wall
from harness.scene import Array, Frame, Intrinsics

# Surfaces nearer than this to the camera's plane, in metres, are cut away.
NEAR = 0.05
# A camera this close to a face's plane, in metres, counts as in it: no division by nothing.
TOUCHING = 1e-6
# Metres beyond which the floor's squares are smaller than pixels and only flicker.
SQUARES_END = 15.0

# Surface codes below `WALL`; walls follow, then three faces (by axis) for each box.
BACKGROUND, FLOOR_LIGHT, FLOOR_DARK, FLOOR_FAR, CEILING, WALL = range(6)
PLAIN_COLOURS = (
    (214, 222, 230),
    (206, 202, 196),
    (172, 168, 162),
    (189, 185, 179),
    (236, 236, 234),
)
WALL_COLOUR = (222, 216, 206)
EDGE_SHADE = 0.45
# Mostly from above, so that tops are lightest and neighbouring sides differ.
LIGHT = np.array([0.36, 0.22, 0.91])

EDGES = [(a, b) for a in range(8) for b in range(a + 1, 8) if (a ^ b) in (1, 2, 4)]
QUAD_EDGES = [(0, 1), (1, 2), (2, 3), (3, 0)]

Buffer = NDArray[np.float32]
Window = tuple[slice, slice]


@dataclass(frozen=True)
class Rendered:
    """One picture.

    Args:
        colour: (H, W, 3) uint8 RGB.
        depth: (H, W) float32 metres along the camera's z axis, infinite where nothing is.
        instance: (H, W) int32, place of the object in `scene.objects`, -1 for none.
    """

    colour: NDArray[np.uint8]
    depth: Buffer
    instance: NDArray[np.int32]


def render(drawing: Drawing, frame: Frame) -> Rendered:
    """What the camera sees. Pixel (row, column) looks through (column + 0.5, row + 0.5)."""
    return _drawn(drawing, frame).finish(drawing)


def object_pixels(drawing: Drawing, frame: Frame) -> NDArray[np.int64]:
    """(B,) pixels of each object in the picture that `render` gives, without the colours."""
    if drawing.shell_hides_nothing:
        canvas = _Canvas(frame)
        canvas.draw_boxes(drawing, WALL + len(drawing.walls))
    else:
        canvas = _drawn(drawing, frame)
    first = WALL + len(drawing.walls)
    counts = np.bincount(canvas.code.ravel(), minlength=first + 3 * len(drawing.centres))
    pixels: NDArray[np.int64] = counts[first:].reshape(-1, 3).sum(axis=1)
    return pixels


def _drawn(drawing: Drawing, frame: Frame) -> _Canvas:
    canvas = _Canvas(frame)
    canvas.floor_and_ceiling(drawing)
    canvas.draw_walls(drawing)
    canvas.draw_boxes(drawing, WALL + len(drawing.walls))
    return canvas


class _Canvas:
    """Inverse depth and surface code of each pixel, the nearest surface so far."""

    def __init__(self, frame: Frame) -> None:
        camera = self.camera = frame.intrinsics
        pose = frame.pose
        self.turn, self.origin = pose[:3, :3], pose[:3, 3]
        # World direction, of depth 1, of the ray through (u, v): rays @ (u, v, 1).
        self.rays = self.turn @ np.array(
            [
                [1 / camera.fx, 0.0, -camera.cx / camera.fx],
                [0.0, 1 / camera.fy, -camera.cy / camera.fy],
                [0.0, 0.0, 1.0],
            ]
        )
        self.us = np.arange(camera.width) + 0.5
        self.vs = np.arange(camera.height) + 0.5
        shape = (camera.height, camera.width)
        self.inverse: Buffer = np.zeros(shape, dtype=np.float32)
        self.code = np.full(shape, BACKGROUND, dtype=np.int32)

    def affine(self, coefficients: Array) -> tuple[Buffer, Buffer]:
        """(..., H) and (..., W) whose outer sum is the affine function of (u, v, 1)."""
        rows = coefficients[..., 1:2] * self.vs
        columns = coefficients[..., 0:1] * self.us + coefficients[..., 2:3]
        return rows.astype(np.float32), columns.astype(np.float32)

    def plane(self, coefficients: Array, window: Window = np.s_[:, :]) -> Buffer:
        """The affine function over the window's pixels."""
        rows, columns = self.affine(coefficients)
        return rows[window[0], None] + columns[window[1]]

    def floor_and_ceiling(self, drawing: Drawing) -> None:
        above = self.origin[2] - drawing.floor
        if above > 0:
            inverse = self.plane(-self.rays[2] / above)
            seen = inverse > 0
            depth = 1 / np.maximum(inverse, 1 / (2 * SQUARES_END))
            x = np.floor(self.plane(self.rays[0]) * depth + np.float32(self.origin[0]))
            y = np.floor(self.plane(self.rays[1]) * depth + np.float32(self.origin[1]))
            odd = (x + y).astype(np.int32) & 1
            squares = np.where(inverse > 1 / SQUARES_END, FLOOR_LIGHT + odd, FLOOR_FAR)
            np.copyto(self.inverse, inverse, where=seen)
            np.copyto(self.code, squares, where=seen)
        below = drawing.ceiling - self.origin[2]
        if drawing.walls and below > 0:
            inverse = self.plane(self.rays[2] / below)
            self._put(inverse, inverse > self.inverse, CEILING, np.s_[:, :])

    def draw_walls(self, drawing: Drawing) -> None:
        # Above and below, floor and ceiling are nearer than the wall's plane and hide it.
        for number, wall in enumerate(drawing.walls):
            along = wall.end - wall.start
            length = float(np.hypot(*along))
            along = along / length
            inward = np.array([-along[1], along[0]])
            offset = self.origin[:2] - wall.start
            distance = float(offset @ inward)
            if distance <= TOUCHING:
                continue  # seen from behind, or edge on
            bounds = self._bounds(_quad(wall, drawing)[None], QUAD_EDGES)[0]
            if bounds is None:
                continue
            window = bounds.window
            inverse_of = -(inward @ self.rays[:2]) / distance
            start_of = along @ self.rays[:2] + float(offset @ along) * inverse_of
            inverse = self.plane(inverse_of, window)
            seen = inverse > self.inverse[window]
            seen &= self.plane(start_of, window) >= 0
            seen &= self.plane(length * inverse_of - start_of, window) >= 0
            self._put(inverse, seen, WALL + number, window)

    def draw_boxes(self, drawing: Drawing, first: int) -> None:
        if not len(drawing.centres):
            return
        rays = drawing.axes @ self.rays
        origin = np.einsum("bij,bj->bi", drawing.axes, self.origin - drawing.centres)
        slabs = _Slabs.of(self, rays, origin, drawing.halves)
        for number, bounds in enumerate(self._bounds(drawing.corners, EDGES)):
            if bounds is None or not slabs.outside[number].any():
                continue  # out of the picture, or the camera is inside the box
            inverse, leaving, face = slabs.enter(number, bounds.window)
            seen = inverse >= leaving
            seen &= inverse > self.inverse[bounds.window]
            if bounds.cut:
                seen &= inverse <= 1 / NEAR
            self._put(inverse, seen, first + 3 * number + face, bounds.window)

    def _put(
        self,
        inverse: Buffer,
        seen: NDArray[np.bool_],
        code: int | NDArray[np.int32],
        window: Window,
    ) -> None:
        np.copyto(self.inverse[window], inverse, where=seen)
        np.copyto(self.code[window], code, where=seen)

    def _bounds(self, corners: Array, edges: list[tuple[int, int]]) -> list[_Bounds | None]:
        """Pixels that each solid of (B, N, 3) corners may cover, cut at the near plane."""
        points = (corners - self.origin) @ self.turn
        near: NDArray[np.bool_] = points[..., 2] < NEAR
        cut = np.any(near, axis=1)
        if cut.any():
            points = _cut_at_near(points, edges)
        with np.errstate(invalid="ignore"):
            u = points[..., 0] / points[..., 2] * self.camera.fx + self.camera.cx
            v = points[..., 1] / points[..., 2] * self.camera.fy + self.camera.cy
            limits = np.stack([_limits(u, self.camera.width), _limits(v, self.camera.height)], 1)
        return [
            None
            if behind or left >= right or top >= bottom
            else _Bounds((slice(top, bottom), slice(left, right)), is_cut)
            for behind, is_cut, ((left, right), (top, bottom)) in zip(
                np.all(near, axis=1).tolist(), cut.tolist(), limits.tolist(), strict=True
            )
        ]

    def finish(self, drawing: Drawing) -> Rendered:
        first = WALL + len(drawing.walls)
        shades = _shades(drawing, self.origin)
        count = len(shades)
        edge = np.zeros(self.code.shape, dtype=bool)
        for here, there in (
            (np.s_[:, :-1], np.s_[:, 1:]),
            (np.s_[:-1, :], np.s_[1:, :]),
        ):
            one, other = self.code[here], self.code[there]
            edge[here] |= (one != other) & (np.maximum(one, other) >= WALL)
        table = np.concatenate([shades, shades * EDGE_SHADE])
        packed = np.zeros((2 * count, 4), dtype=np.uint8)
        packed[:, :3] = np.clip(table, 0, 255).round()
        colour = packed.view(np.uint32)[:, 0][self.code + count * edge]
        instances = np.full(count, -1, dtype=np.int32)
        instances[first:] = np.arange(count - first) // 3
        with np.errstate(divide="ignore"):
            depth: Buffer = np.reciprocal(self.inverse)
        pixels = colour.view(np.uint8).reshape(*self.code.shape, 4)[..., :3]
        return Rendered(np.ascontiguousarray(pixels), depth, instances[self.code])


@dataclass(frozen=True)
class _Bounds:
    window: Window
    cut: bool


@dataclass(frozen=True)
class _Slabs:
    """Inverse depths at which rays enter and leave each box's slabs, as outer sums.

    `outside` (B, 3): the camera is outside the slab, so rays enter it; they leave it at
    `ratio` times the inverse depth of entering. Else they leave it at the larger of two planes.
    """

    outside: NDArray[np.bool_]
    ratio: Buffer
    one: tuple[Buffer, Buffer]
    other: tuple[Buffer, Buffer]

    @classmethod
    def of(cls, canvas: _Canvas, rays: Array, origin: Array, halves: Array) -> _Slabs:
        gap = np.abs(origin) - halves
        outside = gap > TOUCHING
        side = np.where(origin < 0, -1.0, 1.0)
        # Inside a slab the two planes lie on either side; a camera in a face is moved off it.
        to_one = np.where(outside, -side * gap, np.maximum(halves - origin, TOUCHING))
        to_other = -np.maximum(halves + origin, TOUCHING)
        return cls(
            outside,
            (gap / (gap + 2 * halves)).astype(np.float32),
            canvas.affine(rays / to_one[..., None]),
            canvas.affine(rays / to_other[..., None]),
        )

    def enter(self, number: int, window: Window) -> tuple[Buffer, Buffer, int | NDArray[np.int32]]:
        """Inverse depth of entering the box, of leaving it, and the axis of the face entered."""
        entering: Buffer | None = None
        leaving: Buffer | None = None
        face: int | NDArray[np.int32] = 0
        for axis in range(3):
            plane = _outer(self.one, number, axis, window)
            if self.outside[number, axis]:
                out = plane * self.ratio[number, axis]
                if entering is None:
                    entering, face = plane, axis
                else:
                    face = np.where(plane < entering, np.int32(axis), face)
                    entering = np.minimum(entering, plane)
            else:
                out = np.maximum(plane, _outer(self.other, number, axis, window))
            leaving = out if leaving is None else np.maximum(leaving, out)
        assert entering is not None
        assert leaving is not None
        return entering, leaving, face


def _outer(planes: tuple[Buffer, Buffer], number: int, axis: int, window: Window) -> Buffer:
    rows, columns = planes
    return rows[number, axis, window[0], None] + columns[number, axis, window[1]]


def _quad(wall: Wall, drawing: Drawing) -> Array:
    """(4, 3) corners of a wall, around."""
    plan = np.stack([wall.start, wall.end, wall.end, wall.start])
    heights = [drawing.floor, drawing.floor, drawing.ceiling, drawing.ceiling]
    return np.column_stack([plan, heights])


def _cut_at_near(points: Array, edges: list[tuple[int, int]]) -> Array:
    """(B, 2E, 3) ends of the edges' parts before the near plane; NaN where there are none."""
    ends = points[:, np.array(edges)]
    depth = ends[..., 2]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (NEAR - depth) / (depth[..., ::-1] - depth)
        moved = ends + share[..., None] * (ends[..., ::-1, :] - ends)
    ends = np.where((depth < NEAR)[..., None], moved, ends)
    behind = np.all(depth < NEAR, axis=-1)
    ends = np.where(behind[..., None, None], np.nan, ends)
    return ends.reshape(len(points), -1, 3)


def _limits(coordinate: Array, size: int) -> NDArray[np.int64]:
    """(B, 2) first and past-the-last pixel whose centre may lie between the coordinates."""
    low = np.fmin.reduce(coordinate, axis=1)
    high = np.fmax.reduce(coordinate, axis=1)
    ends = np.stack([np.ceil(low - 0.501), np.floor(high - 0.499) + 1], axis=1)
    pixels: NDArray[np.int64] = np.clip(np.nan_to_num(ends, nan=0.0), 0, size).astype(np.int64)
    return pixels


def _shades(drawing: Drawing, origin: Array) -> Array:
    """RGB of every surface code, shaded by the side the camera sees."""
    walls = []
    for wall in drawing.walls:
        along = (wall.end - wall.start) / np.hypot(*(wall.end - wall.start))
        inward = np.array([-along[1], along[0], 0.0])
        walls.append(np.array(WALL_COLOUR) * (0.93 + 0.07 * float(inward @ LIGHT) / 0.42))
    offset = np.einsum("bij,bj->bi", drawing.axes, origin - drawing.centres)
    towards = np.where(offset < 0, -1.0, 1.0)[..., None] * drawing.axes
    light = 0.72 + 0.30 * (towards @ LIGHT)
    faces = drawing.colours[:, None, :] * light[..., None]
    return np.concatenate(
        [
            np.array(PLAIN_COLOURS, dtype=np.float64),
            np.reshape(walls, (-1, 3)),
            faces.reshape(-1, 3),
        ]
    )


def project(points: Array, frame: Frame) -> Array:
    """(n, 3) of u, v in pixels and depth in metres for (n, 3) world points.

    A point behind the camera has a depth that is not positive; its u and v mean nothing.
    """
    camera: Intrinsics = frame.intrinsics
    pose = frame.pose
    x, y, depth = ((points - pose[:3, 3]) @ pose[:3, :3]).T
    with np.errstate(divide="ignore", invalid="ignore"):
        u = camera.fx * x / depth + camera.cx
        v = camera.fy * y / depth + camera.cy
    return np.stack([u, v, depth], axis=1)
