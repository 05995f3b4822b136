"""Visible pixels, against pictures whose every pixel is known: drawn scenes and a real RGB-D walk."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from harness.errors import SceneError
from harness.layout import Drawing, camera_walk, drawn_visibility, render
from harness.scene import Box, Frame, Intrinsics, Scene
from harness.visibility import visible_pixels
from harness_plugins.scenes.procedural import build
from harness_plugins.scenes.settings import ProceduralSettings

EXAMPLES = settings(derandomize=True, max_examples=60, deadline=None)
CAMERA = Intrinsics(160, 120, 100.0, 100.0, 80.0, 60.0)


def looking(yaw: float = 0.0, eye=(0.0, 0.0, 1.0), camera: Intrinsics = CAMERA) -> Frame:
    """A level camera; yaw from +x to +y."""
    c, s = math.cos(yaw), math.sin(yaw)
    x, y, z = eye
    pose = (s, 0.0, c, x, -c, 0.0, s, y, 0.0, -1.0, 0.0, z, 0.0, 0.0, 0.0, 1.0)
    return Frame(0.0, pose, camera)


def on_surface(box: Box, spacing: float, seed: int = 0):
    """(m, 3) points evenly at random on a box, one for each spacing x spacing."""
    rng = np.random.default_rng(seed)
    x, y, z = box.size
    areas = np.repeat([y * z, x * z, x * y], 2)
    count = max(50, int(areas.sum() / spacing**2))
    face = rng.choice(6, count, p=areas / areas.sum())
    local = rng.uniform(-0.5, 0.5, (count, 3))
    local[np.arange(count), face // 2] = np.where(face % 2, 0.5, -0.5)
    return box.centre + (local * box.size) @ box.rotation


def none(_: int) -> None:
    """No depth."""


def pixels(points, frames, depth=none, **changed):
    ids = [f"object-{number}" for number in range(len(points))]
    return visible_pixels(points, ids, frames, depth, **changed).pixels.tolist()


WALL = on_surface(Box((2, 0, 1), (0.1, 3, 2)), 0.01)
BEHIND = on_surface(Box((3.5, 0, 1), (0.3, 0.3, 0.3)), 0.01)
BESIDE = on_surface(Box((2, 3, 1), (0.5, 0.5, 0.5)), 0.01)


def test_a_wall_hides_what_is_behind_it_and_nothing_else():
    ahead, left = looking(0.0), looking(math.radians(60))
    (wall, behind, beside), turned = pixels([WALL, BEHIND, BESIDE], [ahead, left])
    assert (behind, beside) == (0, 0)
    assert wall == pytest.approx(300 / 1.95 * 200 / 1.95, rel=0.03)
    assert turned[1] == 0
    assert turned[2] > 300
    assert pixels([BEHIND], [ahead])[0][0] == pytest.approx((30 / 3.35) ** 2, rel=0.25)


def test_the_same_with_a_measured_depth():
    far, near = np.full((120, 160), 3.5), np.full((120, 160), 1.95)
    assert pixels([WALL, BEHIND], [looking()] * 2, [far, near].__getitem__)[0][0] == 0
    assert pixels([WALL, BEHIND], [looking()] * 2, [far, near].__getitem__)[0][1] > 60
    assert pixels([WALL, BEHIND], [looking()] * 2, [far, near].__getitem__)[1][0] > 15_000
    assert pixels([WALL, BEHIND], [looking()] * 2, [far, near].__getitem__)[1][1] == 0


def test_pictures_with_and_without_depth_may_alternate():
    depths = [None, np.full((120, 160), 3.5), None]
    first, second, third = pixels([WALL, BEHIND], [looking()] * 3, depths.__getitem__)
    assert first == third
    assert first[1] == 0
    assert second[0] == 0


def test_a_point_fills_its_pixel_once():
    # At depth 1 the pixel (column 80, row 60) reaches from the axis 0.01 to the right and down.
    points = [[1.0, -0.005, 0.995], [1.0, -0.0051, 0.9949], [1.0, -0.015, 0.995]]
    assert pixels([points, points[:1], points[2:], np.empty((0, 3))], [looking()]) == [[2, 1, 1, 0]]


@pytest.mark.parametrize(
    ("depth", "tolerance", "expected"),
    [
        (2.0, 0.2, 1),
        (1.7, 0.2, 1),  # 0.3 too far, 0.34 allowed
        (1.6, 0.2, 0),  # 0.4 too far, 0.32 allowed
        (2.4, 0.2, 1),
        (2.6, 0.2, 0),  # 0.6 too near, 0.52 allowed
        (1.7, 0.1, 0),
        (2.0, 0.0, 1),
        (0.0, 0.2, 0),
        (-2.0, 0.2, 0),
        (math.nan, 0.2, 0),
        (math.inf, 0.2, 0),
    ],
)
def test_a_pixel_counts_within_the_tolerance_of_a_known_depth(depth, tolerance, expected):
    picture = np.full((120, 160), depth, dtype=np.float32)
    assert pixels([[[2.0, 0.0, 1.0]]], [looking()], lambda _: picture, tolerance=tolerance) == [
        [expected]
    ]


def test_nothing_is_seen_behind_the_camera_beside_the_picture_or_at_the_lens():
    out = [[-1.0, 0.0, 1.0], [1.0, 2.0, 1.0], [1.0, 0.0, 3.0], [0.01, 0.0, 1.0], [0.0, 0.0, 1.0]]
    assert pixels([[point] for point in out], [looking()]) == [[0] * 5]
    assert pixels([[point] for point in out], [looking(math.pi)])[0] == [1, 0, 0, 0, 0]


@pytest.mark.parametrize("shape", [(60, 80), (240, 320), (30, 40), (120, 80), (37, 53)])
def test_the_depth_picture_may_have_another_resolution(shape):
    boxes = [Box((3, 1, 1), (0.4, 0.8, 1)), Box((2, -0.5, 1), (0.3, 0.7, 0.6))]
    points = [on_surface(box, 0.02) for box in boxes]
    # Near on the right half of the picture, far on the left one.
    halves = np.where(np.arange(shape[1]) < shape[1] / 2, 3.0, 2.0) * np.ones(shape)
    full = np.where(np.arange(160) < 80, 3.0, 2.0) * np.ones((120, 160))
    small = pixels(points, [looking()], lambda _: halves)[0]
    assert small == pytest.approx(pixels(points, [looking()], lambda _: full)[0], rel=0.05)
    assert min(small) > 300


def test_each_frame_is_asked_for_its_own_depth_once_and_only_one_is_held():
    asked = []

    def depth(place: int):
        asked.append(place)
        return np.full((6, 8), 2.0)

    found = pixels([WALL], [looking(), looking(math.pi), looking()], depth)
    assert asked == [0, 2]  # the second one looks away from all points
    assert found[1] == [0]


def test_rows_are_frames_and_columns_objects():
    found = visible_pixels([WALL, BESIDE], ["wall", "cube"], [looking()] * 3, none)
    assert found.objects == ("wall", "cube")
    assert found.pixels.shape == (3, 2)
    assert found.pixels.dtype == np.int32
    assert visible_pixels([], [], [looking()] * 3, none).pixels.shape == (3, 0)
    assert visible_pixels([WALL], ["wall"], [], none).pixels.shape == (0, 1)


@EXAMPLES
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.05, 0.2]))
def test_pixels_are_those_of_a_plain_count(seed, tolerance):
    """Each point by itself, with a set of pixels for each object."""
    rng = np.random.default_rng(seed)
    points = [rng.uniform((0, -2, 0), (4, 2, 2), (rng.integers(0, 200), 3)) for _ in range(4)]
    frame = looking(rng.uniform(-1, 1), camera=Intrinsics(20, 15, 12.0, 13.0, 9.5, 7.2))
    depth = rng.choice([0.0, np.nan, 1.0, 2.0, 3.0], size=(7, 11))
    expected = []
    for cloud in points:
        seen = set()
        for point in cloud:
            x, y, z, _ = np.linalg.inv(frame.pose) @ [*point, 1.0]
            if z <= 0.05:
                continue
            u, v = 12.0 * x / z + 9.5, 13.0 * y / z + 7.2
            if 0 <= u < 20 and 0 <= v < 15:
                d = depth[int(v * 7 / 15), int(u * 11 / 20)]
                if d > 0 and abs(d - z) <= tolerance * d:
                    seen.add((int(u), int(v)))
        expected.append(len(seen))
    assert pixels(points, [frame], lambda _: depth, tolerance=tolerance) == [expected]


@pytest.fixture(scope="module")
def rooms():
    source = build(ProceduralSettings(scenes=3, min_objects=12, max_objects=20, seed=4))
    return [source.load(scene_id) for scene_id in source.scene_ids()]


@pytest.mark.parametrize("measured", [True, False])
def test_points_and_drawing_agree_in_procedural_rooms(rooms, measured):
    for scene in rooms:
        frames = camera_walk(scene, seconds=4, fps=1, width=160, height=120, seed=1)
        drawing = Drawing.of(scene)
        points = [on_surface(item.box, 0.01) for item in scene.objects]
        drawn = drawn_visibility(scene, frames)
        found = visible_pixels(
            points,
            drawn.objects,
            frames,
            lambda place: render(drawing, frames[place]).depth if measured else None,  # noqa: B023
            tolerance=0.03,
        )
        assert found.objects == drawn.objects
        one, other = drawn.pixels.astype(float), found.pixels.astype(float)
        # Along its outline of about 4 sqrt(pixels), an object may win or lose half a pixel.
        assert (np.abs(one - other) <= 5 * np.sqrt(one) + 12).mean() > 0.97
        assert other.sum() == pytest.approx(one.sum(), rel=0.08)
        assert np.corrcoef(one.ravel(), other.ravel())[0, 1] > 0.99


def test_a_real_walk_sees_the_points_of_its_own_depth(shared_data):
    folder = shared_data("hololens-rgbd")
    poses = np.loadtxt(folder / "poses.txt")
    matrix = np.loadtxt(folder / "K.txt")
    names = sorted(path.name for path in (folder / "depth").iterdir())[:4]
    depths, frames, clouds = [], [], []
    for number, name in enumerate(names):
        depth = np.asarray(Image.open(folder / "depth" / name), dtype=np.float32) / 1000
        height, width = depth.shape
        camera = Intrinsics(width, height, matrix[0, 0], matrix[1, 1], matrix[0, 2], matrix[1, 2])
        frame = Frame(float(number), tuple(poses[9 * number].tolist()), camera)
        v, u = np.mgrid[0:height, 0:width] + 0.5
        rays = np.stack([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, u**0], axis=-1)
        world = (rays * depth[..., None]) @ frame.pose[:3, :3].T + frame.pose[:3, 3]
        depths.append(depth)
        frames.append(frame)
        clouds.append(world[depth > 0.05])
    found = np.array(pixels(clouds, frames, depths.__getitem__))
    known = [int((depth > 0.05).sum()) for depth in depths]
    assert np.diag(found).tolist() == known
    # Without the measured depth its own points hide little of each other.
    alone = pixels(clouds[:1], frames[:1])[0][0]
    assert alone > 0.9 * known[0]
    # The next picture shows most of the same places.
    assert found[0, 1] > 0.6 * known[0]


def test_a_drawing_counts_what_it_draws(rooms):
    scene = rooms[0]
    frames = camera_walk(scene, seconds=3, fps=1, width=64, height=48, seed=2)
    found = drawn_visibility(scene, frames)
    for frame, row in zip(frames, found.pixels, strict=True):
        instance = render(Drawing.of(scene), frame).instance
        assert row.tolist() == [int((instance == n).sum()) for n in range(len(scene.objects))]
    assert found.objects == tuple(item.id for item in scene.objects)
    assert found.pixels.sum() > 1000


def test_an_empty_room_shows_nothing():
    empty = Scene("empty", "made", (), 20.0, (0.0, 0.0, 1.0), {})
    assert drawn_visibility(empty, [looking()] * 2).pixels.shape == (2, 0)


def test_a_smaller_drawing_counts_nearly_the_same(rooms):
    for scene in rooms:
        frames = camera_walk(scene, seconds=4, fps=1, width=640, height=480, seed=2)
        full = drawn_visibility(scene, frames).pixels.astype(float)
        small = drawn_visibility(scene, frames, width=160).pixels.astype(float)
        assert (np.abs(full - small) <= 16 * np.sqrt(full) + 100).mean() > 0.97
        assert small.sum() == pytest.approx(full.sum(), rel=0.02)


@pytest.mark.parametrize(
    ("points", "ids", "changed", "message"),
    [
        ([WALL], [], {}, "1 objects have points and 0 have ids"),
        ([WALL, WALL], ["a", "a"], {}, "2 objects have points and 2 have ids, of which 1 differ"),
        ([[[0, 0, math.nan]]], ["desk"], {}, "object desk: 1 of 1 points are not finite"),
        ([[[0, 0]]], ["desk"], {}, r"object desk: points have the shape \(1, 2\)"),
        ([WALL], ["a"], {"tolerance": -0.1}, "must not be negative, found -0.1"),
        ([WALL], ["a"], {"depth": lambda _: np.ones(5)}, r"frame 0: shape \(5,\) of float64"),
        ([WALL], ["a"], {"depth": lambda _: np.ones((4, 3), int)}, "divide millimetres by 1000"),
        ([WALL], ["a"], {"depth": lambda _: np.ones((0, 3))}, r"frame 0: shape \(0, 3\)"),
    ],
)
def test_what_is_not_as_described_is_an_error(points, ids, changed, message):
    arguments = {"depth": none, **changed}
    with pytest.raises(SceneError, match=message):
        visible_pixels(points, ids, [looking()], **arguments)


def test_a_drawing_without_width_is_an_error(rooms):
    with pytest.raises(SceneError, match="width must be at least 1 pixel, found 0"):
        drawn_visibility(rooms[0], [looking()], width=0)
