"""The floor of a room from all points of its scan, as VSI-Bench's generator measures it.

Its room size is the area of an alpha shape of the points seen from above: of their Delaunay
triangles those with a circumradius below 1/alpha, holes filled (Edelsbrunner et al., 1983; the
generator uses the `alphashape` package). Metres, square metres, z up.

Shapes: n points, t triangles, e edges of an outline.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import Delaunay, QhullError

from harness.errors import SceneError
from harness.fitting import scene_points, upright_box
from harness.scene import Array, Vec3

# The generator's settings (VLM-3R's scripts). It draws without a seed, so its own results vary.
ALPHA = 5.0
SAMPLES = 10_000
# The edge of a floor is ragged by about the distance between samples. Its outline has no corner
# whose loss moves it by less than twice that; the area is taken before.
OUTLINE_SPACINGS = 2.0


@dataclass(frozen=True)
class RoomFloor:
    """A floor seen from above.

    Args:
        area: square metres; 0 if the points lie too far apart, or all on a line.
        outline: (x, y) corners in metres around the largest part, counter-clockwise, the first
            not repeated; () if there is none. Holes and other parts are not in it, and corners
            are left out where that moves it by less than twice the usual distance between
            samples: 0.11 m in a room of 20 square metres.
    """

    area: float
    outline: tuple[tuple[float, float], ...]


def room_floor(
    points: ArrayLike,
    *,
    alpha: float = ALPHA,
    samples: int = SAMPLES,
    seed: int = 0,
    fill_holes: bool = True,
) -> RoomFloor:
    """Alpha shape of a scan's points seen from above. The same arguments give the same floor.

    Args:
        points: (n, 3) metres; n may be 0.
        alpha: per metre; triangles with a circumradius of 1/alpha or more are left out.
        samples: how many points are drawn, with replacement.
        seed: decides which.
        fill_holes: whether places without points, but surrounded by floor, belong to it. So it is
            in VSI-Bench's answers.

    Raises:
        SceneError: a point is no number, or `alpha` or `samples` is not positive.
    """
    points_n3 = scene_points(points, "room_floor")
    if not (alpha > 0 and samples > 0):
        raise SceneError(
            f"room_floor: alpha and samples must be positive, found {alpha} and {samples}"
        )
    if not len(points_n3):
        return RoomFloor(0.0, ())
    drawn = np.unique(np.random.default_rng(seed).integers(len(points_n3), size=samples))
    plan_n2 = points_n3[drawn, :2]
    middle = (plan_n2.min(axis=0) + plan_n2.max(axis=0)) / 2
    plan_n2 = plan_n2 - middle
    try:
        mesh = Delaunay(plan_n2)
    except QhullError:  # fewer than three places, or all on a line
        return RoomFloor(0.0, ())
    # Points nearly on a line may get triangles with a corner at infinity, numbered n.
    finite_t = (mesh.simplices < len(plan_n2)).all(axis=1)
    area_t, radius_t = _measures(plan_n2[np.where(finite_t[:, None], mesh.simplices, 0)])
    kept_t = radius_t < 1 / alpha
    if not kept_t.any():
        return RoomFloor(0.0, ())
    filled_t = ~_outside(mesh.neighbors, kept_t)
    part_t = _parts(mesh.neighbors, filled_t)
    largest = np.bincount(part_t[filled_t], area_t[filled_t]).argmax()
    edges_e22 = mesh.points[_border(mesh, filled_t & (part_t == largest))] + middle
    area = float(area_t[filled_t if fill_holes else kept_t].sum())
    spacing = math.sqrt(area_t[filled_t].sum() / len(drawn))
    return RoomFloor(area, _outline(edges_e22, OUTLINE_SPACINGS * spacing))


def room_centre(points: ArrayLike) -> Vec3:
    """Centre of the smallest upright box around a scan's points, metres.

    VSI-Bench takes the smallest box of any tilt; rooms stand upright.

    Raises:
        SceneError: there are no points, or one is no number.
    """
    return upright_box(points).centre


def _measures(corners_t32: Array) -> tuple[Array, Array]:
    """(t,) areas and (t,) circumradii, infinite where a triangle is flat."""
    one, two, three = (corners_t32[:, (k + 1) % 3] - corners_t32[:, k] for k in range(3))
    area = np.abs(one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]) / 2
    product = np.hypot(*one.T) * np.hypot(*two.T) * np.hypot(*three.T)
    radius = np.full(len(area), np.inf)
    np.divide(product, 4 * area, out=radius, where=area > 0)
    return area, radius


def _parts(neighbours_t3: NDArray[np.int32], among_t: NDArray[np.bool_]) -> NDArray[np.int32]:
    """(t,) number of the part each triangle belongs to; parts join triangles of `among_t` that
    share an edge, and every other triangle is a part of its own.
    """
    count = len(among_t)
    one, side = np.nonzero(among_t[:, None] & (neighbours_t3 >= 0))
    other = neighbours_t3[one, side]
    linked = among_t[other]
    one, other = one[linked], other[linked]
    graph = coo_array((np.ones(len(one), dtype=bool), (one, other)), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1])


def _outside(neighbours_t3: NDArray[np.int32], kept_t: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(t,) triangles left out that can be reached from beyond the points' hull."""
    part_t = _parts(neighbours_t3, ~kept_t)
    at_the_hull = ~kept_t & (neighbours_t3 < 0).any(axis=1)
    reached = np.zeros(part_t.max() + 1, dtype=bool)
    reached[part_t[at_the_hull]] = True
    return np.asarray(reached[part_t])


def _border(mesh: Delaunay, inside_t: NDArray[np.bool_]) -> NDArray[np.int32]:
    """(e, 2) points at the ends of the edges between triangles inside and others."""
    # A neighbour of -1 is the last triangle here; that it does not exist comes first.
    edge = inside_t[:, None] & ((mesh.neighbors < 0) | ~inside_t[mesh.neighbors])
    triangle, opposite = np.nonzero(edge)
    ends = [mesh.simplices[triangle, (opposite + k) % 3] for k in (1, 2)]
    return np.stack(ends, axis=1)


def _outline(edges_e22: Array, tolerance: float) -> tuple[tuple[float, float], ...]:
    """Corners around what the edges enclose, simplified; () if rounding leaves nothing of it."""
    found = shapely.get_parts(shapely.polygonize(shapely.linestrings(edges_e22)))
    if not len(found):
        return ()
    largest = shapely.Polygon(found[shapely.area(found).argmax()].exterior)
    simple = largest.simplify(tolerance, preserve_topology=True)
    return tuple((x, y) for x, y in shapely.get_coordinates(simple.normalize())[:-1][::-1].tolist())
