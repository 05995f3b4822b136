"""Frames by index are exactly those that decoding everything gives, whatever the codec."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.video.reformatter import VideoReformatter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from harness.decoder import SCALING, decode
from harness.errors import VideoError

# Every way of referring to other frames that matters to the choice of packets.
ENCODINGS = {
    "h264, no B-frames": ("libx264", "mp4", {"bf": "0", "g": "12"}),
    "h264, B-pyramid": ("libx264", "mp4", {"preset": "medium", "g": "250"}),
    "h264, open groups": ("libx264", "mkv", {"x264-params": "keyint=12:open-gop=1:bframes=3"}),
    "h264, intra refresh": ("libx264", "mp4", {"x264-params": "keyint=12:intra-refresh=1"}),
    "h264, transport stream": ("libx264", "ts", {"g": "12"}),
    "h265, open groups": ("libx265", "mp4", {"x265-params": "keyint=10:open-gop=1:log-level=none"}),
    "mpeg4, avi": ("mpeg4", "avi", {"g": "12", "bf": "2"}),
    "mpeg2": ("mpeg2video", "ts", {"g": "12", "bf": "2"}),
    "vp8": ("libvpx", "webm", {"auto-alt-ref": "1", "lag-in-frames": "16"}),
    "vp9": ("libvpx-vp9", "webm", {"cpu-used": "8"}),
    "av1": ("libsvtav1", "mkv", {"preset": "12", "svtav1-params": "keyint=12"}),
    "flash": ("flv", "flv", {"g": "12"}),
    "all key frames": ("mjpeg", "mkv", {}),
}


def moving(count: int, height: int = 48, width: int = 64) -> list[NDArray[np.uint8]]:
    """A bright square on a ramp; no two frames are equal."""
    frames = []
    for number in range(count):
        frame = np.tile(np.linspace(20, 120, width, dtype=np.uint8), (height, 1))
        row, column = 3 * number % (height - 8), 5 * number % (width - 8)
        frame[row : row + 8, column : column + 8] = 200
        frames.append(np.stack([frame, frame[:, ::-1], frame], axis=-1))
    return frames


def encode(path: Path, codec: str, options: dict[str, str], count: int = 40) -> Path:
    if codec not in av.codecs_available:
        pytest.skip(f"this PyAV has no {codec}")
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=10)
        stream.height, stream.width = 48, 64
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.options = options
        for frame in moving(count):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return path


def decoded_whole(path: Path) -> NDArray[np.uint8]:
    """Every frame by plain sequential decoding."""
    reformatter = VideoReformatter()
    with av.open(str(path)) as container:
        return np.stack(
            [
                reformatter.reformat(frame, format="rgb24", interpolation=SCALING).to_ndarray()
                for frame in container.decode(container.streams.best("video"))
            ]
        )


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_any_frame_alone_is_the_frame_of_a_whole_decode(encoding: str, tmp_path: Path) -> None:
    codec, suffix, options = ENCODINGS[encoding]
    path = encode(tmp_path / f"clip.{suffix}", codec, options)
    whole = decoded_whole(path)
    for index in range(len(whole)):
        decoded = decode(path, lambda _, index=index: (index,), None)
        assert decoded.total == len(whole) == 40
        assert np.array_equal(decoded.frames[0], whole[index])


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_spread_frames_are_those_of_a_whole_decode(encoding: str, tmp_path: Path) -> None:
    codec, suffix, options = ENCODINGS[encoding]
    path = encode(tmp_path / f"clip.{suffix}", codec, options)
    whole = decoded_whole(path)
    for wanted in [(0, 13, 26, 39), (0, 0, 5, 6, 7), (11, 12, 23, 24), tuple(range(40))]:
        decoded = decode(path, lambda _, wanted=wanted: wanted, None)
        assert decoded.indices == wanted
        assert np.array_equal(decoded.frames, whole[list(wanted)])
        assert np.allclose(decoded.times, [index / 10 for index in wanted], atol=0.002)
        assert decoded.fps == pytest.approx(10, rel=1e-2)


@pytest.mark.parametrize(
    ("name", "total", "fps"),
    [
        ("h264_10bits.mp4", 30, 30.0),
        ("h265_video.mp4", 10, 10.0),
        ("av1_video.mkv", 125, 25.0),
        ("bt709_full_range.mp4", 30, 30.0),
        ("nasa_13013.mp4", 390, 30000 / 1001),
    ],
)
def test_published_clips(
    name: str, total: int, fps: float, shared_data: Callable[[str], Path]
) -> None:
    path = shared_data("video-decode") / name
    whole = decoded_whole(path)
    wanted = tuple(np.linspace(0, total - 1, 7, dtype=int).tolist())
    decoded = decode(path, lambda _: wanted, None)
    assert (decoded.total, decoded.fps) == (total, fps)
    assert np.array_equal(decoded.frames, whole[list(wanted)])


def test_golden_time_stamps_of_the_best_stream(shared_data: Callable[[str], Path]) -> None:
    folder = shared_data("video-decode")
    golden = json.loads((folder / "nasa_13013.mp4.stream3.all_frames_info.json").read_text())
    decoded = decode(folder / "nasa_13013.mp4", range, (18, 32))
    assert decoded.total == len(golden)
    assert [f"{time:.6f}" for time in decoded.times] == [frame["pts_time"] for frame in golden]


def test_full_range_colours_are_read_as_such(shared_data: Callable[[str], Path]) -> None:
    """BT.709 full range by its definition, on the mean colour of the first frame."""
    path = shared_data("video-decode") / "bt709_full_range.mp4"
    with av.open(str(path)) as container:
        planes = next(container.decode(video=0)).to_ndarray(format="yuvj420p").astype(float)
    luma, chroma = planes[:720], planes[720:].reshape(2, -1)
    y, (cb, cr) = luma.mean(), chroma.mean(axis=1) - 128
    expected = [y + 1.5748 * cr, y - 0.1873 * cb - 0.4681 * cr, y + 1.8556 * cb]
    found = decode(path, lambda _: (0,), None).frames[0].reshape(-1, 3).mean(axis=0)
    assert found == pytest.approx(expected, abs=1.5)


@pytest.mark.parametrize(("angle", "quarters"), [(0, 0), (90, 3), (180, 2), (270, 1)])
def test_turned_upright(angle: int, quarters: int, tmp_path: Path) -> None:
    """The track header of an mp4 says by how much a player turns the picture clockwise."""
    plain = encode(tmp_path / "plain.mp4", "libx264", {})
    data = bytearray(plain.read_bytes())
    one = 1 << 16
    cosine, sine = {0: (1, 0), 90: (0, 1), 180: (-1, 0), 270: (0, -1)}[angle]
    matrix = (cosine, sine, 0, -sine, cosine, 0, 0, 0)
    # ISO/IEC 14496-12, 8.3.2: in version 0 the matrix is 40 bytes after the box's content starts.
    start = data.index(b"tkhd") + 4 + 40
    for place, value in enumerate(matrix):
        data[start + 4 * place : start + 4 * place + 4] = (value * one).to_bytes(4, signed=True)
    turned = tmp_path / "turned.mp4"
    turned.write_bytes(data)
    upright = decode(turned, lambda _: (0, 20), None).frames
    expected = decode(plain, lambda _: (0, 20), None).frames
    assert np.array_equal(upright, np.rot90(expected, quarters, axes=(1, 2)))
    assert decode(turned, lambda _: (0,), (24, 16)).frames.shape == (1, 24, 16, 3)


def test_container_that_claims_more_frames_than_it_has(tmp_path: Path) -> None:
    path = encode(tmp_path / "clip.avi", "mpeg4", {"g": "12"})
    data = bytearray(path.read_bytes())
    for header, offset in ((b"avih", 8 + 16), (b"strh", 8 + 32)):
        place = data.index(header) + offset
        assert int.from_bytes(data[place : place + 4], "little") == 40
        data[place : place + 4] = (4000).to_bytes(4, "little")
    path.write_bytes(data)
    assert decode(path, lambda total: (total - 1,), None).total == 40


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi"])
@pytest.mark.parametrize("left", [0.3, 0.6, 0.85])
def test_cut_off_files_are_refused(suffix: str, left: float, tmp_path: Path) -> None:
    codec = "mpeg4" if suffix == "avi" else "libx264"
    path = encode(tmp_path / f"clip.{suffix}", codec, {"g": "12"}, count=100)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * left)])
    with pytest.raises(VideoError, match=r"clip\.\w+: .*(cut off|damaged)"):
        decode(path, lambda total: (0, total - 1), None)


def test_index_in_front_but_data_cut_at_a_packet(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    encode(path, "libx264", {"g": "12"})
    fast = tmp_path / "fast.mp4"
    options = {"movflags": "+faststart"}
    with av.open(str(path)) as source, av.open(str(fast), "w", options=options) as target:
        stream = source.streams.video[0]
        copy = target.add_stream_from_template(stream)
        for packet in source.demux(stream):
            if packet.size:
                packet.stream = copy
                target.mux(packet)
    with av.open(str(fast)) as container:
        ends = [entry.pos for entry in container.streams.video[0].index_entries]
    data = fast.read_bytes()
    for end in ends[5::7]:
        fast.write_bytes(data[:end])
        with pytest.raises(VideoError, match="cut off"):
            decode(fast, lambda _: (0,), None)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts", "avi"])
@settings(
    derandomize=True,
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_any_damage_gives_frames_or_a_named_error(
    suffix: str, data: st.DataObject, tmp_path: Path
) -> None:
    path = tmp_path / f"clip.{suffix}"
    if not path.exists():
        encode(path, "mpeg4" if suffix == "avi" else "libx264", {"g": "12"}, count=20)
    content = bytearray(path.read_bytes())
    places = st.integers(0, len(content) - 1)
    for place in data.draw(st.lists(places, min_size=1, max_size=20)):
        content[place] ^= data.draw(st.integers(1, 255))
    damaged = tmp_path / f"damaged.{suffix}"
    damaged.write_bytes(content[: data.draw(places) + 1] if data.draw(st.booleans()) else content)
    with contextlib.suppress(VideoError):
        assert decode(damaged, lambda _: (0,), (24, 32)).frames.shape == (1, 24, 32, 3)


def test_frames_with_equal_time_stamps_are_counted_by_decoding(tmp_path: Path) -> None:
    """Packets cannot be told apart by time, so all is decoded and the times are made up."""
    first = encode(tmp_path / "first.mkv", "libx264", {"bf": "0", "g": "12"}, count=14)
    path = tmp_path / "doubled.mkv"
    with av.open(str(first)) as source, av.open(str(path), "w") as target:
        stream = source.streams.video[0]
        copy = target.add_stream_from_template(stream)
        for packet in source.demux(stream):
            if packet.size:
                packet.pts = packet.dts = packet.pts // 200 * 200
                packet.stream = copy
                target.mux(packet)
    whole = decoded_whole(first)
    decoded = decode(path, range, None)
    assert decoded.total == len(whole) == 14
    assert np.array_equal(decoded.frames, whole)
    assert list(decoded.times) == sorted(set(decoded.times))


def test_packets_that_are_never_shown_do_not_count(tmp_path: Path) -> None:
    """VP8's alternative reference frames: bit 4 of a frame's first byte says if it is shown."""
    first = encode(tmp_path / "first.webm", "libvpx", {"lag-in-frames": "0", "g": "12"})
    path = tmp_path / "hidden.webm"
    with av.open(str(first)) as source, av.open(str(path), "w") as target:
        stream = source.streams.video[0]
        copy = target.add_stream_from_template(stream)
        for number, packet in enumerate(packet for packet in source.demux(stream) if packet.size):
            content = bytearray(bytes(packet))
            if number in (7, 20):
                content[0] &= ~0x10
            changed = av.Packet(bytes(content))
            changed.pts, changed.dts = packet.pts, packet.dts
            changed.time_base, changed.is_keyframe = packet.time_base, packet.is_keyframe
            changed.stream = copy
            target.mux(changed)
    whole = decoded_whole(path)
    assert len(whole) == 38
    decoded = decode(path, lambda total: (0, 10, total - 1), None)
    assert decoded.total == 38
    assert np.array_equal(decoded.frames, whole[[0, 10, 37]])


def test_recording_that_starts_amid_a_group(tmp_path: Path) -> None:
    """What comes before the first key frame cannot be decoded and does not count."""
    path = encode(
        tmp_path / "clip.ts", "libx264", {"x264-params": "keyint=12:scenecut=0:bframes=0"}
    )
    whole = decoded_whole(path)
    with av.open(str(path)) as container:
        places = [packet.pos for packet in container.demux(video=0) if packet.size]
    data = path.read_bytes()
    path.write_bytes(data[places[5] :])
    decoded = decode(path, range, None)
    assert decoded.total == 28
    assert np.array_equal(decoded.frames, whole[12:])


def test_frames_cut_off_by_an_edit_list_do_not_count(tmp_path: Path) -> None:
    """Trimmed videos keep their frames, and say from which time on to show them."""
    path = encode(tmp_path / "clip.mp4", "libx264", {"g": "12"})
    untrimmed = decoded_whole(path)
    data = bytearray(path.read_bytes())
    # ISO/IEC 14496-12, 8.6.6: version, count and duration go before the entry's media time.
    place = data.index(b"elst") + 4 + 4 + 4 + 4
    with av.open(str(path)) as container:
        frame = round(1 / (10 * container.streams.video[0].time_base))
    start = int.from_bytes(data[place : place + 4]) + 5 * frame
    data[place : place + 4] = start.to_bytes(4)
    path.write_bytes(data)
    decoded = decode(path, lambda total: (0, 6, total - 1), None)
    assert decoded.total == len(decoded_whole(path)) == 35
    assert np.array_equal(decoded.frames, untrimmed[[5, 11, 39]])
    assert decoded.times == pytest.approx((0.0, 0.6, 3.4))
    assert decode(path, lambda total: (total - 1,), None).total == 35
