"""Floors of rooms, against a polygonizer in shapely, rolling discs on a raster, and known areas."""

from __future__ import annotations

import math
import subprocess
import sys
import time
from itertools import combinations

import numpy as np
import pytest
import shapely
import shapely.affinity
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import distance_transform_edt
from scipy.spatial import Delaunay, KDTree, QhullError

from harness.alpha_shape import RoomFloor, room_centre, room_floor
from harness.errors import SceneError
from harness.geometry import polygon_area

EXAMPLES = settings(derandomize=True, max_examples=60, deadline=None)


def points_in(shape: shapely.Geometry, count: int, seed: int = 0):
    """(count, 3) points, evenly at random in the shape, at any height."""
    rng = np.random.default_rng(seed)
    x0, y0, x1, y1 = shape.bounds
    tries = rng.uniform((x0, y0, 0), (x1, y1, 2.5), (6 * count, 3))
    found = tries[shapely.contains_xy(shape, tries[:, :2])][:count]
    assert len(found) == count
    return found


RECTANGLE = shapely.box(-2, 1, 3, 5)
ELL = shapely.Polygon([(0, 0), (6, 0), (6, 2.5), (3, 2.5), (3, 5), (0, 5)])
RING = shapely.Point(0, 0).buffer(2, 256) - shapely.Point(0, 0).buffer(1, 256)
TWO_ROOMS = shapely.box(0, 0, 4, 3) | shapely.box(5, 0, 7, 2)


def drawn(points, samples: int, seed: int):
    """The points that the floor is made of."""
    return points[np.random.default_rng(seed).integers(len(points), size=samples)]


def by_polygonizing(plan, alpha: float) -> tuple[float, float]:
    """(unfilled, filled) area: edges of an odd number of small triangles, made into polygons."""
    try:
        simplices = Delaunay(plan).simplices
    except QhullError:
        return 0.0, 0.0
    kept, border = [], set()
    for simplex in simplices.tolist():
        a, b, c = plan[simplex]
        try:
            centre = np.linalg.solve(2 * np.array([b - a, c - a]), [b @ b - a @ a, c @ c - a @ a])
        except np.linalg.LinAlgError:
            continue
        if np.linalg.norm(centre - a) < 1 / alpha:
            kept.append(shapely.Polygon([a, b, c]))
            border ^= {frozenset(edge) for edge in combinations(simplex, 2)}
    lines = [shapely.LineString(plan[list(edge)]) for edge in border]
    filled = shapely.unary_union(shapely.get_parts(shapely.polygonize(lines)))
    return sum(one.area for one in kept), filled.area


def by_rolling_discs(plan, alpha: float, step: float = 0.02) -> float:
    """Area that no disc of radius 1/alpha reaches without a point in it, holes filled or not."""
    low, high = plan.min(axis=0) - 2 / alpha, plan.max(axis=0) + 2 / alpha
    grid = np.stack(np.meshgrid(*map(np.arange, low, high, (step, step))), axis=-1)
    empty = KDTree(plan).query(grid)[0] >= 1 / alpha
    return float((distance_transform_edt(~empty) * step >= 1 / alpha).sum() * step**2)


@EXAMPLES
@given(
    st.integers(1, 400),
    st.sampled_from([0.5, 1.0, 2.0, 3.0, 5.0]),
    st.sampled_from([None, 0.1, 0.5]),
    st.integers(0, 2**32 - 1),
)
def test_areas_are_those_of_polygons_of_small_triangles(count, alpha, raster, seed):
    points = np.random.default_rng(seed).uniform(-2, 2, (count, 3)) * [1, 0.7, 1]
    if raster:  # many points on one circle, on one line and on one place
        points = np.round(points / raster) * raster + [0.003, 0.001, 0] * np.sin(points[:, :1])
    plan = np.unique(drawn(points, 500, seed)[:, :2], axis=0)
    unfilled, filled = by_polygonizing(plan, alpha)
    found = {
        fill: room_floor(points, alpha=alpha, samples=500, seed=seed, fill_holes=fill)
        for fill in (False, True)
    }
    assert found[False].area == pytest.approx(unfilled, abs=1e-9)
    assert found[True].area == pytest.approx(filled, abs=1e-9)
    assert found[True].outline == found[False].outline
    assert bool(found[True].outline) == (filled > 0)


