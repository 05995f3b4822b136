"""Boxes fitted to points: what a source makes of a raw scan's labelled points. Metres, z up.

Shapes: n points, h corners of their convex hull seen from above, counter-clockwise.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial import ConvexHull, QhullError

from harness.errors import SceneError
from harness.scene import Array, Box

# A side thinner than this, in metres, is made this thick: a picture on a wall is flat in a scan,
# and a box has a volume.
THINNEST = 1e-3
# Metres. Further out lies no place on earth in any map's grid, so the file was misread.
FARTHEST = 1e8
# Two directions whose areas differ by less than this share are equally good: rounding.
_SAME_AREA = 1e-12
# Hull edges shorter than this share of the points' extent have a direction of rounding alone.
_SHORTEST = 1e-13


def upright_box(points: ArrayLike) -> Box:
    """Smallest box around points among those that stand upright, z being its third axis.

    Its base is the rectangle of least area around the points seen from above. One side of it lies
    along an edge of their convex hull (Freeman and Shapira, 1975), so every edge is tried, with
    the extents found by rotating calipers (Toussaint, 1983). The first axis is the one within 45
    degrees of +x; of several smallest rectangles the one turned least is taken. So a box that is
    turned by a quarter comes out the same.

    Args:
        points: (n, 3) metres, n > 0. Sides thinner than 1 mm are made 1 mm thick about their
            middle.

    Raises:
        SceneError: there are no points, or one is no number.
    """
    points_n3 = scene_points(points, "upright_box")
    if not len(points_n3):
        raise SceneError("upright_box: there are no points to put a box around; give at least one")
    # About the points' middle, so that a map's large coordinates cost no precision; rows of
    # coordinates, as numpy is slow to reduce columns of three.
    local_3n = np.ascontiguousarray(points_n3.T)
    middle = (local_3n.min(axis=1) + local_3n.max(axis=1)) / 2
    local_3n = local_3n - middle[:, None]
    along = _direction(_hull(local_3n[:2].T))
    axes = np.array([[along[0], along[1], 0.0], [-along[1], along[0], 0.0], [0.0, 0.0, 1.0]])
    return _spanned(axes @ local_3n, axes, middle)


def aligned_box(points: ArrayLike) -> Box:
    """Smallest box around points whose sides lie along x, y and z.

    Args:
        points: (n, 3) metres, n > 0; thin sides as in `upright_box`.

    Raises:
        SceneError: there are no points, or one is no number.
    """
    points_n3 = scene_points(points, "aligned_box")
    if not len(points_n3):
        raise SceneError("aligned_box: there are no points to put a box around; give at least one")
    return _spanned(np.ascontiguousarray(points_n3.T), np.eye(3), np.zeros(3))


def scene_points(points: ArrayLike, who: str) -> Array:
    """(n, 3) float64 of points that a scan can hold: finite, and not off the earth.

    Args:
        points: (n, 3) metres; n may be 0.
        who: what asks for them, for the error.

    Raises:
        SceneError: the shape is another, or a coordinate is not finite or beyond 100,000 km.
    """
    points_n3 = np.asarray(points, dtype=np.float64)
    if points_n3.ndim != 2 or points_n3.shape[1] != 3:
        raise SceneError(f"{who}: points have the shape {points_n3.shape}, expected (n, 3)")
    # NaN compares as false too.
    if len(points_n3) and not (points_n3.min() >= -FARTHEST and points_n3.max() <= FARTHEST):
        bad_n = ~(np.abs(points_n3) <= FARTHEST).all(axis=1)
        raise SceneError(
            f"{who}: {bad_n.sum()} of {len(points_n3)} points are not finite or beyond "
            f"{FARTHEST:.0e} m, the first {points_n3[bad_n][0].tolist()}; leave out such points or "
            "mend the file they come from"
        )
    return points_n3


def _spanned(local_3n: Array, axes: Array, origin: Array) -> Box:
    """Box along `axes` around points given along them, from `origin`."""
    low, high = local_3n.min(axis=1), local_3n.max(axis=1)
    x, y, z = (origin + (low + high) / 2 @ axes).tolist()
    length, width, height = np.maximum(high - low, THINNEST).tolist()
    # Adding zero turns a minus zero into a plain one.
    return Box((x, y, z), (length, width, height), tuple((axes + 0.0).ravel().tolist()))


def _hull(points_n2: Array) -> Array:
    """(h, 2) corners of the hull; of points on one line its two ends, perhaps the same."""
    try:
        return np.asarray(points_n2[ConvexHull(points_n2).vertices])
    except QhullError:  # fewer than three points, or all on a line
        end = points_n2[(points_n2**2).sum(axis=1).argmax()]
        return np.array([end, points_n2[((points_n2 - end) ** 2).sum(axis=1).argmax()]])


def _direction(hull_h2: Array) -> Array:
    """(2,) unit vector within 45 degrees of +x along a side of the smallest rectangle."""
    edges_h2 = np.roll(hull_h2, -1, axis=0) - hull_h2
    length_h = np.hypot(edges_h2[:, 0], edges_h2[:, 1])
    kept = length_h > _SHORTEST * np.ptp(hull_h2, axis=0).max()
    if not kept.any():
        return np.array([1.0, 0.0])
    along_h2 = edges_h2[kept] / length_h[kept, None]
    area_h = _areas(hull_h2[kept], along_h2)
    best_b2 = along_h2[area_h <= area_h.min() * (1 + _SAME_AREA)]
    # A quarter turn gives the same rectangle: x the larger part, and positive.
    steep = np.abs(best_b2[:, 1]) > np.abs(best_b2[:, 0])
    best_b2[steep] = best_b2[steep][:, ::-1] * [1.0, -1.0]
    best_b2[best_b2[:, 0] < 0] *= -1
    return np.asarray(best_b2[np.lexsort((best_b2[:, 1], np.abs(best_b2[:, 1])))[0]])


def _areas(hull_h2: Array, along_h2: Array) -> Array:
    """(h,) area of the rectangle around a hull that lies on each of its edges."""
    before_h2 = np.roll(along_h2, 1, axis=0)
    cross_h = before_h2[:, 0] * along_h2[:, 1] - before_h2[:, 1] * along_h2[:, 0]
    turn_h = np.maximum(np.arctan2(cross_h, (before_h2 * along_h2).sum(axis=1)), 0.0)
    # How far each edge has turned since the first one, twice round. Walking on, the hull reaches
    # farthest in a direction where its edges have turned a quarter beyond it.
    angle_h = np.cumsum(turn_h) - turn_h[0]
    around = np.concatenate([angle_h, angle_h + 2 * np.pi])
    ahead, across, behind = (
        hull_h2[np.searchsorted(around, angle_h + quarters * np.pi / 2) % len(hull_h2)]
        for quarters in (1, 2, 3)
    )
    normal_h2 = np.stack([-along_h2[:, 1], along_h2[:, 0]], axis=1)
    length_h = ((ahead - behind) * along_h2).sum(axis=1)
    width_h = ((across - hull_h2) * normal_h2).sum(axis=1)
    return np.asarray(np.abs(length_h * width_h))
