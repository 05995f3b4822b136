"""Which objects a posed frame shows, from their points in a scan and a depth picture.

Shapes: m points of one object, n points of all, H rows and W columns of the frame, h and w of its
depth picture.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import KDTree

from harness.errors import SceneError
from harness.fitting import scene_points
from harness.scene import Array, Frame, Visibility

# Share of the measured depth that a point may lie before or behind it (VLM-3R's scripts).
TOLERANCE = 0.2
# Points nearer than this to the camera's plane, in metres, are not seen.
NEAR = 0.05
# Without depth a point hides what lies behind a square twice as wide as points lie apart, so that
# hardly a gap is left between them; at most 64 pixels.
_SPLAT = 2.0
_COARSEST = 6
# Points whose nearest neighbour is looked up to know how far apart points lie.
_SPACING_SAMPLES = 1000

Depth = NDArray[np.floating]


def visible_pixels(
    points: Sequence[ArrayLike],
    ids: Sequence[str],
    frames: Sequence[Frame],
    depth: Callable[[int], Depth | None],
    *,
    tolerance: float = TOLERANCE,
) -> Visibility:
    """Pixels of each object in each frame that nothing hides.

    A pixel counts for an object if one of its points falls into it, no farther from the measured
    depth there than `tolerance` times that depth (VSI-Bench's appearance order). Where a frame has
    no depth picture, the nearest of all points given takes its place; so walls hide something only
    if their points are given too. Sparse points count fewer pixels than the object covers.

    Args:
        points: (m, 3) metres in world coordinates for each object; m may be 0.
        ids: the objects' ids, unique.
        frames: posed frames, one row of the result each.
        depth: gives, for the place of a frame, the (h, w) floating-point metres along its z axis,
            or None. The picture may have another resolution than the frame. 0 or less, or not
            finite, is unknown: then the pixel does not count. Asked for one frame at a time.
        tolerance: share of the depth.

    Raises:
        SceneError: points, ids or a depth picture are not as described.
    """
    if len(points) != len(ids) or len(set(ids)) != len(ids):
        raise SceneError(
            f"visible_pixels: {len(points)} objects have points and {len(ids)} have ids, of which "
            f"{len(set(ids))} differ; each object needs its points and an id of its own"
        )
    if not tolerance >= 0:
        raise SceneError(f"visible_pixels: the tolerance must not be negative, found {tolerance}")
    clouds = [
        scene_points(cloud, f"object {name}") for cloud, name in zip(points, ids, strict=True)
    ]
    points_n3 = np.concatenate([*clouds, np.empty((0, 3))])
    points_3n = np.ascontiguousarray(points_n3.T)
    bounds = np.cumsum([0, *map(len, clouds)])
    pixels = np.zeros((len(frames), len(ids)), dtype=np.int32)
    spacing: float | None = None
    for place, frame in enumerate(frames):
        inside_n, u_n, v_n, z_n = _projected(points_3n, frame)
        if not len(inside_n):
            continue
        measured = depth(place)
        if measured is None:
            spacing = _spacing(points_n3) if spacing is None else spacing
            nearest_n = _nearest(u_n, v_n, z_n, frame, spacing)
        else:
            nearest_n = _looked_up(measured, u_n, v_n, frame, place)
        seen_n = np.abs(nearest_n - z_n) <= tolerance * nearest_n
        pixel_n = v_n[seen_n].astype(np.intp) * frame.intrinsics.width + u_n[seen_n].astype(np.intp)
        pixels[place] = _distinct(pixel_n, np.searchsorted(inside_n[seen_n], bounds), frame)
    return Visibility(tuple(ids), pixels)


def _projected(points_3n: Array, frame: Frame) -> tuple[NDArray[np.intp], Array, Array, Array]:
    """Places of the points in the picture, ascending, and their u, v (pixels) and z (metres)."""
    camera, pose = frame.intrinsics, frame.pose
    to_camera = pose[:3, :3].T
    x, y, z = to_camera @ points_3n - (to_camera @ pose[:3, 3])[:, None]
    before = np.flatnonzero(z > NEAR)
    z = z[before]
    u = x[before] * (camera.fx / z) + camera.cx
    v = y[before] * (camera.fy / z) + camera.cy
    inside = (u >= 0) & (u < camera.width) & (v >= 0) & (v < camera.height)
    return before[inside], u[inside], v[inside], z[inside]


def _looked_up(measured: Depth, u_n: Array, v_n: Array, frame: Frame, place: int) -> Array:
    """(n,) measured depth at each point, NaN where it is unknown."""
    if measured.ndim != 2 or not measured.size or measured.dtype.kind != "f":
        raise SceneError(
            f"depth picture of frame {place}: shape {measured.shape} of {measured.dtype}, expected "
            "(height, width) of floating-point metres; divide millimetres by 1000"
        )
    height, width = measured.shape
    row_n = (v_n * (height / frame.intrinsics.height)).astype(np.intp)
    column_n = (u_n * (width / frame.intrinsics.width)).astype(np.intp)
    # Rounding may carry a point at the very edge over it.
    found_n = measured[np.minimum(row_n, height - 1), np.minimum(column_n, width - 1)]
    return np.where(np.isfinite(found_n) & (found_n > 0), found_n, np.nan)


def _spacing(points_n3: Array) -> float:
    """Usual distance of a point from its nearest neighbour at another place, metres."""
    some = points_n3[:: max(1, len(points_n3) // _SPACING_SAMPLES)]
    found = KDTree(points_n3).query(some, k=2)[0][:, 1]
    apart = found[np.isfinite(found) & (found > 0)]
    return float(np.median(apart)) if len(apart) else 0.0


def _nearest(u_n: Array, v_n: Array, z_n: Array, frame: Frame, spacing: float) -> Array:
    """(n,) depth of the nearest point whose splat covers a point's pixel.

    Splats are the cells of grids of 1, 2, 4, ... pixels: each point goes into the grid whose
    cells are as large as its splat, and looks into all of them.
    """
    camera = frame.intrinsics
    splat_n = np.maximum(_SPLAT * spacing * max(camera.fx, camera.fy) / z_n, 1.0)
    level_n = np.minimum(np.ceil(np.log2(splat_n)).astype(np.intp), _COARSEST)
    column_n, row_n = u_n.astype(np.intp), v_n.astype(np.intp)
    nearest_n = np.full(len(z_n), np.inf)
    for level in np.unique(level_n).tolist():
        columns = math.ceil(camera.width / 2**level)
        cell_n = (row_n >> level) * columns + (column_n >> level)
        grid = np.full(columns * math.ceil(camera.height / 2**level), np.inf)
        mine_n = level_n == level
        np.minimum.at(grid, cell_n[mine_n], z_n[mine_n])
        np.minimum(nearest_n, grid[cell_n], out=nearest_n)
    return nearest_n


def _distinct(pixel_n: NDArray[np.intp], bounds: NDArray[np.intp], frame: Frame) -> list[int]:
    """Number of different pixels among those of each object, given one object after the other."""
    # Each point signs its pixel; who finds its own name there was the object's last in it.
    signed = np.empty(frame.intrinsics.width * frame.intrinsics.height, dtype=np.int32)
    names = np.arange(len(pixel_n), dtype=np.int32)
    counts = []
    for start, end in pairwise(bounds.tolist()):
        mine = pixel_n[start:end]
        signed[mine] = names[start:end]
        counts.append(int(np.count_nonzero(signed[mine] == names[start:end])))
    return counts
