"""The camera walk: poses, smoothness, where it stays, what it sees."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from harness.layout.camera import camera_walk
from harness.layout.drawing import Drawing, floor_height
from harness.layout.raster import render
from harness.scene import Array, Box, Frame, Scene

MakeScene = Callable[..., Scene]


def walk(scene: Scene, seed: int = 0, *, seconds: float = 4.0, fps: int = 8) -> tuple[Frame, ...]:
    return camera_walk(scene, seconds=seconds, fps=fps, width=96, height=72, seed=seed)


def eyes(frames: tuple[Frame, ...]) -> Array:
    return np.stack([frame.pose[:3, 3] for frame in frames])


def inside_boxes(frames: tuple[Frame, ...], scene: Scene) -> int:
    """Frames whose camera is inside an object."""
    drawing = Drawing.of(scene)
    offset = eyes(frames)[:, None] - drawing.centres
    local = np.abs(np.einsum("bij,fbj->fbi", drawing.axes, offset))
    return int((local <= drawing.halves).all(axis=-1).any(axis=-1).sum())


def share_seen(frames: tuple[Frame, ...], scene: Scene) -> float:
    drawing = Drawing.of(scene)
    seen = {number for frame in frames for number in np.unique(render(drawing, frame).instance)}
    return len(seen - {-1}) / len(scene.objects)


def test_number_and_times_of_frames(furnished: Scene) -> None:
    frames = walk(furnished, seconds=2.5, fps=4)
    assert [frame.time for frame in frames] == [number / 4 for number in range(10)]
    assert len(walk(furnished, seconds=0.01, fps=1)) == 1


def test_poses_are_x_right_y_down_z_forward(furnished: Scene) -> None:
    for frame in walk(furnished):
        right, down, forward = frame.pose[:3, :3].T
        assert np.allclose(frame.pose[:3, :3].T @ frame.pose[:3, :3], np.eye(3), atol=1e-12)
        assert np.linalg.det(frame.pose[:3, :3]) == pytest.approx(1)
        assert right[2] == pytest.approx(0)
        assert down[2] < -0.7
        assert abs(forward[2]) < 0.7
        assert frame.pose[3].tolist() == [0, 0, 0, 1]


def test_camera_is_a_pinhole_in_the_middle_of_the_picture(furnished: Scene) -> None:
    camera = walk(furnished)[0].intrinsics
    assert (camera.width, camera.height, camera.cx, camera.cy) == (96, 72, 48.0, 36.0)
    assert camera.fx == camera.fy == pytest.approx(48 / np.tan(np.radians(37.5)))


def test_same_walk_again_and_another_for_another_seed_or_scene(
    furnished: Scene, make_scene: MakeScene
) -> None:
    assert walk(furnished) == walk(furnished)
    assert walk(furnished) != walk(furnished, seed=1)
    boxes = [(item.category, item.box) for item in furnished.objects]
    other = make_scene(boxes, floor=furnished.floor, name="another room")
    assert walk(furnished) != walk(other)


@pytest.mark.parametrize("room", ["furnished", "ell"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_walk_is_smooth_clear_and_shows_everything(
    room: str, seed: int, request: pytest.FixtureRequest
) -> None:
    scene: Scene = request.getfixturevalue(room)
    frames = walk(scene, seed, seconds=8.0)
    places = eyes(frames)
    assert np.allclose(places[:, 2], 1.5)
    steps = np.linalg.norm(np.diff(places, axis=0), axis=1)
    assert steps.max() < 0.4
    assert steps.sum() > 2
    forwards = np.stack([frame.pose[:3, 2] for frame in frames])
    turns = np.degrees(np.arccos(np.clip((forwards[1:] * forwards[:-1]).sum(axis=1), -1, 1)))
    assert turns.max() < 15
    assert inside_boxes(frames, scene) == 0
    corners = np.array(scene.floor)
    for place in places[:, :2]:
        along = np.roll(corners, -1, axis=0) - corners
        offset = place - corners
        winding = np.arctan2(
            offset[:, 0] * np.roll(offset, -1, 0)[:, 1]
            - offset[:, 1] * np.roll(offset, -1, 0)[:, 0],
            (offset * np.roll(offset, -1, 0)).sum(axis=1),
        ).sum()
        assert winding == pytest.approx(2 * np.pi)
        share = np.clip((offset * along).sum(1) / (along**2).sum(1), 0, 1)
        assert np.linalg.norm(offset - share[:, None] * along, axis=1).min() > 0.25
    assert share_seen(frames, scene) == 1.0


def test_eye_height_is_above_the_lowest_box_and_below_the_ceiling(make_scene: MakeScene) -> None:
    boxes = [("chair", Box.upright((1.0, 1.0, 10.5), (0.5, 0.5, 1.0)))]
    assert floor_height(make_scene(boxes)) == 10.0
    assert {frame.pose[2, 3] for frame in walk(make_scene(boxes))} == {11.5}
    low = replace(make_scene(boxes), height=1.6)
    assert eyes(walk(low))[:, 2] == pytest.approx(11.3)


@pytest.mark.parametrize(
    "boxes",
    [
        [],
        [Box.upright((2.5, 2.0, 1.0), (0.5, 0.5, 2.0))],
        [Box.upright((2.5, 2.0, 1.0), (3.5, 2.5, 2.0))],
        [Box.upright((x, 2.0, 1.0), (0.2, 3.9, 2.0)) for x in (0.5, 1.5, 2.5, 3.5, 4.5)],
    ],
    ids=["nothing", "a column in the middle", "a block in the middle", "aisles"],
)
@pytest.mark.parametrize("known", [True, False], ids=["outline", "no outline"])
def test_walks_around_what_is_in_the_way(
    boxes: list[Box], known: bool, make_scene: MakeScene
) -> None:
    floor = ((0.0, 0.0), (5.0, 0.0), (5.0, 4.0), (0.0, 4.0)) if known else ()
    scene = make_scene([("closet", box) for box in boxes], floor=floor)
    frames = walk(scene)
    assert len(frames) == 32
    assert inside_boxes(frames, scene) == 0


def test_a_room_that_is_full_is_still_filmed(make_scene: MakeScene) -> None:
    floor = ((0.0, 0.0), (5.0, 0.0), (5.0, 4.0), (0.0, 4.0))
    scene = make_scene([("closet", Box.upright((2.5, 2.0, 1.0), (5.0, 4.0, 2.0)))], floor=floor)
    assert len(walk(scene)) == 32


def test_real_rooms_are_seen_and_no_camera_is_in_an_object(real_scenes: list[Scene]) -> None:
    seen = []
    for scene in real_scenes:
        frames = walk(scene, seconds=4.0, fps=4)
        assert inside_boxes(frames, scene) == 0
        seen.append(share_seen(frames, scene))
    # What is left lies inside or behind something else from wherever one stands.
    assert np.mean(seen) > 0.9
