"""Distances, angles and areas, against least squares, shapely and known values."""

import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import lsq_linear
from scipy.spatial.transform import Rotation

from harness.errors import SceneError
from harness.geometry import (
    boundary_distances,
    centre_distances,
    closest_distance,
    closest_distances,
    overlap,
    polygon_area,
    sampled_distance,
    sectors,
    surface_samples,
    turn_angles,
)
from harness.scene import Box

EXAMPLES = settings(derandomize=True, max_examples=60, deadline=None)

coordinates = st.floats(-3, 3, allow_nan=False)
sides = st.floats(0.02, 2, allow_nan=False)
degrees = st.floats(-180, 180, allow_nan=False)
# Right angles and diagonals are where a closest feature is not unique.
round_degrees = st.sampled_from([0.0, 45.0, 90.0, 135.0, 180.0])


def turned(centre, size, angles) -> Box:
    rows = Rotation.from_euler("xyz", angles, degrees=True).as_matrix().T
    return Box(tuple(centre), tuple(size), tuple(rows.ravel()))


def boxes(angles) -> st.SearchStrategy[Box]:
    return st.builds(
        turned,
        st.tuples(coordinates, coordinates, coordinates),
        st.tuples(sides, sides, sides),
        st.tuples(angles, angles, angles),
    )


upright_boxes = st.builds(
    Box.upright,
    st.tuples(coordinates, coordinates, coordinates),
    st.tuples(sides, sides, sides),
    st.floats(-4, 4, allow_nan=False),
)
any_box = st.one_of(boxes(degrees), boxes(round_degrees), upright_boxes)


def by_least_squares(a: Box, b: Box) -> float:
    """The same distance as a bounded least-squares problem over one point in each box."""
    directions = np.hstack([a.rotation.T, -b.rotation.T])
    offset = np.subtract(b.centre, a.centre)
    half = np.concatenate([a.size, b.size]) / 2
    found = lsq_linear(directions, offset, bounds=(-half, half), tol=1e-14, method="bvls")
    return float(np.linalg.norm(directions @ found.x - offset))


def footprint(box: Box) -> shapely.Polygon:
    return shapely.Polygon(box.corners[box.corners[:, 2] < box.centre[2]][:, :2]).convex_hull


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (Box((3, 0, 0), (1, 1, 1)), 2.0),
        (Box((3, 3, 0), (1, 1, 1)), math.hypot(2, 2)),
        (Box((3, 3, 3), (1, 1, 1)), math.sqrt(12)),
        (Box((0, 0, -4), (9, 9, 1)), 3.0),
        (Box((1, 0, 0), (1, 1, 1)), 0.0),
        (Box((0.2, 0, 0), (0.1, 0.1, 0.1)), 0.0),
        (Box((0.9, 0, 0), (1, 1, 1)), 0.0),
        # An edge of one crosses an edge of the other, sqrt(2) / 2 from each centre.
        (turned((3, 0, 0), (1, 1, 1), (0, 45, 0)), 2.5 - math.sqrt(0.5)),
    ],
)
def test_closest_distance_of_known_boxes(other, expected):
    assert closest_distance(Box((0, 0, 0), (1, 1, 1)), other) == pytest.approx(expected, abs=1e-9)


def test_closest_distance_between_two_crossing_edges():
    low = turned((0, 0, 0), (1, 1, 1), (45, 0, 0))
    high = turned((0.1, 0.1, 3), (1, 1, 1), (0, 45, 0))
    assert closest_distance(low, high) == pytest.approx(3 - 2 * math.sqrt(0.5), abs=1e-9)


@EXAMPLES
@given(any_box, any_box)
def test_closest_distance_is_the_least_squares_distance(a, b):
    assert closest_distance(a, b) == pytest.approx(by_least_squares(a, b), abs=1e-6)


@EXAMPLES
@given(upright_boxes, upright_boxes)
def test_closest_distance_of_upright_boxes_is_a_plan_distance_and_a_height_gap(a, b):
    plan = footprint(a).distance(footprint(b))
    gap = max(0.0, abs(a.centre[2] - b.centre[2]) - (a.size[2] + b.size[2]) / 2)
    assert closest_distance(a, b) == pytest.approx(math.hypot(plan, gap), abs=1e-9)


@EXAMPLES
@given(any_box, any_box, st.tuples(coordinates, coordinates, coordinates), degrees)
def test_closest_distance_does_not_depend_on_order_or_world(a, b, shift, angle):
    turn = Rotation.from_euler("xz", [angle, 2 * angle], degrees=True)

    def moved(box: Box) -> Box:
        centre = turn.apply(box.centre) + shift
        return Box(
            tuple(centre.tolist()), box.size, tuple((box.rotation @ turn.as_matrix().T).ravel())
        )

    expected = closest_distance(a, b)
    assert closest_distance(b, a) == pytest.approx(expected, abs=1e-6)
    assert closest_distance(moved(a), moved(b)) == pytest.approx(expected, abs=1e-6)


@EXAMPLES
@given(any_box, any_box)
def test_boxes_overlap_where_their_distance_is_zero(a, b):
    distance = closest_distance(a, b)
    if distance > 1e-6:
        assert not overlap(a, b)
    if overlap(a, b):
        assert distance == 0.0


