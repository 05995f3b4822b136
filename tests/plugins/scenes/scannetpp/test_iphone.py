"""The iPhone recording: poses, what they show, and the exported video."""

import json

import numpy as np
import pytest

from harness.errors import SceneError
from harness.scene import Intrinsics, VideoRef
from harness.video import read_clip

SCENE = "036bce3393"
CAMERA = Intrinsics(640, 480, 480.0, 480.0, 320.0, 240.0)


def test_poses_are_thinned_and_lost_ones_left_out(release):
    release.write().record(frames=61, lost=(30,))
    frames = release.source(posed_frames=4.0).load(SCENE).frames
    assert [frame.time for frame in frames] == [0.0, 0.25, 0.75, 1.0]
    assert frames[0].intrinsics == CAMERA
    assert frames[0].pose[:3, 3].tolist() == [2.0, -3.0, 1.0]


def test_a_thing_behind_a_wall_is_not_seen(release):
    release.write().record(frames=1)
    vertices = []
    segments = []
    for segment, y, half in ((10, 1.0, 1.5), (11, 2.5, 0.3)):
        side = np.arange(-half, half + 0.01, 0.02)
        x, z = np.meshgrid(2.0 + side, 1.0 + side)
        vertices.append(np.stack([x.ravel(), np.full(x.size, y), z.ravel()], axis=1))
        segments += [segment] * x.size
    floor = np.stack(np.meshgrid(np.arange(0, 4, 0.1), np.arange(0, 3, 0.1), [0.0]), axis=-1)
    vertices.append(floor.reshape(-1, 3))
    segments += [12] * len(vertices[-1])
    release.mesh(np.concatenate(vertices))
    release.json(release.scans() / "segments.json", segIndices=segments)
    release.groups(lambda groups: groups.__delitem__(slice(3, None)))
    release.groups(lambda groups: [group.update(segments=[]) for group in groups])
    release.groups(lambda groups: groups[1].update(segments=[11]))
    # The wall, segment 10, is no object that is asked about; it hides all the same.
    seen = release.source().load(SCENE).visibility
    assert dict(zip(seen.objects, seen.pixels[0].tolist(), strict=True))["2"] == 0
    # Without the wall it is seen.
    kept = np.concatenate(vertices[1:])
    release.mesh(kept)
    release.json(release.scans() / "segments.json", segIndices=[s for s in segments if s != 10])
    seen = release.source().load(SCENE).visibility
    assert dict(zip(seen.objects, seen.pixels[0].tolist(), strict=True))["2"] > 300


def test_visibility_can_be_left_out(release):
    release.write().record()
    (release.scans() / "segments.json").unlink()
    scene = release.source(visibility=False).load(SCENE)
    assert (scene.visibility, len(scene.frames)) == (None, 1)
    with pytest.raises(SceneError, match=r"segments\.json: no such file"):
        release.source().load(SCENE)


def test_the_video_is_exported_at_vsi_benchs_rate_and_size(release, tmp_path):
    release.write().record(lost=(4, 5))
    release.film()
    out = tmp_path / "out.mp4"
    frames = release.source().export_video(SCENE, out)
    # Thirty frames at 60 a second are fifteen at 30; of them the one of frame 4 was lost.
    assert [number for number, frame in enumerate(frames) if frame is None] == [2]
    assert len(frames) == 15
    assert [frame.time for frame in frames if frame][:3] == [0.0, 1 / 30, 3 / 30]
    assert frames[0].intrinsics == CAMERA
    clip = read_clip(out, frames=15)
    assert (clip.total, clip.frames.shape) == (15, (15, 480, 640, 3))
    assert clip.fps == pytest.approx(30.0)
    # Each picture is that of its pose: brightness 40 + 6 n on the right, black on the left.
    bright = clip.frames[:, 240, 600, 1].astype(int)
    assert bright.tolist() == pytest.approx([40 + 12 * n for n in range(15)], abs=4)
    assert clip.frames[:, 240, 40].max() < 8


def test_exported_videos_are_found(release, tmp_path):
    """The recording itself is 1920 x 1440 at 60 frames a second: not what is asked about."""
    release.write().record()
    release.film()
    assert release.source().load(SCENE).video is None
    exported = tmp_path / "videos" / "scannetpp" / f"{SCENE}.mp4"
    release.source().export_video(SCENE, exported)
    scene = release.source(videos=tmp_path / "videos").load(SCENE)
    assert scene.video == VideoRef(exported)


def test_poses_beyond_the_video_and_frames_beyond_the_poses(release, tmp_path):
    release.write().record(frames=10)
    release.film(frames=30)
    frames = release.source().export_video(SCENE, tmp_path / "out.mp4")
    assert [frame is None for frame in frames] == [False] * 5 + [True] * 10


def test_no_recording_is_told(release, tmp_path):
    release.write()
    with pytest.raises(SceneError) as caught:
        release.source().export_video(SCENE, tmp_path / "out.mp4")
    assert "rgb.mkv and no " in str(caught.value)
    with pytest.raises(SceneError, match="no scene 'x'"):
        release.source().export_video("x", tmp_path / "out.mp4")
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({}, "has no frames"),
        ({"x": {}}, "'x': expected frame_<number> with an object"),
        ({"frame_000000": 3}, "'frame_000000': expected frame_<number> with an object"),
        ({"frame_000000": {}}, "frame_000000.aligned_pose: expected 4 x 4 numbers, found None"),
        (
            {"frame_000000": {"aligned_pose": [[1] * 4] * 3, "intrinsic": [[1] * 3] * 3}},
            "frame_000000.aligned_pose: expected 4 x 4 numbers",
        ),
        (
            {"frame_000000": {"aligned_pose": [["1"] * 4] * 4, "intrinsic": [[1] * 3] * 3}},
            "frame_000000.aligned_pose: expected 4 x 4 numbers",
        ),
        (
            {
                "frame_99999999": {
                    "aligned_pose": np.eye(4).tolist(),
                    "intrinsic": np.eye(3).tolist(),
                }
            },
            "1 frames, numbered up to 99999999",
        ),
    ],
)
def test_faulty_poses_are_named(release, content, told):
    release.write().record()
    path = release.phone() / "pose_intrinsic_imu.json"
    path.write_text(json.dumps(content))
    with pytest.raises(SceneError) as caught:
        release.source().load(SCENE)
    assert f"{path}: {told}" in str(caught.value)


def test_a_pose_that_is_no_motion_is_lost(release):
    release.write().record(frames=2)
    path = release.phone() / "pose_intrinsic_imu.json"
    content = json.loads(path.read_text())
    content["frame_000000"]["aligned_pose"][0][0] = 5
    content["frame_000001"]["intrinsic"][0][0] = 0
    path.write_text(json.dumps(content))
    scene = release.source(posed_frames=60.0).load(SCENE)
    assert scene.frames == ()
    assert scene.visibility.pixels.shape == (0, 4)
