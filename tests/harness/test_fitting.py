"""Boxes around points, against a search over hull edges and angles, and against shapely."""

import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from harness.errors import SceneError
from harness.fitting import THINNEST, aligned_box, upright_box
from harness.scene import Box

EXAMPLES = settings(derandomize=True, max_examples=100, deadline=None)

# Whole decimetres bring points on one line, on one place and several equally small boxes.
round_metres = st.integers(-20, 20).map(lambda tenths: tenths / 10)
metres = st.floats(-5, 5, allow_nan=False, width=32)
clouds = st.one_of(
    arrays(np.float64, st.tuples(st.integers(1, 30), st.just(3)), elements=metres),
    arrays(np.float64, st.tuples(st.integers(1, 30), st.just(3)), elements=round_metres),
)
angles = st.floats(-math.pi, math.pi, allow_nan=False)
offsets = st.tuples(*[st.floats(-1e4, 1e4, allow_nan=False)] * 3)


def base_area(box: Box) -> float:
    return box.size[0] * box.size[1]


def beyond(box: Box, points) -> float:
    """How far the farthest point lies outside the box, metres."""
    local = (np.asarray(points) - box.centre) @ box.rotation.T
    return float((np.abs(local) - np.asarray(box.size) / 2).max())


def areas_along(points, directions):
    """Areas of the rectangles around points seen from above, thin sides as wide as in a box."""
    points = np.asarray(points)[:, :2]
    normals = np.stack([-directions[:, 1], directions[:, 0]], axis=1)
    sides = [
        np.maximum(np.ptp(points @ some.T, axis=0), THINNEST) for some in (directions, normals)
    ]
    return sides[0] * sides[1]


def least_area_by_hull_edges(points) -> float:
    hull = shapely.MultiPoint(np.asarray(points)[:, :2]).convex_hull
    steps = np.diff(shapely.get_coordinates(hull), axis=0)
    steps = steps[np.hypot(*steps.T) > 0]
    if not len(steps):
        return THINNEST**2
    return float(areas_along(points, steps / np.hypot(*steps.T)[:, None]).min())


def least_area_by_angles(points, count: int = 2000) -> float:
    turned = np.linspace(0, math.pi / 2, count, endpoint=False)
    return float(areas_along(points, np.stack([np.cos(turned), np.sin(turned)], axis=1)).min())


def turned(points, yaw: float):
    c, s = math.cos(yaw), math.sin(yaw)
    return np.asarray(points) @ np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]])


@EXAMPLES
@given(clouds)
def test_its_base_is_as_small_as_the_best_of_all_hull_edges(points):
    assert base_area(upright_box(points)) == pytest.approx(
        least_area_by_hull_edges(points), abs=1e-9
    )


@EXAMPLES
@given(clouds)
def test_no_other_direction_has_a_smaller_base(points):
    box = upright_box(points)
    if min(box.size[:2]) > THINNEST:
        assert base_area(box) <= least_area_by_angles(points) + 1e-9


@EXAMPLES
@given(clouds)
def test_its_base_is_shapelys_minimum_rotated_rectangle(points):
    box = upright_box(points)
    if min(box.size[:2]) > THINNEST:
        rectangle = shapely.minimum_rotated_rectangle(shapely.MultiPoint(points[:, :2]))
        assert base_area(box) == pytest.approx(rectangle.area, abs=1e-9)


@EXAMPLES
@given(clouds)
def test_they_hold_all_points_and_touch_them_from_below_and_above(points):
    height = max(np.ptp(points[:, 2]), THINNEST)
    for fit in (upright_box, aligned_box):
        box = fit(points)
        assert beyond(box, points) <= 1e-12
        assert box.size[2] == pytest.approx(height, abs=1e-12)
        assert min(box.size) >= THINNEST