@pytest.mark.parametrize("shape", [RECTANGLE, ELL, RING, TWO_ROOMS])
def test_unfilled_areas_are_what_rolling_discs_leave(shape):
    points = points_in(shape, 8000)
    found = room_floor(points, fill_holes=False).area
    rolled = by_rolling_discs(drawn(points, 10_000, 0)[:, :2], 5.0)
    assert found == pytest.approx(rolled, rel=0.015)


@pytest.mark.parametrize(
    ("shape", "filled"),
    [
        (RECTANGLE, 20.0),
        (ELL, 22.5),
        (TWO_ROOMS, 16.0),
        (RING, math.pi * 4),
    ],
)
def test_areas_of_known_shapes(shape, filled):
    found = room_floor(points_in(shape, 30_000))
    # A ragged edge of samples that lie 4 cm apart.
    assert filled - 0.025 * shape.length < found.area < filled


def test_a_ring_as_measured_with_the_generators_own_package():
    """alphashape 1.3.1: 12.45 with its hole filled; its triangles alone: 9.26."""
    points = points_in(RING, 100_000)
    filled = [room_floor(points, seed=seed).area for seed in range(5)]
    alone = [room_floor(points, seed=seed, fill_holes=False).area for seed in range(5)]
    assert np.mean(filled) == pytest.approx(12.45, abs=0.02)
    assert np.mean(alone) == pytest.approx(9.26, abs=0.03)


@pytest.mark.parametrize("shape", [RECTANGLE, ELL, RING, TWO_ROOMS])
def test_the_outline_goes_round_the_largest_part_counter_clockwise(shape):
    outline = room_floor(points_in(shape, 30_000)).outline
    polygon = shapely.Polygon(outline)
    largest = shapely.Polygon(max(shapely.get_parts(shape), key=lambda part: part.area).exterior)
    assert polygon.is_valid
    assert polygon_area(outline) > 0
    assert len(set(outline)) == len(outline)
    assert polygon.exterior.hausdorff_distance(largest.exterior) < 0.2
    assert polygon.area == pytest.approx(largest.area, rel=0.05)


def test_the_outline_of_a_plain_room_has_few_corners():
    assert len(room_floor(points_in(RECTANGLE, 50_000)).outline) <= 8
    assert len(room_floor(points_in(ELL, 50_000)).outline) <= 12
    hall = shapely.affinity.scale(ELL, 4, 4)
    assert len(room_floor(points_in(hall, 50_000), alpha=2.0).outline) <= 24


def test_parts_that_touch_in_one_corner_are_two():
    def wedge(side: int):
        steps = np.array([[i, j] for i in range(side + 1) for j in range(side + 1 - i)]) * 0.1
        return steps @ np.array([[math.sqrt(0.75), 0.5], [math.sqrt(0.75), -0.5]])

    plan = np.concatenate([wedge(20), -wedge(10)])
    points = np.concatenate([plan, np.zeros((len(plan), 1))], axis=1)
    # A triangle of neighbours has the circumradius 0.058, one across the corner 0.1.
    found = room_floor(points, alpha=12.5)
    assert found.area == pytest.approx(math.sqrt(3) / 4 * (4 + 1), abs=1e-9)
    assert polygon_area(found.outline) == pytest.approx(math.sqrt(3) / 4 * 4, abs=1e-9)
    assert len(found.outline) <= 4


