"""The frame cache: same frames, damage seen, many writers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness import frame_cache
from harness.errors import VideoError
from harness.frame_cache import FrameCache
from harness.video import Clip, read_clip, write_video


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    ramp = np.linspace(0, 255, 64, dtype=np.uint8)
    write_video(
        path, [np.tile(np.roll(ramp, 3 * n)[:, None, None], (1, 64, 3)) for n in range(30)], 10
    )
    return path


@pytest.fixture
def cache(tmp_path: Path) -> FrameCache:
    return FrameCache(tmp_path / "cache")


def look(cache: FrameCache, video: Path, frames: int = 8) -> Clip:
    return cache.clip(video, frames=frames, height=28, width=42)


def entries(cache: FrameCache, suffix: str) -> list[Path]:
    return sorted(cache.folder.rglob(f"*{suffix}"))


def equal(one: Clip, other: Clip) -> bool:
    pixels = np.zeros(0, np.uint8)
    same = replace(one, frames=pixels) == replace(other, frames=pixels)
    return same and np.array_equal(one.frames, other.frames)


def refuse_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*_: object, **__: object) -> Clip:
        raise AssertionError("decoded again")

    monkeypatch.setattr(frame_cache, "read_clip", read)


def test_second_look_is_the_first_without_decoding(
    cache: FrameCache, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = look(cache, video)
    assert equal(first, read_clip(video, frames=8, height=28, width=42))
    refuse_decoding(monkeypatch)
    for again in (look(cache, video), look(FrameCache(cache.folder), video)):
        assert equal(first, again)
        assert type(again.frames) is np.ndarray
        assert not again.frames.flags.writeable


def test_the_content_counts_and_not_the_name(
    cache: FrameCache, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = look(cache, video)
    moved = video.rename(video.with_name("moved.mp4"))
    refuse_decoding(monkeypatch)
    assert equal(first, look(cache, moved))


def test_every_part_of_the_request_counts(
    cache: FrameCache, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look(cache, video)
    cache.clip(video, frames=9, height=28, width=42)
    cache.clip(video, frames=8, height=30, width=42)
    cache.clip(video, frames=8, height=28, width=44)
    cache.clip(video, frames=8)
    monkeypatch.setattr(frame_cache, "decoder_version", lambda: "another")
    look(cache, video)
    write_video(video, [np.zeros((64, 64, 3), np.uint8)] * 3, 10)
    look(cache, video)
    assert len(entries(cache, ".npy")) == len(entries(cache, ".json")) == 7


def cut_pixels(npy: Path, _: Path) -> None:
    npy.write_bytes(npy.read_bytes()[:-100])


def cut_header(npy: Path, _: Path) -> None:
    npy.write_bytes(npy.read_bytes()[:20])


def no_bytes(npy: Path, _: Path) -> None:
    npy.write_bytes(b"")


def flip_a_pixel(npy: Path, _: Path) -> None:
    content = bytearray(npy.read_bytes())
    content[-1] ^= 1
    npy.write_bytes(content)


def another_shape(npy: Path, _: Path) -> None:
    np.save(npy, np.zeros((8, 42, 28, 3), np.uint8))


def a_pickle(npy: Path, _: Path) -> None:
    np.save(npy, np.array([{}], dtype=object), allow_pickle=True)


def no_pixels(npy: Path, _: Path) -> None:
    npy.unlink()


def cut_sidecar(_: Path, sidecar: Path) -> None:
    sidecar.write_text(sidecar.read_text()[:50])


def list_for_sidecar(_: Path, sidecar: Path) -> None:
    sidecar.write_text("[]")


def no_times(_: Path, sidecar: Path) -> None:
    found = json.loads(sidecar.read_text())
    del found["times"]
    sidecar.write_text(json.dumps(found))


@pytest.mark.parametrize(
    "damage",
    [
        cut_pixels,
        cut_header,
        no_bytes,
        flip_a_pixel,
        another_shape,
        a_pickle,
        no_pixels,
        cut_sidecar,
        list_for_sidecar,
        no_times,
    ],
)
def test_damaged_entry_is_made_anew(
    damage: Callable[[Path, Path], None], cache: FrameCache, video: Path
) -> None:
    first = look(cache, video)
    (npy,), (sidecar,) = entries(cache, ".npy"), entries(cache, ".json")
    whole = npy.read_bytes(), sidecar.read_text()
    damage(npy, sidecar)
    assert equal(first, look(cache, video))
    assert (npy.read_bytes(), sidecar.read_text()) == whole


def test_a_killed_write_leaves_no_entry(
    cache: FrameCache, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(np, "save", killed)
        with pytest.raises(KeyboardInterrupt):
            look(cache, video)
    assert [path for path in cache.folder.rglob("*") if path.is_file()] == []
    with monkeypatch.context() as patch:
        patch.setattr(frame_cache, "write_json", killed)
        with pytest.raises(KeyboardInterrupt):
            look(cache, video)
    assert equal(look(cache, video), look(cache, video))


def test_processes_that_write_at_once(cache: FrameCache, video: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from harness.frame_cache import FrameCache\n"
        "for frames in range(1, 9):\n"
        "    FrameCache(Path(sys.argv[1])).clip(Path(sys.argv[2]), frames=frames, height=28, width=42)"
    )
    command = [sys.executable, "-c", program, str(cache.folder), str(video)]
    writers = [subprocess.Popen(command) for _ in range(3)]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0, 0]
    assert len(entries(cache, ".npy")) == len(entries(cache, ".json")) == 8
    assert len([path for path in cache.folder.rglob("*") if path.is_file()]) == 16
    for frames in range(1, 9):
        expected = read_clip(video, frames=frames, height=28, width=42)
        assert equal(look(cache, video, frames), expected)


def test_unreadable_video_leaves_no_entry(cache: FrameCache, video: Path) -> None:
    video.write_bytes(b"no video")
    with pytest.raises(VideoError, match="no video container"):
        look(cache, video)
    assert not cache.folder.exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_folder_that_cannot_be_written(video: Path, tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    with pytest.raises(VideoError, match=r"frame cache .* cannot be written"):
        look(FrameCache(locked / "cache"), video)


def test_folder_that_is_a_file(video: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("")
    with pytest.raises(VideoError, match=r"frame cache .* cannot be written"):
        look(FrameCache(tmp_path / "cache"), video)
