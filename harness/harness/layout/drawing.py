"""A scene as the renderer wants it: boxes as arrays, coloured, on a floor, between walls.

Shapes: B boxes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from harness.layout.palette import colour_of
from harness.scene import Array, Scene

# Rooms whose height nobody measured are drawn with this one, metres.
USUAL_HEIGHT = 2.5


@dataclass(frozen=True)
class Wall:
    """A wall from `start` to `end` on the floor plan, the room to its left."""

    start: Array
    end: Array


@dataclass(frozen=True)
class Drawing:
    """A scene as the renderer wants it; `Drawing.of(scene)` makes it.

    Args:
        centres: (B, 3), `axes`: (B, 3, 3) with rows as axes, `halves`: (B, 3), metres.
        colours: (B, 3) RGB.
        floor: height of the floor, metres. ceiling: height of the ceiling above zero, metres.
        walls: the room's walls, possibly none; then there is no ceiling either.
    """

    centres: Array
    axes: Array
    halves: Array
    colours: Array
    floor: float
    ceiling: float
    walls: tuple[Wall, ...]

    @classmethod
    def of(cls, scene: Scene) -> Drawing:
        """The scene's boxes coloured by category, on a floor at the lowest box."""
        boxes = [item.box for item in scene.objects]
        floor = floor_height(scene)
        outline = np.asarray(scene.floor, dtype=np.float64).reshape(-1, 2)
        if _signed_area(outline) < 0:
            outline = outline[::-1]
        return cls(
            centres=np.array([box.centre for box in boxes]).reshape(-1, 3),
            axes=np.array([box.rotation for box in boxes]).reshape(-1, 3, 3),
            halves=np.array([box.size for box in boxes]).reshape(-1, 3) / 2,
            colours=np.array([colour_of(o.category) for o in scene.objects]).reshape(-1, 3),
            floor=floor,
            ceiling=floor + (scene.height or USUAL_HEIGHT),
            walls=tuple(map(Wall, outline, np.roll(outline, -1, axis=0))),
        )

    @cached_property
    def shell_hides_nothing(self) -> bool:
        """Whether floor, walls and ceiling stand behind every box, from wherever one looks in.

        So it is in a room whose outline turns one way only, with all boxes inside. (A surface seen
        from behind is not drawn.)
        """
        corners = self.corners.reshape(-1, 3)
        inside = (corners[:, 2] >= self.floor) & (corners[:, 2] <= self.ceiling)
        starts = np.array([wall.start for wall in self.walls]).reshape(-1, 2)
        along = np.array([wall.end - wall.start for wall in self.walls]).reshape(-1, 2)
        x, y = (corners[:, None, :2] - starts).transpose(2, 0, 1)
        to_the_left = along[:, 0] * y - along[:, 1] * x >= 0
        # A convex outline has every corner of its own to the left of every wall, too.
        x, y = (starts[:, None] - starts).transpose(2, 0, 1)
        convex = along[:, 0] * y - along[:, 1] * x >= -1e-9
        return bool(inside.all() and to_the_left.all() and convex.all())

    @cached_property
    def corners(self) -> Array:
        """(B, 8, 3) corners; two that differ in one bit of their number share an edge."""
        signs = np.array([[(k >> 2) & 1, (k >> 1) & 1, k & 1] for k in range(8)]) * 2.0 - 1
        offsets = signs * self.halves[:, None, :]
        return self.centres[:, None, :] + offsets @ self.axes


def _signed_area(outline: Array) -> float:
    x, y = outline.T
    return float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y) / 2)


def floor_height(scene: Scene) -> float:
    """Height of the lowest box corner: furniture stands on the floor. 0 without boxes."""
    return min((float(item.box.corners[:, 2].min()) for item in scene.objects), default=0.0)
