"""32 frames of a one-minute 640x480 clip: this project's reader and cache against plain PyAV.

Run with `python -m benchmarks video`. The clip is made on the spot: a panned texture with noise,
encoded by x264 with its usual settings, as published indoor videos are.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from harness.frame_cache import FrameCache
from harness.video import read_clip, sample_indices

from .result import Result

FRAMES, HEIGHT, WIDTH, RATE = 32, 224, 224, 30
REQUEST: dict[str, Any] = {"frames": FRAMES, "height": HEIGHT, "width": WIDTH}


def texture() -> NDArray[np.uint8]:
    rng = np.random.default_rng(0)
    blobs = rng.integers(0, 255, (60, 160, 3), dtype=np.uint8)
    smooth = np.asarray(Image.fromarray(blobs).resize((2560, 960), Image.Resampling.BICUBIC))
    return np.clip(smooth + rng.normal(0, 4, smooth.shape), 0, 255).astype(np.uint8)


def make_clip(path: Path, seconds: int) -> None:
    picture = texture()
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
        stream.options = {"preset": "medium", "crf": "23"}
        for number in range(seconds * RATE):
            x = int(900 + 900 * np.sin(number / 200))
            y = int(200 + 200 * np.sin(number / 77))
            view = np.ascontiguousarray(picture[y : y + 480, x : x + 640])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(view, format="rgb24")))
        container.mux(stream.encode())


def decode_all(path: Path) -> int:
    """Plain PyAV: decode from the first frame to the last, keep the wanted ones."""
    kept = []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        wanted = set(sample_indices(stream.frames, FRAMES))
        for number, frame in enumerate(container.decode(stream)):
            if number in wanted:
                small = frame.reformat(WIDTH, HEIGHT, "rgb24", interpolation="BICUBIC")
                kept.append(small.to_ndarray())
    return len(kept)


def seek_each(path: Path) -> int:
    """Plain PyAV: seek to the key frame before each wanted frame, decode up to it."""
    kept = []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        for index in sample_indices(stream.frames, FRAMES):
            target = round(index / stream.average_rate / stream.time_base)
            container.seek(target, stream=stream)
            frame = next(frame for frame in container.decode(stream) if frame.pts >= target)
            small = frame.reformat(WIDTH, HEIGHT, "rgb24", interpolation="BICUBIC")
            kept.append(small.to_ndarray())
    return len(kept)


def look(cache: FrameCache, path: Path) -> int:
    """Every pixel, so that the memory map is read and not just made."""
    return int(cache.clip(path, **REQUEST).frames.sum())


def touched(path: Path) -> Path:
    """The same file with a new modification time, so that its digest is reckoned again."""
    os.utime(path)
    return path


def measure(seconds: int = 60, rounds: int = 5) -> dict[str, float]:
    """Median seconds of each way of reading, the ways taking turns."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip = folder / "clip.mp4"
        make_clip(clip, seconds)
        warm = FrameCache(folder / "warm")
        look(warm, clip)
        fresh = (FrameCache(folder / f"cache{number}") for number in range(rounds))
        ways: dict[str, Callable[[], object]] = {
            "PyAV, sequential": lambda: decode_all(clip),
            "PyAV, a seek for each frame": lambda: seek_each(clip),
            "read_clip": lambda: read_clip(touched(clip), **REQUEST),
            "cache, first read": lambda: look(next(fresh), touched(clip)),
            "cache, next process": lambda: look(FrameCache(warm.folder), touched(clip)),
            "cache, same process": lambda: look(warm, clip),
        }
        taken: dict[str, list[float]] = {way: [] for way in ways}
        for way, read in ways.items():
            if way != "cache, first read":
                read()
        for _ in range(rounds):
            for way, read in ways.items():
                begun = time.perf_counter()
                read()
                taken[way].append(time.perf_counter() - begun)
    return {way: statistics.median(times) for way, times in taken.items()}


def table(figures: dict[str, float]) -> Iterator[str]:
    first, base = figures["cache, first read"], figures["PyAV, sequential"]
    yield f"{'':<30}{'ms':>9}{'of sequential':>15}{'faster than first':>19}"
    for way, seconds in figures.items():
        yield f"{way:<30}{seconds * 1e3:>9.1f}{seconds / base:>15.2f}{first / seconds:>18.1f}x"


def main(*, quick: bool) -> list[Result]:
    figures = measure(4, 1) if quick else measure()
    print("\n".join(table(figures)))
    first = figures["cache, first read"]
    peer = min(figures["PyAV, sequential"], figures["PyAV, a seek for each frame"])
    what = "32 frames of a one-minute 640x480 clip"
    return [
        Result("video", f"{what}, first read, against PyAV's better way", "s", first, peer),
        Result(
            "video",
            f"{what}, from the cache, against the first read",
            "s",
            figures["cache, next process"],
            first,
        ),
    ]