def test_touching_boxes_do_not_overlap():
    assert not overlap(Box((0, 0, 0), (1, 1, 1)), Box((1, 0, 0), (1, 1, 1)))
    assert overlap(Box((0, 0, 0), (1, 1, 1)), Box((0.99, 0, 0), (1, 1, 1)))


def test_closest_distances_hold_every_pair_and_are_read_only():
    three = (
        Box((0, 0, 0), (1, 1, 1)),
        Box((2, 0, 0), (1, 1, 1)),
        turned((0, 4, 0), (1, 1, 1), (9, 8, 7)),
    )
    distances = closest_distances(three)
    expected = [[closest_distance(a, b) if a != b else 0.0 for b in three] for a in three]
    assert distances == pytest.approx(np.array(expected), abs=1e-12)
    assert closest_distances(three) is distances
    with pytest.raises(ValueError, match="read-only"):
        distances[0, 1] = 1.0


def test_closest_distances_of_none_and_one():
    assert closest_distances(()).shape == (0, 0)
    assert closest_distances((Box((0, 0, 0), (1, 1, 1)),)).tolist() == [[0.0]]


@settings(EXAMPLES, max_examples=25)
@given(any_box, any_box)
def test_sampled_distance_is_never_less_than_the_exact_one(a, b):
    exact, sampled = closest_distance(a, b), sampled_distance(a, b)
    assert sampled >= exact - 1e-9
    if exact > 0 and min(*a.size, *b.size) > 0.2:
        # Rounding may cost the outer layer of points on each side: a spacing for each axis.
        assert sampled - exact < 2 * 0.05 * math.sqrt(3) + 0.05


def test_sampled_distance_is_the_least_over_all_samples():
    a, b = (
        turned((0, 0, 0), (0.4, 0.3, 0.2), (10, 20, 30)),
        turned((1, 0.2, 0), (0.3, 0.3, 0.1), (0, 5, 9)),
    )
    near, far = surface_samples(a), surface_samples(b)
    expected = np.linalg.norm(near[:, None] - far[None], axis=2).min()
    assert sampled_distance(a, b) == pytest.approx(expected, abs=1e-12)


def test_surface_samples_leave_out_the_inner_half_box():
    box = Box((0, 0, 0), (1, 1, 1))
    samples = surface_samples(box)
    assert (np.abs(samples) > 0.25).any(axis=1).all()
    # 20 points an axis, the 10 inner ones of each left out; nothing is lost without rotation.
    assert len(samples) == 20**3 - 10**3


def test_surface_samples_of_a_box_thinner_than_the_spacing_lie_in_it():
    box = turned((1, 2, 3), (0.01, 0.02, 0.5), (11, 22, 33))
    local = (surface_samples(box) - np.asarray(box.centre)) @ box.rotation.T
    assert len(local) > 0
    assert (np.abs(local) <= np.asarray(box.size) / 2 + 1e-12).all()


def test_a_box_too_large_to_sample_is_refused():
    with pytest.raises(SceneError, match="use exact distances"):
        surface_samples(Box((0, 0, 0), (60, 60, 60)))


def test_centre_distances():
    assert centre_distances([(0, 0, 0), (3, 4, 0)]).tolist() == [[0, 5], [5, 0]]


@pytest.mark.parametrize(
    ("queried", "expected"),
    [((1, 0), 0), ((1, 1), 45), ((0, 2), 90), ((-3, 0), 180), ((0, -1), 270), ((1, -1), 315)],
)
def test_turn_angles_go_counter_clockwise(queried, expected):
    assert turn_angles((0, 0), (5, 0), queried) == pytest.approx(expected)


@EXAMPLES
@given(st.floats(0, 359.9), st.floats(0, 359.9), coordinates, coordinates)
def test_turn_angles_are_the_difference_of_headings(first, second, x, y):
    def ahead(heading: float) -> tuple[float, float, float]:
        return (x + math.cos(math.radians(heading)), y + math.sin(math.radians(heading)), 7.0)

    angle = float(turn_angles((x, y, 0), ahead(first), ahead(second)))
    assert 0 <= angle < 360
    off = (angle - (second - first)) % 360
    assert min(off, 360 - off) == pytest.approx(0, abs=1e-6)


def test_sectors_and_distances_to_their_boundaries():
    angles = np.array([0.0, 30.0, 134.9, 135.0, 180.0, 225.0, 359.0])
    assert sectors(angles, (0, 135, 225)).tolist() == [0, 0, 0, 1, 1, 2, 2]
    assert boundary_distances(angles, (0, 135, 225)) == pytest.approx([0, 30, 0.1, 0, 45, 0, 1])


@pytest.mark.parametrize(
    ("outline", "expected"),
    [
        (((0, 0), (4, 0), (4, 3), (0, 3)), 12),
        (((0, 3), (4, 3), (4, 0), (0, 0)), -12),
        (((0, 0), (4, 0), (4, 1), (1, 1), (1, 3), (0, 3)), 6),
        ((), 0),
    ],
)
def test_polygon_area(outline, expected):
    assert polygon_area(outline) == expected
