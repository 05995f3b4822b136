"""Distances, angles and areas: what answers are made of. Metres, degrees, z up.

Shapes: n boxes, p pairs of boxes, m points; 3 coordinates, 8 corners, 12 edges.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import KDTree

from harness.errors import SceneError
from harness.scene import Array, Box

# Edges as pairs of corners, in the order of `Box.corners`: 4 along each of the box's axes.
_START_12 = np.array([0, 1, 2, 3, 0, 1, 4, 5, 0, 2, 4, 6])
_END_12 = np.array([4, 5, 6, 7, 2, 3, 6, 7, 1, 3, 5, 7])
# A smaller tilt moves no point of a room-sized box by more than a nanometre.
_UPRIGHT_TOLERANCE = 1e-9
# Edges closer to parallel than this (radians) add no axis that could tell two boxes apart.
_PARALLEL = 1e-8
# Pairs whose bounds differ by less than this (metres) are not refined: exact to 1e-6 is promised.
_BOUND_GAP = 1e-7
_PAIRS_AT_A_TIME = 512

# VSI-Bench's generator (VLM-3R's scripts, recomputed on 151 released answers).
SAMPLE_SPACING = 0.05
_MOST_SAMPLES = 20_000_000


def closest_distance(a: Box, b: Box) -> float:
    """Smallest distance between two boxes, metres; 0 if they touch or overlap.

    Exact to 1e-6 m.
    """
    return float(closest_distances((a, b))[0, 1])


@lru_cache(maxsize=16)
def closest_distances(boxes: tuple[Box, ...]) -> Array:
    """(n, n) closest distances of all pairs of boxes, metres, as `closest_distance`.

    Read-only, and kept for the last few scenes: several question families ask for the same.
    """
    distances = np.zeros((len(boxes), len(boxes)))
    first, second = np.triu_indices(len(boxes), 1)
    if len(first):
        centre_n3 = np.array([box.centre for box in boxes])
        half_n3 = np.array([box.size for box in boxes]) / 2
        axes_n33 = np.array([box.rotation for box in boxes])
        found_p = np.empty(len(first))
        upright_n = (np.abs(axes_n33[:, :, 2]) <= _UPRIGHT_TOLERANCE).sum(axis=1) == 2
        flat_p = upright_n[first] & upright_n[second]
        if flat_p.any():
            found_p[flat_p] = _upright(centre_n3, half_n3, axes_n33, first[flat_p], second[flat_p])
        tilted = np.flatnonzero(~flat_p)
        for start in range(0, len(tilted), _PAIRS_AT_A_TIME):
            part = tilted[start : start + _PAIRS_AT_A_TIME]
            found_p[part] = _tilted(centre_n3, half_n3, axes_n33, first[part], second[part])
        distances[first, second] = found_p
        distances[second, first] = found_p
    distances.flags.writeable = False
    return distances


def overlap(a: Box, b: Box) -> bool:
    """Whether two boxes share volume (touching is no overlap), by separating axes."""
    offset = np.asarray(b.centre) - np.asarray(a.centre)
    crossed = np.cross(a.rotation[:, None], b.rotation[None]).reshape(9, 3)
    lengths = np.linalg.norm(crossed, axis=1)
    kept = lengths > _PARALLEL
    axes = np.concatenate([a.rotation, b.rotation, crossed[kept] / lengths[kept, None]])
    reach = np.abs(axes @ a.rotation.T) @ np.asarray(a.size) / 2
    reach += np.abs(axes @ b.rotation.T) @ np.asarray(b.size) / 2
    return bool((np.abs(axes @ offset) < reach).all())


def centre_distances(points: ArrayLike) -> Array:
    """(n, n) distances between n points given as (n, 3), metres."""
    points_n3 = np.asarray(points, dtype=np.float64).reshape(-1, 3)
    return np.asarray(np.linalg.norm(points_n3[:, None] - points_n3[None], axis=2))


@lru_cache(maxsize=256)
def surface_samples(box: Box, spacing: float = SAMPLE_SPACING) -> Array:
    """(m, 3) points on a grid in the outer part of a box, as VSI-Bench's generator draws them.

    `ceil(extent / spacing)` points an axis from face to face, those of the inner half-box left
    out, turned into the world and cropped to the same box in floating point. The crop loses part
    of the outermost points to rounding; without that the released answers do not come out. So
    rounding is part of the rule: turned as a matrix product with fused multiply-adds, cropped
    without them, and both spelled out here, so that no machine or BLAS changes an answer.
    If none is left, the spacing is halved (VLM-3R's scripts, whose base are VSI-Bench's own).

    Raises:
        SceneError: the box is too large for a grid of that spacing.
    """
    extent = np.asarray(box.size)
    while True:
        counts = [math.ceil(side / spacing) for side in box.size]
        if math.prod(counts) > _MOST_SAMPLES:
            raise SceneError(
                f"a box of {box.size} m needs more than {_MOST_SAMPLES} samples {spacing} m apart; "
                "use exact distances for such scenes"
            )
        ticks = [
            np.linspace(-side / 2, side / 2, n) for side, n in zip(box.size, counts, strict=True)
        ]
        grid_m3 = np.stack(np.meshgrid(*ticks, indexing="ij"), axis=-1).reshape(-1, 3)
        grid_m3 = grid_m3[(np.abs(grid_m3) > extent / 4).any(axis=1)]
        x, y, z = grid_m3.T[:, :, None]
        turned_m3 = _fused(z, box.rotation[2], _fused(y, box.rotation[1], x * box.rotation[0]))
        world_m3 = turned_m3 + np.asarray(box.centre)
        dx, dy, dz = (world_m3 - np.asarray(box.centre)).T[:, :, None]
        back_m3 = dx * box.rotation[:, 0] + dy * box.rotation[:, 1] + dz * box.rotation[:, 2]
        samples_m3: Array = world_m3[(np.abs(back_m3) <= extent / 2).all(axis=1)]
        if len(samples_m3):
            samples_m3.flags.writeable = False
            return samples_m3
        spacing /= 2


def sampled_distance(a: Box, b: Box) -> float:
    """Distance between the samples of two boxes, metres: VSI-Bench's absolute distance.

    0 to about 0.1 m more than `closest_distance`, and never 0 for boxes that overlap.
    """
    near, far = surface_samples(a), surface_samples(b)
    to_b = _outside(near, b)
    found = float(np.linalg.norm(far - near[to_b.argmin()], axis=1).min())
    # Only points this near to the other box can be closer than the pair already found; the
    # nanometre is for rounding.
    near = near[to_b <= found + 1e-9]
    far = far[_outside(far, a) <= found + 1e-9]
    return float(KDTree(far).query(near)[0].min())


def turn_angles(standing: ArrayLike, facing: ArrayLike, queried: ArrayLike) -> Array:
    """(...) degrees in [0, 360) to turn counter-clockwise from `facing` to `queried`.

    Args:
        standing, facing, queried: (..., 2 or more) points; only x and y count, and the
            shapes broadcast.
    """
    origin = np.asarray(standing, dtype=np.float64)[..., :2]
    v = np.asarray(facing, dtype=np.float64)[..., :2] - origin
    w = np.asarray(queried, dtype=np.float64)[..., :2] - origin
    cross = v[..., 0] * w[..., 1] - v[..., 1] * w[..., 0]
    angles = np.degrees(np.arctan2(cross, (v * w).sum(axis=-1))) % 360.0
    # A tiny negative angle comes out of the modulo as 360 itself.
    return np.asarray(np.where(angles >= 360.0, 0.0, angles))


def sectors(angles: ArrayLike, boundaries: Sequence[float]) -> NDArray[np.intp]:
    """(...) index of the sector each angle lies in; sector i starts at boundary i.

    Args:
        angles: degrees in [0, 360).
        boundaries: where sectors start, ascending, the first 0.
    """
    return np.asarray(np.searchsorted(np.asarray(boundaries), angles, side="right") - 1)


def boundary_distances(angles: ArrayLike, boundaries: Sequence[float]) -> Array:
    """(...) degrees from each angle to the nearest boundary, on either side, round the circle."""
    differences = np.abs(np.asarray(angles)[..., None] - np.asarray(boundaries)) % 360.0
    return np.asarray(np.minimum(differences, 360.0 - differences).min(axis=-1))


def polygon_area(outline: Sequence[tuple[float, float]]) -> float:
    """Area inside a simple polygon, square metres; positive if its corners go counter-clockwise."""
    following = (*outline[1:], *outline[:1])
    return sum(x * v - u * y for (x, y), (u, v) in zip(outline, following, strict=True)) / 2


def _outside(points_m3: Array, box: Box) -> Array:
    local_m3 = (points_m3 - np.asarray(box.centre)) @ box.rotation.T
    beyond = np.maximum(np.abs(local_m3) - np.asarray(box.size) / 2, 0.0)
    return np.asarray(np.linalg.norm(beyond, axis=1))


def _fused(a: Array, b: Array, c: Array) -> Array:
    """Give a * b + c rounded once, by error-free transformations (Dekker 1971)."""
    product = a * b
    a_high, b_high = _high(a), _high(b)
    a_low, b_low = a - a_high, b - b_high
    lost = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    total = product + c
    of_c = total - product
    return np.asarray(total + (lost + ((product - (total - of_c)) + (c - of_c))))


def _high(a: Array) -> Array:
    scaled = 134217729.0 * a  # 2 ** 27 + 1
    return np.asarray(scaled - (scaled - a))


def _upright(
    centre_n3: Array,
    half_n3: Array,
    axes_n33: Array,
    first: NDArray[np.intp],
    second: NDArray[np.intp],
) -> Array:
    """(p,) distances of boxes that stand on the floor plane: a plan distance and a height gap.

    A distance in the plane between rectangles is one from a corner of either to the other.
    """
    vertical_n = np.abs(axes_n33[:, :, 2]).argmax(axis=1)
    rows = np.arange(len(axes_n33))
    level_n2 = np.array([[1, 2], [0, 2], [0, 1]])[vertical_n]
    axes_n22 = axes_n33[rows[:, None], level_n2, :2]
    half_n2 = half_n3[rows[:, None], level_n2]
    signs_42 = np.array(list(product((-1.0, 1.0), repeat=2)))
    arms_n42 = (signs_42 * half_n2[:, None]) @ axes_n22

    offset_p2 = centre_n3[second, :2] - centre_n3[first, :2]
    plan_p, apart_p = np.full(len(first), np.inf), np.zeros(len(first), dtype=bool)
    for of, to, offset in ((second, first, offset_p2), (first, second, -offset_p2)):
        local_p42 = (arms_n42[of] + offset[:, None]) @ axes_n22[to].transpose(0, 2, 1)
        nearest, separated = _from_corners(local_p42, half_n2[to])
        plan_p, apart_p = np.minimum(plan_p, nearest), apart_p | (separated > 0)
    plan_p[~apart_p] = 0.0
    height_n = half_n3[rows, vertical_n]
    gap_p = np.abs(centre_n3[first, 2] - centre_n3[second, 2]) - height_n[first] - height_n[second]
    return np.asarray(np.hypot(plan_p, np.maximum(gap_p, 0.0)))


def _from_corners(local: Array, half: Array) -> tuple[Array, Array]:
    """(p,) distance of the nearest of (p, corners, axes) points to boxes at the origin, and
    (p,) the widest gap along an axis of those boxes (negative: none tells them apart).
    """
    beyond = np.maximum(np.abs(local) - half[:, None], 0.0)
    nearest = np.sqrt((beyond**2).sum(axis=2).min(axis=1))
    gaps = np.maximum(local.min(axis=1) - half, -half - local.max(axis=1))
    return nearest, gaps.max(axis=1)


def _tilted(
    centre_n3: Array,
    half_n3: Array,
    axes_n33: Array,
    first: NDArray[np.intp],
    second: NDArray[np.intp],
) -> Array:
    """(p,) distances of any boxes.

    Closest points of two convex bodies are a corner and any point, or two edges. Corners give an
    upper bound, separating axes a lower one; edges are looked at where the two differ.
    """
    signs_83 = np.array(list(product((-1.0, 1.0), repeat=3)))
    arms_n83 = (signs_83 * half_n3[:, None]) @ axes_n33
    offset_p3 = centre_n3[second] - centre_n3[first]
    upper_p, lower_p = np.full(len(first), np.inf), np.full(len(first), -np.inf)
    for of, to, offset in ((second, first, offset_p3), (first, second, -offset_p3)):
        local_p83 = (arms_n83[of] + offset[:, None]) @ axes_n33[to].transpose(0, 2, 1)
        nearest, gap = _from_corners(local_p83, half_n3[to])
        upper_p, lower_p = np.minimum(upper_p, nearest), np.maximum(lower_p, gap)

    cross_p93 = np.cross(axes_n33[first][:, :, None], axes_n33[second][:, None]).reshape(-1, 9, 3)
    length_p9 = np.linalg.norm(cross_p93, axis=2)
    cross_p93 /= np.maximum(length_p9, _PARALLEL)[..., None]
    reach_p9 = np.zeros_like(length_p9)
    for side in (first, second):
        shares = np.abs(cross_p93 @ axes_n33[side].transpose(0, 2, 1))
        reach_p9 += (shares @ half_n3[side][:, :, None])[..., 0]
    gap_p9 = np.abs((cross_p93 @ offset_p3[:, :, None])[..., 0]) - reach_p9
    gap_p9[length_p9 <= _PARALLEL] = -np.inf
    lower_p = np.maximum(lower_p, gap_p9.max(axis=1))

    found_p = np.where(lower_p > 0, upper_p, 0.0)
    refine = np.flatnonzero((lower_p > 0) & (upper_p - lower_p > _BOUND_GAP))
    if len(refine):
        a_q83 = arms_n83[first[refine]]
        b_q83 = arms_n83[second[refine]] + offset_p3[refine][:, None]
        found_p[refine] = np.minimum(found_p[refine], _between_edges(a_q83, b_q83))
    return np.asarray(found_p)


def _between_edges(a_q83: Array, b_q83: Array) -> Array:
    """(q,) smallest distance between an edge of one box and an edge of the other.

    The closest points of two segments, as in Ericson, Real-Time Collision Detection, 5.1.9.
    Parallel edges need no care: a corner is then as close as anything. Products of vectors are
    taken edge by edge, not for each of the 144 pairs of edges; but the gap, which may be small
    against them, is added up by coordinates.
    """
    start_a, start_b = a_q83[:, _START_12], b_q83[:, _START_12]
    along_a, along_b = a_q83[:, _END_12] - start_a, b_q83[:, _END_12] - start_b
    a = (along_a**2).sum(axis=2)[:, :, None]
    e = (along_b**2).sum(axis=2)[:, None]
    to_b = along_b.transpose(0, 2, 1)
    b = along_a @ to_b
    c = (along_a * start_a).sum(axis=2)[:, :, None] - along_a @ start_b.transpose(0, 2, 1)
    f = start_a @ to_b - (along_b * start_b).sum(axis=2)[:, None]
    skew = np.maximum(a * e - b * b, 1e-300)
    s = np.clip((b * f - c * e) / skew, 0.0, 1.0)
    t = np.clip((b * s + f) / e, 0.0, 1.0)
    s = np.clip((b * t - c) / a, 0.0, 1.0)
    squared = np.zeros_like(s)
    for axis in range(3):
        gap = start_a[:, :, None, axis] + s * along_a[:, :, None, axis]
        gap -= start_b[:, None, :, axis] + t * along_b[:, None, :, axis]
        squared += gap**2
    return np.asarray(np.sqrt(squared.min(axis=(1, 2))))
