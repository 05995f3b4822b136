"""Recordings of scans: poses in the aligned world, and what frames show; packed here by hand."""

import json
import struct
import zlib

import numpy as np
import pytest

from harness.errors import SceneError
from harness.video import read_clip
from harness_plugins.scenes.files.sens_video import poses_path
from harness_plugins.scenes.scannet.source import build
from harness_plugins.scenes.settings import ScanNetSettings

SCAN = "scene0011_00"
EYE = np.eye(4)
# At the height of a chair, looking along y: both chairs are ahead, 3 and 4.2 metres away.
POSE = np.array([[1, 0, 0, 2.5], [0, 0, 1, -2], [0, -1, 0, 0.5], [0, 0, 0, 1.0]])
ALIGNMENT = np.array([[0, 1, 0, 3], [-1, 0, 0, 4], [0, 0, 1, -0.5], [0, 0, 0, 1.0]])
COLOUR_CAMERA = np.array([[9, 0, 4, 0], [0, 8, 3, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])
DEPTH_CAMERA = np.array([[60, 0, 32, 0], [0, 60, 24, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])
LOST = np.full((4, 4), -np.inf)


def sens_bytes(frames, depth_extrinsic=EYE):
    """A recording of (pose, metres everywhere in its depth picture): colour 8 x 6, depth 64 x 48."""
    matrices = (COLOUR_CAMERA, EYE, DEPTH_CAMERA, depth_extrinsic)
    data = struct.pack("<IQ", 4, 4) + b"test"
    data += struct.pack("<64f", *np.concatenate([matrix.ravel() for matrix in matrices]))
    data += struct.pack("<2i4IfQ", 0, 1, 8, 6, 64, 48, 1000.0, len(frames))
    for number, (pose, metres) in enumerate(frames):
        colour = bytes([40 * number]) * (8 * 6 * 3)
        depth = zlib.compress(np.full(64 * 48, round(1000 * metres), dtype="<u2").tobytes())
        data += struct.pack("<16f4Q", *pose.ravel(), 0, 0, len(colour), len(depth))
        data += colour + depth
    return data


@pytest.fixture
def recorded(release):
    """Six frames; the pose of the fifth is lost; the third looks through to the second chair."""
    release.write(alignment=ALIGNMENT)
    raw = np.linalg.inv(ALIGNMENT) @ POSE
    distances = [3.0, 1.0, 4.2, 1.0, 3.0, 1.0]
    frames = [(LOST if n == 4 else raw, metres) for n, metres in enumerate(distances)]
    release.path(".sens").write_bytes(sens_bytes(frames))
    return release


def source(release, **fields):
    return build(ScanNetSettings(root=release.root, **fields))


def pixels(release, number):
    """Pixels of the depth picture that an object's points fall into."""
    _, centre, size = release.things[number]
    right, forward, up = (release.grid(centre, size) - POSE[:3, 3]).T
    columns = np.floor(60 * right / forward + 32)
    rows = np.floor(-60 * up / forward + 24)
    return len(set(zip(columns.tolist(), rows.tolist(), strict=True)))


def test_frames_show_what_the_depth_picture_does_not_hide(recorded):
    scene = source(recorded, posed_frames=12.0).load(SCAN)
    assert [frame.time for frame in scene.frames] == [0.0, 2 / 24]
    for frame in scene.frames:
        assert frame.pose == pytest.approx(POSE, abs=1e-6)
    camera = scene.frames[0].intrinsics
    assert (camera.width, camera.height) == (640, 480)
    assert (camera.fx, camera.fy, camera.cx, camera.cy) == (720, 640, 320, 240)
    column = scene.visibility.column
    seen = {name: scene.visibility.pixels[:, column[name]].tolist() for name in column}
    assert list(seen) == [thing.id for thing in scene.objects]
    # At 3 m the office chair (2), at 4.2 m the chair (4) behind it, which it would hide.
    assert seen["2"] == [pixels(recorded, 2), 0]
    assert seen["4"] == [0, pixels(recorded, 4)]
    assert scene.faults == (f"{SCAN}.sens: 1 of 3 frames have no pose, left out",)


def test_every_frame_is_looked_at_from_24_a_second_on(recorded):
    for rate in (24.0, 60.0):
        scene = source(recorded, posed_frames=rate, visibility=False).load(SCAN)
        assert [round(24 * frame.time) for frame in scene.frames] == [0, 1, 2, 3, 5]
        assert scene.visibility is None


def test_the_depth_camera_sits_where_its_extrinsic_says(recorded):
    raw = np.linalg.inv(ALIGNMENT) @ POSE
    away = EYE.copy()
    away[2, 3] = 1.2  # a step towards the chairs: the farther one is 3 m from there
    recorded.path(".sens").write_bytes(sens_bytes([(raw, 3.0)], away))
    scene = source(recorded).load(SCAN)
    column = scene.visibility.column
    assert scene.visibility.pixels[0, column["2"]] == 0
    assert scene.visibility.pixels[0, column["4"]] > 0
    assert scene.frames[0].pose == pytest.approx(POSE, abs=1e-6)


def test_the_recording_can_be_left_alone(recorded):
    recorded.path(".sens").write_bytes(b"broken")
    scene = source(recorded, posed_frames=0.0).load(SCAN)
    assert (scene.frames, scene.visibility, scene.faults) == ((), None, ())
    with pytest.raises(SceneError, match=r"0011_00\.sens"):
        source(recorded).load(SCAN)


def test_a_recording_cut_short_is_refused(recorded):
    data = recorded.path(".sens").read_bytes()
    recorded.path(".sens").write_bytes(data[:-10])
    with pytest.raises(SceneError, match=r"0011_00\.sens: frame 5"):
        source(recorded).load(SCAN)


def test_the_video_has_a_pose_for_each_frame_in_the_aligned_world(recorded, tmp_path):
    out = tmp_path / "out.mp4"
    frames = source(recorded).export_video(SCAN, out)
    clip = read_clip(out, frames=6)
    assert (clip.total, clip.fps, clip.frames.shape[1:]) == (6, 24.0, (480, 640, 3))
    assert [frame is None for frame in frames] == [False] * 4 + [True, False]
    assert frames[5].time == 5 / 24
    assert frames[5].pose == pytest.approx(POSE, abs=1e-6)
    rows = [json.loads(line) for line in poses_path(out).read_text().splitlines()]
    assert rows[4]["pose"] is None
    assert rows[5]["pose"]["camera_to_world"] == list(frames[5].camera_to_world)


def test_a_scan_without_a_recording_has_no_footage(release, tmp_path):
    found = source(release.write())
    assert found.load(SCAN).frames == ()
    with pytest.raises(
        SceneError, match=r"0011_00\.sens: no such file: without it the scan has no"
    ):
        found.export_video(SCAN, tmp_path / "out.mp4")
    with pytest.raises(SceneError, match="no scene 'scene0099_00'"):
        found.export_video("scene0099_00", tmp_path / "out.mp4")