@EXAMPLES
@given(clouds)
def test_its_axes_are_a_right_handed_frame_with_z_up_and_turned_least(points):
    rows = upright_box(points).rotation
    np.testing.assert_allclose(rows @ rows.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(rows) == pytest.approx(1)
    assert rows[2].tolist() == [0, 0, 1]
    assert rows[:2, 2].tolist() == [0, 0]
    assert rows[0, 0] >= abs(rows[0, 1])


@EXAMPLES
@given(clouds, angles, offsets)
def test_turning_and_moving_the_points_turns_and_moves_the_box(points, yaw, offset):
    box, moved = upright_box(points), upright_box(turned(points, yaw) + offset)
    # Of equally small rectangles another may be taken; their area is the same.
    if min(*box.size, *moved.size) > THINNEST:
        assert base_area(moved) == pytest.approx(base_area(box), abs=1e-7)
    assert beyond(moved, turned(points, yaw) + offset) <= 1e-9


@EXAMPLES
@given(st.floats(0.2, 4), st.floats(0.2, 4), st.floats(0.2, 3), angles, offsets, st.randoms())
def test_it_finds_a_box_again_from_its_corners_and_points_within(x, y, z, yaw, offset, random):
    box = Box.upright(offset, (x, y, z), yaw)
    within = np.array([[random.uniform(-0.5, 0.5) for _ in range(3)] for _ in range(20)])
    points = np.concatenate([box.corners, offset + (within * box.size) @ box.rotation])
    random.shuffle(order := list(range(len(points))))
    found = upright_box(points[order])
    np.testing.assert_allclose(found.centre, box.centre, atol=1e-9)
    assert sorted(found.size) == pytest.approx(sorted(box.size), abs=1e-9)
    farthest = np.abs(found.corners[:, None] - box.corners).max(axis=2).min(axis=1).max()
    assert farthest <= 1e-8


def test_the_order_of_points_and_their_repetition_do_not_matter():
    points = np.random.default_rng(0).normal(size=(500, 3))
    assert upright_box(np.repeat(points[::-1], 3, axis=0)) == upright_box(points)


@pytest.mark.parametrize("fit", [upright_box, aligned_box])
def test_one_point_gets_the_smallest_box(fit):
    assert fit([[1.0, 2.0, 3.0]]) == Box((1, 2, 3), (THINNEST,) * 3)
    assert fit([[1.0, 2.0, 3.0]] * 5) == Box((1, 2, 3), (THINNEST,) * 3)


def test_points_on_a_line_get_a_box_along_it():
    along = np.linspace(-1, 1, 9)[:, None] * [3.0, 4.0, 0.0]
    box = upright_box(along + np.array([7, 8, 9]))
    np.testing.assert_allclose(box.centre, (7, 8, 9), atol=1e-12)
    # 53 degrees from +x: the long side is the second one.
    np.testing.assert_allclose(box.size, (THINNEST, 10, THINNEST), atol=1e-12)
    np.testing.assert_allclose(box.rotation[0], (0.8, -0.6, 0), atol=1e-12)


def test_an_upright_line_has_no_direction():
    assert upright_box([[0, 0, 0], [0, 0, 2], [0, 0, 1]]) == Box((0, 0, 1), (THINNEST, THINNEST, 2))


def test_a_flat_picture_on_a_wall_is_a_millimetre_thick():
    u, v = np.mgrid[0:5, 0:4]
    wall = np.stack([u.ravel() * 0.3, u.ravel() * 0.4, v.ravel() * 0.5], axis=1)
    box = upright_box(wall)
    np.testing.assert_allclose(sorted(box.size), (THINNEST, 1.5, 2.0), atol=1e-12)


def test_a_square_of_points_keeps_the_worlds_axes():
    corners = [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 1]]
    assert upright_box(corners) == Box((0.5, 0.5, 0.5), (1, 1, 1))


def test_points_in_a_maps_grid_lose_no_precision():
    points = np.random.default_rng(1).uniform(-2, 2, (400, 3))
    far = np.array([500_000.0, 5_400_000.0, 300.0])
    box, moved = upright_box(points), upright_box(points + far)
    np.testing.assert_allclose(moved.size, box.size, atol=1e-8)
    np.testing.assert_allclose(np.subtract(moved.centre, far), box.centre, atol=1e-8)


def test_a_circle_of_many_points_is_fitted_exactly():
    around = np.random.default_rng(2).uniform(0, 2 * np.pi, 3000)
    points = np.stack([np.cos(around), np.sin(around), around], axis=1)
    assert base_area(upright_box(points)) == pytest.approx(
        least_area_by_hull_edges(points), abs=1e-9
    )


def test_single_precision_and_integers_are_points_too():
    corners = Box((1, 2, 3), (2, 4, 6)).corners
    assert upright_box(corners.astype(np.float32)) == Box((1, 2, 3), (2, 4, 6))
    assert aligned_box(corners.astype(int)) == Box((1, 2, 3), (2, 4, 6))


@pytest.mark.parametrize("fit", [upright_box, aligned_box])
@pytest.mark.parametrize(
    ("points", "message"),
    [
        (np.empty((0, 3)), "there are no points to put a box around"),
        ([[0, 0, 0], [np.nan, 0, 1], [0, np.inf, 0]], "2 of 3 points are not finite or beyond"),
        ([[0, 0, 0], [1e30, 0, 1]], r"1 of 2 points are .*, the first \[1e\+30, 0.0, 1.0\]"),
        (np.zeros((4, 2)), r"points have the shape \(4, 2\), expected \(n, 3\)"),
    ],
)
def test_no_points_or_no_numbers_are_an_error(fit, points, message):
    with pytest.raises(SceneError, match=f"{fit.__name__}: .*{message}|{fit.__name__}: {message}"):
        fit(points)
