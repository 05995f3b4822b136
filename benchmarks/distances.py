"""Distances between boxes: exact ones against dense samples, as VSI-Bench's scripts take them.

Run with `python -m benchmarks distances`. The boxes are the furniture of procedural rooms, as it
stands and tilted at random. The peer fills both boxes of a pair with points 5 cm apart, but for
their inner halves, and looks for the nearest two with a k-d tree. A second figure for it is with
points and trees kept for each box. The errors of both are against bounded least squares over one
point in each box, solved by active sets (scipy's BVLS).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from itertools import combinations
from statistics import median

import numpy as np
from scipy.optimize import lsq_linear
from scipy.spatial import KDTree
from scipy.spatial.transform import Rotation

from harness.geometry import closest_distances
from harness.scene import Array, Box
from harness_plugins.scenes.procedural import build
from harness_plugins.scenes.settings import ProceduralSettings

from .result import Result

SPACING = 0.05
Room = tuple[Box, ...]


def rooms(count: int) -> list[Room]:
    source = build(ProceduralSettings(scenes=count, min_objects=15, max_objects=25))
    return [tuple(o.box for o in source.load(scene).objects) for scene in source.scene_ids()]


def tilted(room: Room, rng: np.random.Generator) -> Room:
    turns = Rotation.random(len(room), rng=rng).as_matrix()
    return tuple(
        Box(box.centre, box.size, tuple(turn.ravel().tolist()))
        for box, turn in zip(room, turns, strict=True)
    )


def sampled(box: Box) -> Array:
    """(n, 3) points of a grid in the box, its inner half left out."""
    ticks = [np.linspace(-side / 2, side / 2, math.ceil(side / SPACING)) for side in box.size]
    grid = np.stack(np.meshgrid(*ticks, indexing="ij"), axis=-1).reshape(-1, 3)
    grid = grid[(np.abs(grid) > np.asarray(box.size) / 4).any(axis=1)]
    return np.asarray(grid @ box.rotation + np.asarray(box.centre))


def by_samples(a: Box, b: Box) -> float:
    return float(KDTree(sampled(b)).query(sampled(a))[0].min())


def by_least_squares(a: Box, b: Box) -> float:
    directions = np.hstack([a.rotation.T, -b.rotation.T])
    offset = np.subtract(b.centre, a.centre)
    half = np.concatenate([a.size, b.size]) / 2
    found = lsq_linear(directions, offset, bounds=(-half, half), tol=1e-14, method="bvls")
    return float(np.linalg.norm(directions @ found.x - offset))


def all_by_samples(room: Room) -> list[float]:
    return [by_samples(a, b) for a, b in combinations(room, 2)]


def all_by_kept_samples(room: Room) -> list[float]:
    points = [sampled(box) for box in room]
    trees = [KDTree(some) for some in points]
    pairs = combinations(range(len(room)), 2)
    return [float(trees[b].query(points[a])[0].min()) for a, b in pairs]


def all_exact(room: Room) -> list[float]:
    # The function remembers the last rooms; what it wraps does not.
    found = closest_distances.__wrapped__(room)
    return [float(distance) for distance in found[np.triu_indices(len(room), 1)]]


def timed(work: Callable[[Room], list[float]], chosen: list[Room]) -> tuple[float, Array]:
    """Microseconds a pair, the median over the rooms of the best of three, and the distances."""
    taken, found = [], []
    for room in chosen:
        seconds = []
        for _ in range(3):
            begun = time.perf_counter()
            distances = work(room)
            seconds.append(time.perf_counter() - begun)
        taken.append(min(seconds) / len(distances) * 1e6)
        found += distances
    return median(taken), np.array(found)


def compared(chosen: list[Room], how: str) -> list[Result]:
    ours, exact = timed(all_exact, chosen)
    peer, dense = timed(all_by_samples, chosen)
    kept, _ = timed(all_by_kept_samples, chosen)
    true = np.array([by_least_squares(*pair) for room in chosen for pair in combinations(room, 2)])
    pairs = f"{len(true):,} pairs of {how} boxes"
    return [
        Result("distances", f"{pairs}, samples for each pair", "us/pair", ours, peer),
        Result("distances", f"{pairs}, samples kept", "us/pair", ours, kept),
        Result("distances", f"{pairs}, largest error", "m", float(np.abs(exact - true).max())),
        Result("distances", f"{pairs}, that of samples", "m", float(np.abs(dense - true).max())),
    ]


def main(*, quick: bool) -> list[Result]:
    standing = rooms(1 if quick else 6)
    rng = np.random.default_rng(0)
    results = compared(standing, "upright")
    results += compared([tilted(room, rng) for room in standing], "tilted")
    for row in results:
        peer = f"{row.peer:>10,.0f} {row.unit}{row.ratio:>8,.0f}x" if row.peer else f" {row.unit}"
        print(f"{row.what:<54}{row.ours:>10.3g}{peer}")
    return results
