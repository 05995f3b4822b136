"""The renderer against pinhole geometry and a ray caster in double precision."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.layout.camera import camera_walk
from harness.layout.drawing import Drawing
from harness.layout.palette import colour_of
from harness.layout.raster import NEAR, Rendered, project, render
from harness.scene import Array, Box, Frame, Intrinsics, Scene

MakeScene = Callable[..., Scene]
Draw = Callable[..., Rendered]
RECTANGLE = ((0.0, 0.0), (5.0, 0.0), (5.0, 4.0), (0.0, 4.0))
ELL = ((0.0, 0.0), (6.0, 0.0), (6.0, 2.5), (3.0, 2.5), (3.0, 5.0), (0.0, 5.0))
CAMERA = Intrinsics(160, 120, 100.0, 100.0, 80.0, 60.0)


def looking(
    eye: tuple[float, float, float],
    yaw: float = 0.0,
    pitch: float = 0.0,
    camera: Intrinsics = CAMERA,
) -> Frame:
    """A camera at `eye`; yaw from +x to +y, pitch upwards."""
    forward = np.array(
        [math.cos(yaw) * math.cos(pitch), math.sin(yaw) * math.cos(pitch), math.sin(pitch)]
    )
    right = np.array([math.sin(yaw), -math.cos(yaw), 0.0])
    pose = np.eye(4)
    pose[:3, :3] = np.stack([right, np.cross(forward, right), forward], axis=1)
    pose[:3, 3] = eye
    return Frame(0.0, tuple(pose.ravel().tolist()), camera)


@pytest.fixture(scope="session")
def draw(make_scene: MakeScene) -> Draw:
    """Renders boxes alone."""
    return lambda frame, *boxes: render(
        Drawing.of(make_scene([("chair", box) for box in boxes])), frame
    )


def rays(frame: Frame) -> Array:
    """(H, W, 3) world directions of depth 1, one for each pixel's centre."""
    camera = frame.intrinsics
    v, u = np.mgrid[0 : camera.height, 0 : camera.width] + 0.5
    local = np.stack(
        [(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, np.ones_like(u)], axis=-1
    )
    return local @ frame.pose[:3, :3].T


def test_points_project_as_a_pinhole_says() -> None:
    frame = looking((1.0, 2.0, 1.5))
    points = np.array([[3.0, 2.0, 1.5], [3.0, 1.0, 1.5], [5.0, 2.0, 2.5], [-1.0, 2.0, 1.5]])
    u, v, depth = project(points, frame).T
    assert depth.tolist() == [2.0, 2.0, 4.0, -2.0]
    assert u[:3].tolist() == [80.0, 130.0, 80.0]
    assert v[:3].tolist() == [60.0, 60.0, 35.0]


@settings(derandomize=True, max_examples=40, deadline=None)
@given(
    u=st.integers(2, 157),
    v=st.integers(2, 117),
    depth=st.floats(0.5, 8),
    yaw=st.floats(-3, 3),
    pitch=st.floats(-1.2, 1.2),
)
def test_a_speck_is_drawn_where_it_projects(
    u: int, v: int, depth: float, yaw: float, pitch: float, draw: Draw
) -> None:
    frame = looking((0.3, -0.2, 1.5), yaw, pitch)
    local = np.array([(u + 0.5 - 80) / 100 * depth, (v + 0.5 - 60) / 100 * depth, depth])
    centre = frame.pose[:3, :3] @ local + frame.pose[:3, 3]
    assert project(centre[None], frame)[0] == pytest.approx([u + 0.5, v + 0.5, depth])
    side = depth / 100
    found = draw(frame, Box(tuple(centre.tolist()), (side, side, side)))
    rows, columns = np.nonzero(found.instance == 0)
    assert found.instance[v, u] == 0
    assert found.depth[v, u] == pytest.approx(depth, abs=side)
    assert abs(rows - v).max() <= 1
    assert abs(columns - u).max() <= 1


def test_a_facing_square_has_its_exact_pixels_and_depth(draw: Draw) -> None:
    frame = looking((0.0, 0.0, 1.0))
    found = draw(frame, Box((2.5, 0.0, 1.0), (1.0, 1.0, 1.0)))
    expected = np.full((120, 160), -1)
    expected[35:85, 55:105] = 0
    assert np.array_equal(found.instance, expected)
    assert np.abs(found.depth[found.instance == 0] - 2.0).max() < 1e-6


def test_the_nearer_box_hides_the_farther(draw: Draw) -> None:
    frame = looking((0.0, 0.0, 1.0))
    near, far = Box((2.24, 0.0, 1.0), (0.48, 0.48, 0.48)), Box((4.5, 0.0, 1.0), (1.0, 2.0, 2.0))
    for boxes in ((near, far), (far, near)):
        found = draw(frame, *boxes)
        place = boxes.index(near)
        assert np.count_nonzero(found.instance == place) == 24 * 24
        assert np.count_nonzero(found.instance == 1 - place) == 50 * 50 - 24 * 24
        assert found.depth[60, 80] == pytest.approx(2.0, rel=1e-6)
        assert found.depth[36, 56] == pytest.approx(4.0, rel=1e-6)


def cast(scene: Scene, frame: Frame) -> tuple[Array, Array, Array]:
    """(B, H, W) depth of entering each box, by how much the ray is in it, and if it may be seen."""
    directions, eye = rays(frame), frame.pose[:3, 3]
    depths, spans = [], []
    for item in scene.objects:
        local = directions @ item.box.rotation.T
        origin = item.box.rotation @ (eye - np.asarray(item.box.centre))
        half = np.asarray(item.box.size) / 2
        with np.errstate(divide="ignore", invalid="ignore"):
            one, other = (-half - origin) / local, (half - origin) / local
        entering = np.fmin(one, other).max(axis=-1)
        leaving = np.fmax(one, other).min(axis=-1)
        depths.append(entering)
        spans.append(leaving - entering)
    seen = np.stack(depths) > NEAR
    return np.stack(depths), np.stack(spans), seen


coordinate = st.floats(-3, 3)
length = st.floats(0.05, 2.5)
angle = st.floats(-math.pi, math.pi)


@st.composite
def turned_boxes(sample: st.DrawFn) -> Box:
    axes = np.eye(3)
    for pair in ((0, 1), (1, 2), (0, 2)):
        turn = sample(angle)
        step = np.eye(3)
        step[np.ix_(pair, pair)] = [
            [math.cos(turn), -math.sin(turn)],
            [math.sin(turn), math.cos(turn)],
        ]
        axes = axes @ step
    return Box(
        (sample(coordinate), sample(coordinate), sample(coordinate)),
        (sample(length), sample(length), sample(length)),
        tuple(axes.ravel().tolist()),
    )


@settings(derandomize=True, max_examples=60, deadline=None)
@given(
    boxes=st.lists(turned_boxes(), min_size=1, max_size=6), yaw=angle, pitch=st.floats(-1.5, 1.5)
)
def test_boxes_all_around_the_camera_agree_with_casting_rays(
    boxes: list[Box], yaw: float, pitch: float, make_scene: MakeScene
) -> None:
    """Depth and instance of every pixel that is not within a hair of an edge or of another box."""
    frame = looking((0.0, 0.0, 0.0), yaw, pitch, Intrinsics(64, 48, 30.0, 34.0, 30.0, 26.0))
    scene = make_scene([("chair", box) for box in boxes])
    # Far below, so that no floor is in the way.
    floorless = Drawing.of(scene)
    object.__setattr__(floorless, "floor", -1e6)
    found = render(floorless, frame)
    depths, spans, seen = cast(scene, frame)
    outside = np.array(
        [
            (np.abs(box.rotation @ -np.asarray(box.centre)) > np.asarray(box.size) / 2).any()
            for box in boxes
        ]
    )[:, None, None]
    hit = np.where((spans > 0) & seen & outside, depths, np.inf)
    unsure = (np.abs(spans) < 1e-3).any(axis=0) | (np.abs(depths - NEAR) < 1e-3).any(axis=0)
    ordered = np.sort(hit, axis=0)
    if len(boxes) > 1:
        with np.errstate(invalid="ignore"):
            unsure |= ordered[1] - ordered[0] < 1e-3 * ordered[0]
    nearest = ordered[0]
    expected = np.where(np.isfinite(nearest), hit.argmin(axis=0), -1)
    assert np.array_equal(found.instance[~unsure], expected[~unsure])
    at = ~unsure & np.isfinite(nearest)
    assert np.allclose(found.depth[at], nearest[at], rtol=1e-4)
    assert unsure.mean() < 0.5


def test_a_box_around_the_camera_is_not_in_the_way(draw: Draw) -> None:
    frame = looking((0.0, 0.0, 1.0))
    around, ahead = Box((0.0, 0.0, 1.0), (1.0, 1.0, 1.0)), Box((2.5, 0.0, 1.0), (1.0, 1.0, 1.0))
    found = draw(frame, around, ahead)
    assert set(np.unique(found.instance)) == {-1, 1}


def test_a_wall_of_boxes_beside_and_behind_the_camera(draw: Draw) -> None:
    """A long box that passes the camera is cut at the near plane and fills its side."""
    frame = looking((0.0, 0.0, 1.0))
    found = draw(
        frame, Box((0.0, 1.5, 1.0), (40.0, 1.0, 40.0)), Box((-5.0, 0.0, 1.0), (1.0, 9.0, 9.0))
    )
    assert (found.instance[:, :70] == 0).all()
    assert not (found.instance == 1).any()
    # Its near face is the plane y = 1: depth at column u is fx / (cx - u).
    columns = np.arange(70) + 0.5
    assert np.allclose(found.depth[60, :70], 100 / (80 - columns), rtol=1e-5)


def test_floor_has_exact_depth_and_squares_of_a_metre(make_scene: MakeScene) -> None:
    frame = looking((0.3, 0.4, 1.5), yaw=0.7, pitch=-0.6)
    scene = make_scene([("table", Box((1.5, 1.6, 0.5), (0.2, 0.2, 1.0)))])
    found = render(Drawing.of(scene), frame)
    points = rays(frame) * found.depth[..., None] + frame.pose[:3, 3]
    floor = (found.instance < 0) & (found.depth < 12)
    assert floor.mean() > 0.5
    assert np.abs(points[floor][:, 2]).max() < 1e-4
    odd = np.floor(points[..., :2]).sum(axis=-1) % 2 == 1
    sure = floor & (np.abs(points[..., :2] - np.round(points[..., :2])).min(axis=-1) > 1e-3)
    light = found.colour[..., 0] > 190
    shaded = found.colour.max(axis=-1) < 120  # beside the table's edges
    assert np.array_equal(light[sure & ~shaded], ~odd[sure & ~shaded])


@pytest.mark.parametrize("outline", [RECTANGLE, ELL, ELL[::-1]])
def test_rooms_agree_with_casting_rays(
    outline: tuple[tuple[float, float], ...], make_scene: MakeScene
) -> None:
    """Every pixel shows the nearest of floor, ceiling and walls, in convex rooms and others."""
    scene = make_scene([("chair", Box((9.0, 9.0, 0.5), (0.1, 0.1, 1.0)))], floor=outline)
    drawing = Drawing.of(scene)
    corners = np.array(outline)
    for number in range(12):
        frame = looking((1.1, 1.3, 1.5), yaw=number * 0.55, pitch=-0.5 + 0.09 * number)
        directions, eye = rays(frame), frame.pose[:3, 3]
        with np.errstate(divide="ignore", invalid="ignore"):
            level = np.where(directions[..., 2] < 0, 0.0, 2.6)
            depth = (level - eye[2]) / directions[..., 2]
            for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
                along = end - start
                normal = np.array([along[1], -along[0]])
                t = normal @ (start - eye[:2]) / (directions[..., :2] @ normal)
                place = (eye[:2] + t[..., None] * directions[..., :2] - start) @ along
                on = (t > 0) & (place >= 0) & (place <= along @ along)
                depth = np.where(on, np.minimum(depth, t), depth)
        found = render(drawing, frame)
        assert (found.instance == -1).all()
        off = ~np.isclose(found.depth, depth, rtol=1e-4)
        # A pixel's centre may lie on a corner of the room to within rounding.
        assert off.mean() < 1e-3


def test_an_empty_scene_is_floor_and_sky(make_scene: MakeScene) -> None:
    found = render(Drawing.of(make_scene([])), looking((0.0, 0.0, 1.5)))
    assert (found.instance == -1).all()
    assert np.isinf(found.depth[:60]).all()
    assert np.isfinite(found.depth[60:]).all()


def test_colours_tell_category_and_edges_are_darker(make_scene: MakeScene) -> None:
    frame = looking((0.0, 0.0, 1.4), pitch=-0.1)
    boxes = [
        ("chair", Box.upright((3.0, 1.0, 0.5), (0.8, 0.8, 1.0), 0.5)),
        ("chair", Box.upright((3.0, -1.0, 0.5), (0.8, 0.8, 1.0), 0.2)),
        ("my own thing", Box.upright((4.0, 0.0, 0.5), (0.5, 0.5, 1.0))),
    ]
    found = render(Drawing.of(make_scene(boxes)), frame)
    for number, (category, _) in enumerate(boxes):
        pixels = found.colour[found.instance == number].astype(float)
        base = np.array(colour_of(category), dtype=float)
        brightness = pixels @ base / (base @ base)
        kept = pixels.max(axis=1) < 255
        assert np.abs(pixels - brightness[:, None] * base)[kept].max() < 3
        assert brightness.min() < 0.5 < 0.7 < brightness.max()


def test_pictures_are_contiguous_and_typed(draw: Draw) -> None:
    found = draw(looking((0.0, 0.0, 1.0)), Box((2.5, 0.0, 1.0), (1.0, 1.0, 1.0)))
    assert (found.colour.shape, found.colour.dtype) == ((120, 160, 3), np.uint8)
    assert (found.depth.shape, found.depth.dtype) == ((120, 160), np.float32)
    assert (found.instance.shape, found.instance.dtype) == ((120, 160), np.int32)
    assert found.colour.flags.c_contiguous


def test_real_scenes_agree_with_casting_rays(real_scenes: list[Scene]) -> None:
    for scene in real_scenes[:9]:
        frames = camera_walk(scene, seconds=1, fps=3, width=64, height=48, seed=1)
        for frame in frames:
            found = render(Drawing.of(scene), frame)
            depths, spans, seen = cast(scene, frame)
            hit = np.where((spans > 1e-6) & seen, depths, np.inf).min(axis=0)
            at = found.instance >= 0
            off = np.abs(found.depth[at] - hit[at]) > 1e-3 * hit[at]
            assert off.mean() < 0.01
