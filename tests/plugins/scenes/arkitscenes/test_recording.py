"""ARKitScenes' recordings: upright pictures, cameras and poses that agree, and their faults."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from harness.errors import SceneError
from harness.scene import Intrinsics
from harness.video import read_clip
from harness_plugins.scenes.arkitscenes.recording import Recording
from harness_plugins.scenes.arkitscenes.trajectory import read_trajectory

SCAN = "41069025"
# The middle of the table's front, and of the sofa's.
POINT = np.array([1.4, 0.5, 0.5])
ROLLS = [0.0, 90.0, 180.0, 270.0]


def pixel(frame, point):
    x, y, z = frame.pose[:3, :3].T @ (point - frame.pose[:3, 3])
    camera = frame.intrinsics
    return camera.fx * x / z + camera.cx, camera.fy * y / z + camera.cy


def test_a_trajectory_is_inverted(tmp_path):
    # The world is turned by a quarter about z and then moved to get to the camera.
    path = tmp_path / "lowres_wide.traj"
    path.write_text(f"7.5 0 0 {np.pi / 2} 1 2 3\n\n7.6 0 0 0 0 0 0\n")
    found = read_trajectory(path)
    assert found.times.tolist() == [7.5, 7.6]
    # Camera's origin in the world: -R^T t with R^T (x, y) = (y, -x).
    assert found.poses[0][:3, 3].tolist() == pytest.approx([-2.0, 1.0, -3.0])
    world_to_camera = np.linalg.inv(found.poses[0])
    assert world_to_camera[:3, 3].tolist() == pytest.approx([1.0, 2.0, 3.0])
    assert (world_to_camera[:3, :3] @ [1, 0, 0]).tolist() == pytest.approx([0.0, 1.0, 0.0])


def test_between_two_poses_half_the_way(tmp_path):
    path = tmp_path / "lowres_wide.traj"
    path.write_text(f"1.0 0 0 0 0 0 0\n1.1 0 0 {-np.pi / 3} 0 0 0\n9.0 0 0 0 -1 0 0\n")
    found = read_trajectory(path)
    half = found.at(1.05)
    assert Rotation.from_matrix(half[:3, :3]).as_rotvec() == pytest.approx([0, 0, np.pi / 6])
    assert found.at(1.103).tolist() == found.poses[1].tolist()
    # Tracking was lost for eight seconds; before and after there is nothing.
    assert [found.at(time) is None for time in (5.0, 0.9, 9.1, 9.004)] == [True, True, True, False]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "has no poses"),
        ("1 0 0 0 0 0\n", "line 1: expected seven finite numbers, found '1 0 0 0 0 0'"),
        ("1 0 0 nan 0 0 0\n", "line 1: expected seven finite numbers"),
        ("1 0 0 0 0 0 0\n1 0 0 0 0 0 0\n", "line 2: time 1.0 does not come after the last"),
        ("1 0 0 0 0 0 0\n1.1 0 0 0 0", "line 2: expected seven finite numbers"),
    ],
)
def test_a_faulty_trajectory_is_named(tmp_path, text, told):
    path = tmp_path / "lowres_wide.traj"
    path.write_text(text)
    with pytest.raises(SceneError) as caught:
        read_trajectory(path)
    assert str(caught.value).startswith(f"{path}: {told}")


@pytest.mark.parametrize("roll", ROLLS)
def test_frames_are_upright_however_the_ipad_was_held(release, roll):
    release.write().record(roll=roll)
    frame = release.source().load(SCAN).frames[0]
    assert frame.pose[:3, 3].tolist() == pytest.approx([2.0, -2.0, 1.0], abs=1e-6)
    assert frame.pose[:3, :3] == pytest.approx(
        np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]]), abs=1e-6
    )
    expected = {
        0.0: Intrinsics(32, 24, 20, 21, 15, 13),
        90.0: Intrinsics(24, 32, 21, 20, 24 - 13, 15),
        180.0: Intrinsics(32, 24, 20, 21, 32 - 15, 24 - 13),
        270.0: Intrinsics(24, 32, 21, 20, 13, 32 - 15),
    }
    assert frame.intrinsics == expected[roll]


@pytest.mark.parametrize("roll", ROLLS)
def test_the_exported_video_is_upright_and_its_poses_are_its_own(release, tmp_path, roll):
    release.write().record(roll=roll)
    out = tmp_path / "out.mp4"
    frames = release.source().export_video(SCAN, out)
    clip = read_clip(out, frames=len(frames))
    # Three pictures at 0, 0.1 and 0.2 s are seven frames at 30 a second.
    assert (clip.total, len(frames)) == (7, 7)
    assert clip.fps == pytest.approx(30.0)
    assert [frame.time for frame in frames] == pytest.approx([n / 30 for n in range(7)])
    height, width = (640, 480) if roll in (90.0, 270.0) else (480, 640)
    assert clip.frames.shape == (7, height, width, 3)
    # Red grows towards the sky and green towards +x, which is right.
    picture = clip.frames[0].astype(int)
    assert picture[20, width // 2, 0] > picture[height - 20, width // 2, 0] + 60
    assert picture[height // 2, width - 20, 1] > picture[height // 2, 20, 1] + 60
    # Where a frame's pose and camera put a direction, its picture has that direction's colour.
    frame = frames[0]
    for ray in ((0.3, 1.0, 0.2), (-0.4, 1.0, -0.2), (0.1, 1.0, -0.3)):
        u, v = pixel(frame, frame.pose[:3, 3] + np.array(ray))
        red, green, _ = picture[int(v), int(u)]
        assert (red, green) == pytest.approx((128 + 150 * ray[2], 128 + 150 * ray[0]), abs=8)
    # Blue tells the picture: 0, 20 and 40.
    blue = clip.frames[:, height // 2, width // 2, 2].astype(int)
    assert [round(value / 20) for value in blue] == [0, 0, 0, 1, 1, 1, 2]


def test_pictures_without_a_pose_have_none(release, tmp_path):
    release.write().record(times=(0.0, 0.1, 1.0), poses=(0.0, 0.1))
    frames = release.source(fps=10.0).export_video(SCAN, tmp_path / "out.mp4")
    assert [frame is None for frame in frames] == [False] * 10 + [True]
    scene = release.source(posed_frames=60.0).load(SCAN)
    assert [frame.time for frame in scene.frames] == pytest.approx([0.0, 0.1])


@pytest.mark.parametrize("roll", ROLLS)
def test_depth_tells_what_is_hidden(release, roll):
    """The sofa's front is 4 m away, the table's 2.5 m."""
    release.write().record(roll=roll, depth=4.2)
    seen = release.source().load(SCAN).visibility
    pixels = dict(zip(seen.objects, seen.pixels[0].tolist(), strict=True))
    assert pixels["uid-0"] > 10
    assert pixels["uid-2"] == 0
    release.record(roll=roll, depth=2.6)
    seen = release.source().load(SCAN).visibility
    pixels = dict(zip(seen.objects, seen.pixels[0].tolist(), strict=True))
    assert pixels["uid-0"] == 0
    assert pixels["uid-2"] > 5


@pytest.mark.parametrize("roll", ROLLS)
def test_depth_turns_with_the_picture(release, roll):
    """Depth grows towards +x: upright, it grows from left to right and not from top to bottom."""
    release.write().record(roll=roll, depth=lambda rays: 3.0 + rays[..., 0])
    recording = Recording(release.frames())
    ((path, frame),) = recording.posed_frames(0.5)
    depth = recording.depth(path)
    assert depth.shape == (frame.intrinsics.height, frame.intrinsics.width)
    assert (np.diff(depth, axis=1) > 0).all()
    assert np.abs(np.diff(depth, axis=0)).max() == 0.0
    assert recording.depth(path.with_name(f"{SCAN}_1.000.png")) is None


def test_visibility_can_be_left_out(release):
    release.write().record()
    scene = release.source(visibility=False).load(SCAN)
    assert (len(scene.frames), scene.visibility) == (1, None)


def test_no_recording_is_told(release, tmp_path):
    release.write()
    with pytest.raises(
        SceneError, match=rf"no lowres_wide and lowres_wide\.traj in .*{SCAN}_frames"
    ):
        release.source().export_video(SCAN, tmp_path / "out.mp4")


def test_faulty_recordings_are_named(release, tmp_path):
    release.write().record()
    folder = release.frames()
    camera = folder / "lowres_wide_intrinsics" / f"{SCAN}_6791.500.pincam"
    for text in ("32 24 20 21 15", "32 24 0 21 15 13", "a b c d e f", "", "32 24 20 21 nan 13"):
        camera.write_text(text)
        with pytest.raises(SceneError, match=f"{camera}: expected 'width height"):
            release.source().load(SCAN)
    for path in (folder / "lowres_wide_intrinsics").iterdir():
        path.unlink()
    with pytest.raises(SceneError, match=r"lowres_wide_intrinsics: has no \.pincam files"):
        release.source().load(SCAN)
    release.record()
    (folder / "lowres_wide" / f"{SCAN}_6791.500.png").write_bytes(b"no picture")
    with pytest.raises(SceneError, match=r"6791\.500\.png: no readable PNG"):
        release.source().export_video(SCAN, tmp_path / "out.mp4")
    assert not (tmp_path / "out.mp4").exists()
    (folder / "lowres_wide" / "thumbnail.png").write_bytes(b"")
    with pytest.raises(SceneError, match=r"thumbnail\.png: expected <video>_<seconds>\.png"):
        release.source().load(SCAN)
