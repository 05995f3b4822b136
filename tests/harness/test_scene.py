"""Boxes and scenes: what is refused, and what they give."""

import math
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import SceneError
from harness.scene import Box, Frame, Intrinsics, Scene, SceneObject

UNIT = Box((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


def scene(*categories: str, **changes) -> Scene:
    counts: dict[str, int] = {}
    for category in categories:
        counts[category] = counts.get(category, 0) + 1
    given_fields = {
        "id": "room",
        "dataset": "test",
        "objects": tuple(SceneObject(f"{c}_{i}", c, UNIT) for i, c in enumerate(categories)),
        "room_area": 12.0,
        "room_centre": (0.0, 0.0, 0.0),
        "counts": counts,
    }
    return Scene(**{**given_fields, **changes})


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"size": (1.0, 0.0, 1.0)}, "side lengths must be positive"),
        ({"size": (1.0, -1.0, 1.0)}, "side lengths must be positive"),
        ({"size": (1.0, math.inf, 1.0)}, "not finite"),
        ({"centre": (0.0, math.nan, 0.0)}, "not finite"),
        ({"centre": (0.0, 0.0)}, "have 2, 3 and 9 numbers"),
        ({"axes": (1.0,) * 8}, "have 3, 3 and 8 numbers"),
        ({"axes": (1.0,) * 9}, "not orthonormal"),
        ({"axes": (2.0, 0, 0, 0, 1, 0, 0, 0, 1)}, "not orthonormal"),
    ],
)
def test_a_box_that_is_none_is_refused(fields, message):
    whole = {"centre": (0.0, 0.0, 0.0), "size": (1.0, 1.0, 1.0)}
    with pytest.raises(SceneError, match=message):
        Box(**{**whole, **fields})


def test_axes_are_rows():
    box = Box((1, 2, 3), (2, 4, 6), (0, 1, 0, -1, 0, 0, 0, 0, 1))
    assert box.corners.min(axis=0).tolist() == [-1, 1, 0]
    assert box.corners.max(axis=0).tolist() == [3, 3, 6]


@settings(derandomize=True, max_examples=40, deadline=None)
@given(st.floats(-7, 7), st.tuples(*[st.floats(0.1, 3)] * 3))
def test_an_upright_box_is_turned_about_z(yaw, size):
    box = Box.upright((1.0, 2.0, 3.0), size, yaw)
    local = (box.corners - np.array(box.centre)) @ box.rotation.T
    assert np.abs(local) == pytest.approx(np.tile(np.array(size) / 2, (8, 1)))
    ahead = box.rotation[0]
    assert ahead.tolist() == pytest.approx([math.cos(yaw), math.sin(yaw), 0])


def test_arrays_of_a_box_are_read_only():
    for array in (UNIT.corners, UNIT.rotation):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 5


@pytest.mark.parametrize("area", [0.0, -1.0, math.nan, math.inf])
def test_a_room_without_area_is_refused(area):
    with pytest.raises(SceneError, match="scene room: room area must be a positive number"):
        scene("chair", room_area=area)


def test_singletons_occur_once_by_count_and_by_box():
    found = scene("sofa", "chair", "chair", "tv", counts={"tv": 1, "chair": 2, "sofa": 1, "bed": 1})
    assert [thing.category for thing in found.singletons] == ["tv", "sofa"]
    miscounted = scene("sofa", "chair", "chair", counts={"sofa": 1, "chair": 1})
    assert [thing.category for thing in miscounted.singletons] == ["sofa"]


def test_of_gives_instances_in_order():
    found = scene("chair", "tv", "chair")
    assert [thing.id for thing in found.of("chair")] == ["chair_0", "chair_2"]
    assert found.of("bed") == ()


def test_counts_cannot_be_changed_from_outside():
    counts = {"chair": 1}
    found = scene("chair", counts=counts)
    counts["chair"] = 7
    assert isinstance(found.counts, MappingProxyType)
    assert dict(found.counts) == {"chair": 1}


def test_a_frame_gives_its_pose():
    numbers = tuple(float(i) for i in range(16))
    frame = Frame(0.5, numbers, Intrinsics(640, 480, 500.0, 500.0, 320.0, 240.0))
    assert frame.pose.tolist() == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11], [12, 13, 14, 15]]