@EXAMPLES
@given(st.floats(-math.pi, math.pi), st.tuples(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4)))
def test_turning_and_moving_a_room_does_not_change_its_area(yaw, offset):
    points = points_in(ELL, 1500)
    c, s = math.cos(yaw), math.sin(yaw)
    moved = points @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]]) + [*offset, 5.0]
    assert room_floor(moved).area == pytest.approx(room_floor(points).area, abs=1e-6)


def test_heights_do_not_matter():
    points = points_in(ELL, 5000)
    assert room_floor(points * [1, 1, 0]) == room_floor(points)


def test_the_same_seed_gives_the_same_floor_and_another_one_nearly():
    points = points_in(ELL, 40_000)
    assert room_floor(points) == room_floor(points.copy(), seed=0)
    other = room_floor(points, seed=1)
    assert other != room_floor(points)
    assert other.area == pytest.approx(room_floor(points).area, rel=0.01)


def test_another_process_finds_the_same_floor():
    code = (
        "import numpy as np; from harness.alpha_shape import room_floor; "
        "print(room_floor(np.random.default_rng(5).uniform(0, 4, (20000, 3))))"
    )
    outputs = {
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout
        for _ in range(2)
    }
    here = room_floor(np.random.default_rng(5).uniform(0, 4, (20_000, 3)))
    assert outputs == {f"{here}\n".encode()}


@pytest.mark.parametrize(
    "points",
    [
        np.empty((0, 3)),
        [[1.0, 2.0, 3.0]],
        [[0, 0, 0], [1, 0, 0]] * 5,
        np.linspace(0, 1, 50)[:, None] * [3.0, 1.0, 2.0],
        np.arange(60).reshape(20, 3) % 7 * 1.0,  # a metre apart and more
    ],
)
def test_points_that_cover_no_floor_have_none(points):
    assert room_floor(points) == RoomFloor(0.0, ())


@EXAMPLES
@given(st.integers(0, 2**32 - 1), st.integers(-18, -3), st.sampled_from([0.0, 5e6]))
def test_points_nearly_on_a_line_have_next_to_no_floor(seed, exponent, offset):
    rng = np.random.default_rng(seed)
    along = rng.uniform(-1, 1, (30, 1))
    points = along * [1.0, rng.normal(), 0.0] + rng.normal(size=(30, 3)) * 10.0**exponent + offset
    found = room_floor(points, samples=50)
    assert 0 <= found.area < 20 * 10.0**exponent + 1e-7
    if found.outline:
        assert shapely.Polygon(found.outline).is_valid


def test_ten_thousand_points_take_a_moment():
    points = points_in(ELL, 10_000)
    taken = []
    for _ in range(3):
        begun = time.process_time()
        room_floor(points)
        taken.append(time.process_time() - begun)
    assert min(taken) < 0.5  # usually 0.02


def test_the_rooms_centre_is_that_of_its_smallest_upright_box():
    c, s = math.cos(0.4), math.sin(0.4)
    corners = np.array([[x, y, z] for x in (0, 6) for y in (0, 4) for z in (-1, 2)])
    inner = np.random.default_rng(0).uniform((0, 0, -1), (6, 4, 2), (300, 3))
    turned = np.concatenate([corners, inner]) @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])
    expected = np.array([3, 2, 0.5]) @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])
    np.testing.assert_allclose(room_centre(turned), expected, atol=1e-12)


@pytest.mark.parametrize(
    ("points", "changed", "message"),
    [
        ([[0, 0, math.nan]], {}, "1 of 1 points are not finite"),
        ([[0, 0]], {}, r"the shape \(1, 2\), expected \(n, 3\)"),
        ([[0, 0, 0]], {"alpha": 0.0}, "alpha and samples must be positive, found 0.0 and 10000"),
        ([[0, 0, 0]], {"samples": 0}, "alpha and samples must be positive, found 5.0 and 0"),
    ],
)
def test_no_numbers_and_no_samples_are_errors(points, changed, message):
    with pytest.raises(SceneError, match=f"room_floor: .*{message}"):
        room_floor(points, **changed)
