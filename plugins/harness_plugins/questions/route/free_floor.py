"""Where on the floor a robot can be, as a grid of cells.

Shapes: h x w cells, p ways, k places along each; 2 coordinates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from scipy.spatial import ConvexHull, QhullError

from harness.layout.drawing import floor_height
from harness.scene import Array, Box, Scene
from harness_plugins.questions.route.footprints import Footprints
from harness_plugins.questions.settings import RoutePlanningSettings

CELL = 0.05
# A floor larger than this many cells a side is laid out in larger ones.
_MOST_CELLS = 2000
# What the robot rolls over, metres.
_THRESHOLD = 0.1

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class FreeFloor:
    """Cells that the robot's middle can be in.

    Args:
        free: (h, w), rows along y: the robot touches nothing, wherever in the cell its middle is.
        possible: (h, w), the robot may just touch nothing somewhere in the cell.
        low: (x, y) of the corner of cell (0, 0), metres.
        cell: side of a cell, metres.
    """

    free: Mask
    possible: Mask
    low: Array
    cell: float

    @classmethod
    def of(cls, scene: Scene, rules: RoutePlanningSettings) -> FreeFloor | None:
        """The floor inside the outline, less what stands in the way; None without an outline."""
        outline = _outline(scene, rules)
        if outline is None:
            return None
        low, high = outline.min(axis=0), outline.max(axis=0)
        cell = max(CELL, float((high - low).max()) / _MOST_CELLS)
        low = low - 2 * cell
        w, h = np.ceil((high - low) / cell).astype(int) + 2
        x, y = (low[i] + (np.arange(n) + 0.5) * cell for i, n in enumerate((w, h)))
        walls_hw = distance_transform_edt(_inside(outline, x, y)) * cell
        boxes_hw = _to_boxes(x, y, _in_the_way(scene, rules), rules.robot_radius + 2 * cell)
        # A wall may stand a cell's diagonal from the middle of the nearest cell behind it. A way
        # comes nearer to a box than the middles of the cells it is seen in by half a diagonal
        # inside the cell, and half a step between two places looked at.
        radius, wall, box = rules.robot_radius, 2**0.5 * cell, (2**0.5 + 1) / 2 * cell
        return cls(
            (walls_hw > radius + wall) & (boxes_hw > radius + box),
            (walls_hw > max(radius - wall, 0.0)) & (boxes_hw > max(radius - box, 0.0)),
            low,
            cell,
        )

    def at(self, places: Array) -> Mask:
        """(...) whether places (..., 2) are free."""
        return self._look_up(self.free, places)

    def clear(self, starts: Array, ends: Array, *, surely: bool = True) -> Mask:
        """(p,) whether the robot can go straight from starts to ends, both (p, 2).

        With `surely` false, whether it may just be able to. A way that was surely clear among
        other ways always is that, whatever the places looked at.
        """
        if not len(starts):
            return np.zeros(0, dtype=bool)
        longest = float(np.linalg.norm(ends - starts, axis=1).max())
        share_k = np.linspace(0.0, 1.0, int(np.ceil(longest / self.cell)) + 1)[:, None]
        places_pk2 = starts[:, None] + share_k * (ends - starts)[:, None]
        cells = self.free if surely else self.possible
        return np.asarray(self._look_up(cells, places_pk2).all(axis=1))

    def until_blocked(self, starts: Array, degrees: Array) -> tuple[Array, Mask]:
        """Going straight on from starts (p, 2) in directions (p,): (p, k, 2) places, and (p, k)
        whether the robot may get there.
        """
        reach = float(np.hypot(*self.free.shape)) * self.cell
        metres_k = np.arange(0.0, reach, self.cell)[:, None]
        angles = np.radians(degrees)
        ways_p2 = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
        places_pk2 = starts[:, None] + metres_k * ways_p2[:, None]
        return places_pk2, np.logical_and.accumulate(
            self._look_up(self.possible, places_pk2), axis=1
        )

    def _look_up(self, cells: Mask, places: Array) -> Mask:
        column, row = np.moveaxis(np.floor((places - self.low) / self.cell).astype(np.intp), -1, 0)
        h, w = cells.shape
        # The outermost cells are outside the outline, where the robot cannot be.
        return np.asarray(cells[row.clip(0, h - 1), column.clip(0, w - 1)])


def _outline(scene: Scene, rules: RoutePlanningSettings) -> Array | None:
    if len(scene.floor) >= 3:
        return np.asarray(scene.floor, dtype=np.float64)
    if rules.floor == "known" or not scene.objects:
        return None
    corners = np.concatenate([thing.box.corners[:, :2] for thing in scene.objects])
    try:
        hull: Array = corners[ConvexHull(corners).vertices]
    except QhullError:
        # Boxes in one line leave no floor between them.
        return None
    return hull


def _inside(outline: Array, x: Array, y: Array) -> Mask:
    """(h, w) whether the middles of cells are in the outline, by the even-odd rule."""
    start, end = outline, np.roll(outline, -1, axis=0)
    row, edge = np.nonzero((start[:, 1] > y[:, None]) != (end[:, 1] > y[:, None]))
    share = (y[row] - start[edge, 1]) / (end[edge, 1] - start[edge, 1])
    crossing = start[edge, 0] + share * (end[edge, 0] - start[edge, 0])
    crossings = np.zeros((len(y), len(x) + 1), dtype=np.intp)
    np.add.at(crossings, (row, np.searchsorted(x, crossing)), 1)
    return np.asarray(crossings[:, :-1].cumsum(axis=1) % 2 == 1)


def _in_the_way(scene: Scene, rules: RoutePlanningSettings) -> list[Box]:
    floor = floor_height(scene)
    return [
        thing.box
        for thing in scene.objects
        if thing.box.corners[:, 2].max() > floor + _THRESHOLD
        and thing.box.corners[:, 2].min() < floor + rules.robot_height
    ]


def _to_boxes(x: Array, y: Array, boxes: list[Box], most: float) -> Array:
    """(h, w) metres from the middles of cells to the nearest box; infinite from `most` on."""
    metres_hw = np.full((len(y), len(x)), np.inf)
    footprints = Footprints.of(boxes)
    spread_n2 = (np.abs(footprints.axes) * footprints.halves[:, :, None]).sum(axis=1) + most
    for number, (centre, spread) in enumerate(zip(footprints.centres, spread_n2, strict=True)):
        columns = slice(*np.searchsorted(x, [centre[0] - spread[0], centre[0] + spread[0]]))
        rows = slice(*np.searchsorted(y, [centre[1] - spread[1], centre[1] + spread[1]]))
        places = np.stack(np.meshgrid(x[columns], y[rows]), axis=-1)
        near = metres_hw[rows, columns]
        np.minimum(near, footprints.distances(places, np.array(number)), out=near)
    return metres_hw
