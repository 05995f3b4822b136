"""Turning upright: where the sky is, and that pictures, cameras and poses turn together."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from harness.errors import SceneError
from harness.scene import Frame, Intrinsics
from harness_plugins.scenes.files.pacing import shown_at_rate
from harness_plugins.scenes.files.turning import quarter_turns, scaled, turned, turned_image

# Looks along +y: x right, down is -z, forward is y.
LEVEL = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
CAMERA = Intrinsics(width=8, height=6, fx=5.0, fy=4.0, cx=3.0, cy=2.5)


def pose(rotation, place=(0.0, 0.0, 0.0)):
    found = np.eye(4)
    found[:3, :3], found[:3, 3] = rotation, place
    return found


def rolled(degrees):
    """The level camera turned clockwise about its axis, as seen from behind it."""
    return LEVEL @ Rotation.from_euler("z", degrees, degrees=True).as_matrix()


def pixel(frame, point):
    x, y, z = frame.pose[:3, :3].T @ (np.asarray(point) - frame.pose[:3, 3])
    assert z > 0
    camera = frame.intrinsics
    return camera.fx * x / z + camera.cx, camera.fy * y / z + camera.cy


# A camera rolled clockwise sees the world rolled counter-clockwise, and the sky on its left.
@pytest.mark.parametrize(("roll", "turns"), [(0, 0), (90, 3), (180, 2), (270, 1), (-20, 0)])
def test_the_sky_decides(roll, turns):
    assert quarter_turns([pose(rolled(roll))]) == turns


def test_a_camera_that_looks_down_says_little():
    # Straight down with noise that votes for a turn, and two level looks against it.
    down = Rotation.from_euler("x", 180.0, degrees=True).as_matrix()
    tilted = down @ Rotation.from_euler("xy", [0.5, 4.0], degrees=True).as_matrix()
    assert quarter_turns([pose(tilted)] * 5) != 0
    assert quarter_turns([*[pose(tilted)] * 5, pose(LEVEL), pose(LEVEL)]) == 0
    assert quarter_turns([]) == 0


@given(
    turns=st.integers(0, 3),
    roll=st.floats(-180, 180),
    x=st.floats(-2, 2),
    y=st.floats(3, 9),
    z=st.floats(-2, 2),
)
@settings(derandomize=True, max_examples=100, deadline=None)
def test_a_point_stays_on_the_thing_it_was_on(turns, roll, x, y, z):
    frame = Frame(1.5, tuple(pose(rolled(roll), (0.1, 0.2, 0.3)).ravel()), CAMERA)
    u, v = pixel(frame, (x, y, z))
    after = turned(frame, turns)
    # A pixel's centre at (u, v) is where the turned picture has it.
    for _ in range(turns):
        width = CAMERA.width if _ % 2 == 0 else CAMERA.height
        u, v = v, width - u
    assert pixel(after, (x, y, z)) == pytest.approx((u, v), abs=1e-6)
    assert after.time == frame.time


@pytest.mark.parametrize("turns", range(4))
def test_cameras_turn_as_pictures_do(turns):
    """The pixel that shows a point is the same pixel of the turned picture."""
    frame = Frame(0.0, tuple(pose(LEVEL).ravel()), CAMERA)
    point = (0.9, 4.0, 0.7)
    u, v = pixel(frame, point)
    picture = np.zeros((CAMERA.height, CAMERA.width), dtype=np.uint8)
    picture[int(v), int(u)] = 1
    u, v = pixel(turned(frame, turns), point)
    upright = turned_image(picture, turns)
    after = turned(frame, turns).intrinsics
    assert upright.shape == (after.height, after.width)
    assert upright[int(v), int(u)] == 1


def test_four_quarters_are_none():
    frame = Frame(0.0, tuple(pose(rolled(30.0), (1, 2, 3)).ravel()), CAMERA)
    twice = turned(turned(frame, 1), 3)
    assert twice.intrinsics == CAMERA
    assert twice.camera_to_world == pytest.approx(frame.camera_to_world)


def test_after_turning_the_sky_is_up():
    for roll in (0, 90, 180, 270):
        frame = Frame(0.0, tuple(pose(rolled(roll)).ravel()), CAMERA)
        upright = turned(frame, quarter_turns([frame.pose]))
        assert quarter_turns([upright.pose]) == 0


def test_a_scaled_camera_sees_the_same():
    assert scaled(CAMERA, 16, 18) == Intrinsics(16, 18, 10.0, 12.0, 6.0, 7.5)


@pytest.mark.parametrize(
    ("times", "rate", "expected"),
    [
        # Ten a second shown at thirty: each three times.
        ([5.0, 5.1, 5.2], 30, [0, 0, 0, 1, 1, 1, 2]),
        # Sixty a second shown at thirty: every other.
        ([n / 60 for n in range(7)], 30, [0, 2, 4, 6]),
        # A gap keeps its length.
        ([0.0, 0.1, 0.5], 10, [0, 1, 1, 1, 1, 2]),
        ([3.0], 30, [0]),
    ],
)
def test_a_recording_keeps_its_own_time(times, rate, expected):
    assert shown_at_rate(times, rate, "f").tolist() == expected


def test_a_broken_clock_is_told():
    with pytest.raises(SceneError, match=r"^f: a recording of 1000000 s, expected at most 21600"):
        shown_at_rate([0.0, 1e6], 30.0, "f")
