"""Footprints and the free floor, against shapely's geometry; turns."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import MultiPoint, Point, Polygon, box, union_all

from harness.scene import Box, Scene, SceneObject
from harness_plugins.questions.route.footprints import Footprints
from harness_plugins.questions.route.free_floor import FreeFloor
from harness_plugins.questions.route.turns import AHEAD, TURNS, headings, relative, turn_codes
from harness_plugins.questions.settings import RoutePlanningSettings

RULES = RoutePlanningSettings()
places = st.tuples(st.floats(-5, 5), st.floats(-5, 5))
upright = st.builds(
    lambda place, w, d, yaw: Box.upright((*place, 0.5), (w, d, 1.0), yaw),
    places,
    st.floats(0.01, 3),
    st.floats(0.01, 3),
    st.floats(-4, 4),
)


def shape(thing: Box):
    return MultiPoint(thing.corners[:, :2]).convex_hull


@settings(derandomize=True, max_examples=80, deadline=None)
@given(upright, places)
def test_distances_to_footprints(thing, place):
    found = Footprints.of([thing]).distances(np.array([place]), np.array([0]))
    assert found[0] == pytest.approx(shape(thing).distance(Point(place)), abs=1e-6)


def test_footprints_of_boxes_on_their_side_and_tilted():
    # The vertical axis is the first one of the box.
    lying = Box((1.0, 2.0, 0.5), (1.0, 3.0, 0.4), (0, 0, 1, 1, 0, 0, 0, 1, 0))
    footprints = Footprints.of([lying])
    assert footprints.halves[0].tolist() == pytest.approx([1.5, 0.2])
    c, s = math.cos(0.5), math.sin(0.5)
    tilted = Box((0.0, 0.0, 0.0), (2.0, 1.0, 1.0), (c, 0, s, 0, 1, 0, -s, 0, c))
    assert Footprints.of([tilted]).halves[0].tolist() == pytest.approx([c + s / 2, 0.5])


@settings(derandomize=True, max_examples=80, deadline=None)
@given(upright, places, st.floats(0.05, 1))
def test_one_stops_where_the_object_is_first_in_reach(thing, origin, reach):
    footprints = Footprints.of([thing])
    (stop,) = footprints.approach(np.array([origin]), np.array([0]), reach)
    if shape(thing).distance(Point(origin)) <= reach - 1e-9:
        assert stop.tolist() == list(origin)
        return
    assert shape(thing).distance(Point(stop)) == pytest.approx(reach, abs=1e-4)
    way = thing.centre[:2] - np.array(origin)
    gone = stop - np.array(origin)
    assert way[0] * gone[1] - way[1] * gone[0] == pytest.approx(0, abs=1e-6)
    assert 0 <= gone @ way <= way @ way


L_SHAPED = ((0.0, 0.0), (6.0, 0.0), (6.0, 3.0), (2.5, 3.0), (2.5, 5.0), (0.0, 5.0))


@settings(derandomize=True, max_examples=30, deadline=None)
@given(
    st.lists(upright, max_size=4),
    st.sampled_from([L_SHAPED, L_SHAPED[::-1]]),
    st.floats(0.05, 0.5),
    st.integers(0, 1000),
)
def test_a_robot_touches_nothing_on_free_cells_and_cannot_be_on_impossible_ones(
    boxes, outline, radius, seed
):
    objects = tuple(SceneObject(str(i), "thing", thing) for i, thing in enumerate(boxes))
    scene = Scene("r", "d", objects, 22.0, (0.0, 0.0, 0.0), {"thing": len(boxes)}, floor=outline)
    floor = FreeFloor.of(scene, RoutePlanningSettings(robot_radius=radius, reach=1.0))
    room, things = Polygon(outline), union_all([shape(thing) for thing in boxes])
    # Anywhere in cells drawn by lot.
    rng = np.random.default_rng(seed)
    for place in rng.uniform((-0.5, -0.5), (6.5, 5.5), (300, 2)):
        point = Point(place)
        wall = room.boundary.distance(point)
        clear = room.contains(point) and min(wall, things.distance(point)) > radius
        if things.is_empty:
            clear = room.contains(point) and wall > radius
        if floor.at(place):
            assert clear
        if clear:
            assert floor._look_up(floor.possible, place)


def test_little_floor_is_lost_to_cells():
    scene = Scene("r", "d", (), 36.0, (3.0, 3.0, 1.0), {}, floor=((0, 0), (6, 0), (6, 6), (0, 6)))
    floor = FreeFloor.of(scene, RULES)
    area = floor.free.sum() * floor.cell**2
    assert box(0.3, 0.3, 5.7, 5.7).area < area < box(0.2, 0.2, 5.8, 5.8).area


def test_huge_floors_get_larger_cells():
    long = ((0.0, 0.0), (1e6, 0.0), (1e6, 4e5), (0.0, 4e5))
    floor = FreeFloor.of(Scene("r", "d", (), 36.0, (3.0, 3.0, 1.0), {}, floor=long), RULES)
    assert floor.free.size < 2100 * 2100
    assert floor.at(np.array([5e5, 2e5]))
    assert not floor.at(np.array([-1e9, 2e5]))


def test_ways_and_walks():
    wall = SceneObject("w", "wall", Box((3.0, 3.0, 0.5), (0.01, 4.0, 1.0)))
    square = ((0.0, 0.0), (6.0, 0.0), (6.0, 6.0), (0.0, 6.0))
    scene = Scene("r", "d", (wall,), 36.0, (3.0, 3.0, 1.0), {"wall": 1}, floor=square)
    floor = FreeFloor.of(scene, RULES)
    starts = np.array([[1.0, 3.0], [1.0, 3.0], [1.0, 5.5], [1.0, 3.0]])
    ends = np.array([[5.0, 3.0], [1.0, 1.0], [5.0, 5.5], [7.0, 3.0]])
    assert floor.clear(starts, ends).tolist() == [False, True, True, False]
    assert floor.clear(starts[:0], ends[:0]).tolist() == []
    places_pk2, gone_pk = floor.until_blocked(starts[:2], np.array([0.0, 270.0]))
    last = [way[gone][-1] for way, gone in zip(places_pk2, gone_pk, strict=True)]
    assert last[0].tolist() == pytest.approx([2.8, 3.0], abs=0.1)
    assert last[1].tolist() == pytest.approx([1.0, 0.2], abs=0.1)


@pytest.mark.parametrize(
    ("angle", "turn", "margin"),
    [
        (0, "ahead", 45),
        (44, "ahead", 1),
        (46, "Turn Left", 1),
        (90, "Turn Left", 45),
        (180, "Turn Back", 45),
        (226, "Turn Right", 1),
        (300, "Turn Right", 15),
        (316, "ahead", 1),
    ],
)
def test_turns(angle, turn, margin):
    code, found = turn_codes(relative(headings(np.array([0.0, 1.0])) + angle, 90.0))
    assert ("ahead" if code == AHEAD else TURNS[int(code)], float(found)) == (turn, margin)


def test_a_tiny_negative_angle_is_ahead():
    assert turn_codes(relative(-1e-300, 0.0))[0] == AHEAD
