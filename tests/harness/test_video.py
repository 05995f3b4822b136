"""Sampling, reading and writing videos."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from harness.errors import VideoError
from harness.video import file_digest, probe, read_clip, sample_indices, write_video


def test_linspace_is_the_benchmarks_rule() -> None:
    assert sample_indices(1800, 8) == (0, 257, 514, 771, 1028, 1285, 1542, 1799)
    assert sample_indices(10, 1) == (0,)
    assert sample_indices(10, 10) == tuple(range(10))
    assert sample_indices(3, 7) == (0, 0, 0, 1, 1, 1, 2)


@settings(derandomize=True, max_examples=100)
@given(total=st.integers(1, 100_000), count=st.integers(1, 300))
def test_linspace_agrees_with_numpy(total: int, count: int) -> None:
    indices = sample_indices(total, count)
    assert indices == tuple(np.linspace(0, total - 1, count, dtype=int))
    assert len(indices) == count
    assert all(0 <= index < total for index in indices)


@pytest.mark.parametrize(
    ("total", "count", "sampler", "message"),
    [
        (0, 4, "linspace", "cannot sample 4 of 0"),
        (4, 0, "linspace", "cannot sample 0 of 4"),
        (4, 2, "random", "no frame sampler 'random'; there is 'linspace'"),
    ],
)
def test_senseless_samples(total: int, count: int, sampler: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        sample_indices(total, count, sampler)


def gradient(count: int, height: int = 48, width: int = 64) -> NDArray[np.uint8]:
    """(count, height, width, 3): smooth pictures that grow brighter."""
    rows, columns = np.mgrid[0:height, 0:width]
    frames = [
        np.stack([rows * 2 + 4 * n, columns * 2 + 2 * n, np.full_like(rows, 60 + 3 * n)], axis=-1)
        for n in range(count)
    ]
    return np.clip(np.stack(frames), 0, 255).astype(np.uint8)


def psnr(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    error = np.square(one.astype(np.float64) - other).mean()
    return float(10 * np.log10(255**2 / error))


def test_written_video_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "new" / "clip.mp4"
    frames = gradient(20)
    write_video(path, frames, 5)
    clip = read_clip(path, frames=20)
    assert (clip.total, clip.fps, clip.indices) == (20, 5.0, tuple(range(20)))
    assert clip.times == tuple(index / 5 for index in range(20))
    assert clip.digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert clip.frames.dtype == np.uint8
    assert psnr(clip.frames, frames) > 40
    assert [entry.name for entry in path.parent.iterdir()] == ["clip.mp4"]


def test_frames_are_read_only(tmp_path: Path) -> None:
    write_video(tmp_path / "clip.mp4", gradient(4), 5)
    clip = read_clip(tmp_path / "clip.mp4", frames=2)
    with pytest.raises(ValueError, match="read-only"):
        clip.frames[0, 0, 0, 0] = 1


def test_fractional_rate(tmp_path: Path) -> None:
    write_video(tmp_path / "clip.mp4", gradient(6), Fraction(30000, 1001))
    assert read_clip(tmp_path / "clip.mp4", frames=1).fps == pytest.approx(30000 / 1001)


def test_scaling_is_close_to_pillows_bicubic(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    write_video(path, gradient(3, 96, 128), 5)
    full = read_clip(path, frames=3).frames
    small = read_clip(path, frames=3, height=28, width=42).frames
    expected = [Image.fromarray(frame).resize((42, 28), Image.Resampling.BICUBIC) for frame in full]
    assert small.shape == (3, 28, 42, 3)
    assert np.abs(small - np.stack(expected).astype(float)).mean() < 0.6


def test_same_bytes_in_any_process(tmp_path: Path) -> None:
    program = (
        "import sys, numpy as np; from pathlib import Path; from harness.video import write_video\n"
        "write_video(Path(sys.argv[1]), np.arange(6*32*32*3, dtype=np.uint8)"
        ".reshape(6, 32, 32, 3), 4)"
    )
    for name in ("one.mp4", "two.mp4"):
        subprocess.run([sys.executable, "-c", program, str(tmp_path / name)], check=True)
    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "two.mp4").read_bytes()


@pytest.mark.parametrize(
    ("frames", "fps", "message"),
    [
        ([], 5, "no frames to write"),
        ([np.zeros((48, 63, 3), np.uint8)], 5, r"frame 0 is uint8 \(48, 63, 3\)"),
        ([np.zeros((48, 64), np.uint8)], 5, r"frame 0 is uint8 \(48, 64\)"),
        ([np.zeros((48, 64, 4), np.uint8)], 5, "frame 0 is"),
        ([np.zeros((48, 64, 3), np.float32)], 5, "frame 0 is float32"),
        (
            [np.zeros((48, 64, 3), np.uint8), np.zeros((64, 64, 3), np.uint8)],
            5,
            r"frame 1 is uint8 \(64, 64, 3\)",
        ),
        ([np.zeros((48, 64, 3), np.uint8)], 0, "must be positive, found 0"),
    ],
)
def test_frames_that_cannot_be_written(
    frames: list[NDArray[np.uint8]], fps: int, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"what was there")
    with pytest.raises(VideoError, match=message):
        write_video(path, frames, fps)
    assert path.read_bytes() == b"what was there"
    assert list(tmp_path.iterdir()) == [path]


def nothing(_: Path) -> None:
    pass


def empty(path: Path) -> None:
    path.write_bytes(b"")


def folder(path: Path) -> None:
    path.mkdir()


def pipe(path: Path) -> None:
    os.mkfifo(path)


def text(path: Path) -> None:
    path.write_text("no video at all\n" * 100)


def playlist(path: Path) -> None:
    write_video(path.with_name("other.mp4"), gradient(4), 5)
    path.write_text(f"ffconcat version 1.0\nfile {path.with_name('other.mp4')}\n")


def picture(path: Path) -> None:
    Image.new("RGB", (64, 48)).save(path, format="PNG")


def sound(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), "fltp", "mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())


def no_frames(path: Path) -> None:
    fragmented = {"movflags": "+frag_keyframe+empty_moov"}
    with av.open(str(path), "w", options=fragmented) as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.height, stream.width, stream.pix_fmt = 48, 64, "yuv420p"
        container.start_encoding()


def unfinished(path: Path) -> None:
    write_video(path, gradient(30), 5)
    content = path.read_bytes()
    path.write_bytes(content[: content.index(b"mdat") - 100])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (nothing, "no such file"),
        (empty, r"is empty \(0 bytes\)"),
        (folder, "is a folder"),
        (pipe, "is no regular file"),
        (text, "no video container .* starts with b'no video at '"),
        (playlist, "no video container"),
        (picture, "no video container"),
        (sound, "found audio streams, but no video"),
        (no_frames, "holds no frame"),
        (unfinished, "no video container .* cut off"),
    ],
)
def test_what_is_no_video(make: Callable[[Path], None], message: str, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    make(path)
    for reading in (probe, file_and_frames):
        with pytest.raises(VideoError, match=message) as error:
            reading(path)
        assert str(path) in str(error.value)


def file_and_frames(path: Path) -> None:
    read_clip(path, frames=4, height=28, width=28)


def test_probe_counts_frames(tmp_path: Path) -> None:
    write_video(tmp_path / "clip.mp4", gradient(7), 5)
    assert probe(tmp_path / "clip.mp4") == 7


def test_names_are_no_protocols(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_video(Path("concat:a|b.mp4"), gradient(4), 5)
    assert read_clip(Path("concat:a|b.mp4"), frames=4).total == 4


def test_height_without_width_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="both height and width"):
        read_clip(tmp_path / "clip.mp4", frames=4, height=28)


def test_digest_follows_the_files_content(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    for content in (b"one", b"three"):
        path.write_bytes(content)
        assert file_digest(path) == hashlib.sha256(content).hexdigest()


def test_real_indoor_frames_survive_the_round_trip(
    tmp_path: Path, shared_data: Callable[[str], Path]
) -> None:
    images = sorted((shared_data("hololens-rgbd") / "images").glob("*.png"))
    frames = np.stack([np.asarray(Image.open(image).convert("RGB")) for image in images])
    assert frames.shape == (42, 360, 540, 3)
    write_video(tmp_path / "walk.mp4", frames, 10)
    clip = read_clip(tmp_path / "walk.mp4", frames=42)
    assert (clip.total, clip.fps) == (42, 10.0)
    assert min(map(psnr, clip.frames, frames)) > 33
    sampled = read_clip(tmp_path / "walk.mp4", frames=16, height=224, width=224)
    assert sampled.indices == sample_indices(42, 16)
    assert sampled.times == tuple(index / 10 for index in sampled.indices)
    expected = np.stack(
        [Image.fromarray(f).resize((224, 224), Image.Resampling.BICUBIC) for f in frames]
    )
    assert min(map(psnr, sampled.frames, expected[list(sampled.indices)])) > 33
