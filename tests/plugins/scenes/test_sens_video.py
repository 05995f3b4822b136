"""Videos of `.sens` recordings."""

import json
import zlib
from io import BytesIO

import av
import numpy as np
import pytest
from PIL import Image

from harness.errors import SceneError
from harness.scene import Intrinsics
from harness.video import read_clip
from harness_plugins.scenes.files import sens as sens_module
from harness_plugins.scenes.files.sens import SensFile
from harness_plugins.scenes.files.sens_video import export_video, poses_path
from harness_plugins.scenes.release.sens import SensFrame, write_sens

COLOUR = Intrinsics(1296, 968, 1170.0, 1170.0, 647.0, 483.0)
DEPTH = Intrinsics(4, 3, 2.0, 2.0, 2.0, 1.5)
LOST = 3


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    """Ten frames, each a lighter grey than the one before; one pose is lost; depth is broken."""

    def frames():
        for number in range(10):
            file = BytesIO()
            Image.new("RGB", (1296, 968), (25 * number,) * 3).save(file, "JPEG")
            pose = np.eye(4)
            pose[0, 3] = number
            yield SensFrame(
                None if number == LOST else pose, file.getvalue(), b"no zlib", number * 33_333
            )

    path = tmp_path_factory.mktemp("sens") / "scene0000_00.sens"
    assert write_sens(path, frames(), sensor="test", colour=COLOUR, depth=DEPTH) == 10
    return SensFile(path)


def greys(path, frames):
    clip = read_clip(path, frames=frames)
    return clip, [round(float(frame.mean())) for frame in clip.frames]


def test_every_frame_is_written_with_its_pose(recording, tmp_path):
    out = tmp_path / "videos" / "scene0000_00.mp4"
    frames = export_video(recording, out)
    clip, shown = greys(out, 10)
    assert (clip.total, clip.fps, clip.frames.shape[1:]) == (10, 24.0, (480, 640, 3))
    assert np.abs(np.array(shown) - 25 * np.arange(10)).max() <= 2
    assert [frame is None for frame in frames] == [number == LOST for number in range(10)]
    seen = [frame for frame in frames if frame is not None]
    assert [frame.time * 24 for frame in seen] == [0, 1, 2, 4, 5, 6, 7, 8, 9]
    assert [frame.camera_to_world[3] for frame in seen] == [0, 1, 2, 4, 5, 6, 7, 8, 9]
    camera = seen[0].intrinsics
    assert (camera.width, camera.height) == (640, 480)
    assert (camera.fx, camera.cy) == pytest.approx((1170 * 640 / 1296, 483 * 480 / 968))


def test_frames_are_sampled_evenly(recording, tmp_path):
    out = tmp_path / "few.mp4"
    frames = export_video(recording, out, width=64, height=48, fps=2, max_frames=4)
    clip, shown = greys(out, 4)
    assert (clip.total, clip.fps, clip.frames.shape) == (4, 2.0, (4, 48, 64, 3))
    assert np.abs(np.array(shown) - [0, 75, 150, 225]).max() <= 2
    assert frames[1] is None
    assert [(f.time, f.camera_to_world[3]) for f in frames if f] == [(0, 0), (1, 6), (1.5, 9)]


def test_more_frames_than_there_are_repeat_none(recording, tmp_path):
    out = tmp_path / "all.mp4"
    assert len(export_video(recording, out, width=64, height=48, max_frames=99)) == 10
    assert read_clip(out, frames=1).total == 10


def test_poses_lie_beside_the_video(recording, tmp_path):
    out = tmp_path / "scene0000_00.mp4"
    frames = export_video(recording, out, width=64, height=48, max_frames=4)
    assert poses_path(out) == tmp_path / "scene0000_00.poses.jsonl"
    rows = [json.loads(line) for line in poses_path(out).read_text().splitlines()]
    assert [row["source_frame"] for row in rows] == [0, 3, 6, 9]
    assert rows[1]["pose"] is None
    assert rows[2]["pose"]["camera_to_world"] == list(frames[2].camera_to_world)
    assert rows[2]["pose"]["intrinsics"]["width"] == 64


def test_the_same_recording_gives_the_same_bytes(recording, tmp_path):
    for name in ("one.mp4", "two.mp4"):
        export_video(recording, tmp_path / name, width=64, height=48)
    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "two.mp4").read_bytes()


def test_large_jpegs_are_decoded_at_half_size(recording):
    whole = sens_module._open_picture(recording.colour_bytes(1), recording.header.colour, None)
    half = sens_module._open_picture(recording.colour_bytes(1), recording.header.colour, (640, 480))
    assert (whole.size, half.size) == ((1296, 968), (648, 484))
    assert recording.colour(1, (640, 480)).shape == (480, 640, 3)


def test_a_damaged_picture_leaves_no_video(tmp_path):
    camera = Intrinsics(8, 8, 4.0, 4.0, 4.0, 4.0)
    good = BytesIO()
    Image.new("RGB", (8, 8)).save(good, "JPEG")
    depth = zlib.compress(bytes(2 * DEPTH.width * DEPTH.height))
    path = tmp_path / "damaged.sens"
    pictures = (good.getvalue(), b"no picture")
    frames = [SensFrame(np.eye(4), picture, depth, 0) for picture in pictures]
    write_sens(path, frames, sensor="", colour=camera, depth=DEPTH)
    with pytest.raises(SceneError, match="frame 1: colour cannot be read as jpeg"):
        export_video(SensFile(path), tmp_path / "out" / "damaged.mp4")
    assert [file.suffix for file in (tmp_path / "out").iterdir()] == [".jsonl"]


def test_no_video_without_frames(tmp_path):
    path = tmp_path / "empty.sens"
    write_sens(path, [], sensor="", colour=COLOUR, depth=DEPTH)
    with pytest.raises(SceneError, match="has no frames to make a video of"):
        export_video(SensFile(path), tmp_path / "empty.mp4")


def test_the_video_opens_as_h264(recording, tmp_path):
    export_video(recording, tmp_path / "v.mp4", width=64, height=48, max_frames=2)
    with av.open(str(tmp_path / "v.mp4")) as container:
        assert container.streams.video[0].codec_context.name == "h264"
