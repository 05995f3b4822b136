"""A `.sens` recording to sampled pictures and poses, against how ScanNet's SensReader works.

Run with `python -m benchmarks sens`. The recording is made on the spot at ScanNet's sizes: colour
1296x968, depth 640x480, half a megabyte a frame; no run finds it in the system's file cache.

SensReader (the Python one in ScanNet's repository) reads the whole file into memory, unpacking it
byte by byte, then decodes each frame, writes it as a JPEG, and each pose as a text file. Its
command takes every frame; its functions can skip some. The peers here do the same with the
libraries that are installed, and shrink the pictures, which it can. One reads plainly instead of
byte by byte, and one goes on to an mp4, as this project does, with the same encoder.
"""

from __future__ import annotations

import io
import multiprocessing
import os
import statistics
import struct
import tempfile
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from harness.scene import Intrinsics
from harness.video import write_video
from harness_plugins.scenes.files.sens import SensFile
from harness_plugins.scenes.files.sens_video import export_video
from harness_plugins.scenes.release.sens import SensFrame, write_sens

from .result import Result

COLOUR = Intrinsics(1296, 968, 1170.0, 1170.0, 648.0, 484.0)
DEPTH = Intrinsics(640, 480, 578.0, 578.0, 320.0, 240.0)
SIZE = (640, 480)
# Every tenth frame: three a second of ScanNet's thirty.
SKIP = 10


def make_recording(path: Path, frames: int) -> None:
    rng = np.random.default_rng(0)
    blobs = Image.fromarray(rng.integers(0, 255, (60, 120, 3), dtype=np.uint8))
    smooth = np.asarray(blobs.resize((2592, 1296), Image.Resampling.BICUBIC))
    picture = np.clip(smooth + rng.normal(0, 3, smooth.shape), 0, 255).astype(np.uint8)
    floor = np.linspace(800, 4000, 960)[:, None] + rng.normal(0, 4, (960, 640))

    def made(number: int) -> SensFrame:
        x, y = int(640 + 640 * np.sin(number / 50)), int(150 + 150 * np.sin(number / 23))
        colour = io.BytesIO()
        view = np.ascontiguousarray(picture[y : y + COLOUR.height, x : x + COLOUR.width])
        Image.fromarray(view).save(colour, "JPEG", quality=85)
        depth = zlib.compress(floor[y : y + DEPTH.height].astype("<u2").tobytes(), 1)
        pose = np.eye(4)
        pose[:2, 3] = x / 1000, y / 1000
        return SensFrame(pose, colour.getvalue(), depth, number * 33_333)

    write_sens(path, map(made, range(frames)), sensor="made", colour=COLOUR, depth=DEPTH)


@dataclass
class LoadedFrame:
    pose: NDArray[np.float32]
    colour: bytes
    depth: bytes


def load_all(path: Path, *, by_byte: bool) -> list[LoadedFrame]:
    """Every frame in memory, as SensReader holds them."""

    def blob(file: BinaryIO, size: int) -> bytes:
        data = file.read(size)
        return b"".join(struct.unpack("c" * size, data)) if by_byte else data

    loaded = []
    with path.open("rb") as file:
        file.seek(4)
        (length,) = struct.unpack("<Q", file.read(8))
        file.seek(length + 4 * 64 + 8 + 16 + 4, io.SEEK_CUR)
        (count,) = struct.unpack("<Q", file.read(8))
        for _ in range(count):
            pose = np.array(struct.unpack("<16f", file.read(64)), dtype=np.float32).reshape(4, 4)
            *_, colour, depth = struct.unpack("<4Q", file.read(32))
            loaded.append(LoadedFrame(pose, blob(file, colour), blob(file, depth)))
    return loaded


def sens_reader(path: Path, out: Path, skip: int, *, by_byte: bool = True) -> None:
    frames = load_all(path, by_byte=by_byte)
    for number in range(0, len(frames), skip):
        picture = Image.open(io.BytesIO(frames[number].colour)).convert("RGB")
        picture.resize(SIZE, Image.Resampling.NEAREST).save(out / f"{number:06d}.jpg")
        np.savetxt(out / f"{number:06d}.txt", frames[number].pose, fmt="%f")


def plainly_read(path: Path, out: Path, skip: int) -> None:
    sens_reader(path, out, skip, by_byte=False)


def then_mp4(path: Path, out: Path, skip: int) -> None:
    sens_reader(path, out, skip)
    pictures = (np.asarray(Image.open(file)) for file in sorted(out.glob("*.jpg")))
    write_video(out / "video.mp4", pictures, 24)


def ours(path: Path, out: Path, skip: int) -> None:
    recording = SensFile(path)
    export_video(recording, out / "video.mp4", max_frames=-(-len(recording) // skip))


OURS, READER, PLAIN, MP4 = "export_video", "SensReader", "SensReader, plain reads", "... and mp4"
WAYS: dict[str, Callable[[Path, Path, int], None]] = {
    OURS: ours,
    READER: sens_reader,
    PLAIN: plainly_read,
    MP4: then_mp4,
}


def memory(field: str) -> int:
    """Bytes that the system says this process holds, or has held at most."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line.split()[1] for line in lines if line.startswith(field)))


def measured(way: str, path: Path, skip: int, answer: Connection) -> None:
    """In a process of its own: seconds, and bytes on top of what the imports hold."""
    with tempfile.TemporaryDirectory() as out:
        before = memory("VmRSS")
        begun = time.perf_counter()
        WAYS[way](path, Path(out), skip)
        answer.send((time.perf_counter() - begun, max(memory("VmHWM") - before, 0)))


def forget(path: Path) -> None:
    """Out of the system's memory: a recording of gigabytes is read from the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def run(way: str, path: Path, skip: int) -> tuple[float, float]:
    forget(path)
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=measured, args=(way, path, skip, there))
    process.start()
    there.close()
    try:
        return here.recv()
    finally:
        process.join()


Case = tuple[str, int]
CASES: tuple[Case, ...] = tuple((way, skip) for skip in (SKIP, 1) for way in WAYS)


def measure(frames: int, cases: Sequence[Case], rounds: int) -> dict[Case, tuple[float, float]]:
    """Median seconds and bytes of each way and skip, taking turns."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made.sens"
        make_recording(path, frames)
        found: dict[Case, list[tuple[float, float]]] = {case: [] for case in cases}
        for _ in range(rounds):
            for case in cases:
                found[case].append(run(case[0], path, case[1]))
    return {
        case: (statistics.median(s for s, _ in runs), statistics.median(m for _, m in runs))
        for case, runs in found.items()
    }


def main(*, quick: bool) -> list[Result]:
    frames, rounds = (24, 1) if quick else (300, 3)
    found = measure(frames, CASES, rounds)
    halves = measure(frames // 2, [(OURS, 1), (READER, 1)], 1)
    print(f"{'frames':<16}{'':<26}{'s':>8}{'MB':>9}")
    for total, figures in ((frames, found), (frames // 2, halves)):
        for (way, skip), (seconds, held) in figures.items():
            taken = f"{-(-total // skip)} of {total}"
            print(f"{taken:<16}{way:<26}{seconds:>8.2f}{held / 1e6:>9.1f}")
    sampled, whole = (found[OURS, skip] for skip in (SKIP, 1))
    some = f"every {SKIP}th of {frames} frames of a .sens to mp4 and poses"
    every = f"all {frames} frames of a .sens to mp4 and poses"
    results = [
        *rows(f"{some}, against SensReader's command (all frames)", sampled, found[READER, 1]),
        *rows(f"{some}, against SensReader", sampled, found[READER, SKIP]),
        *rows(f"{some}, against SensReader and the same mp4", sampled, found[MP4, SKIP]),
        *rows(f"{some}, against SensReader with plain reads", sampled, found[PLAIN, SKIP]),
        *rows(f"{every}, against SensReader (no mp4)", whole, found[READER, 1]),
        *rows(f"{every}, against SensReader and the same mp4", whole, found[MP4, 1]),
        *rows(f"{every}, against SensReader with plain reads (no mp4)", whole, found[PLAIN, 1]),
    ]
    for result in results:
        print(f"{result.what:<96}{result.unit:>3}{result.ratio or 0:>7.1f}x")
    return results


def rows(what: str, ours: tuple[float, float], peer: tuple[float, float]) -> tuple[Result, Result]:
    """Time, and memory on top of the imports."""
    return (
        Result("sens", what, "s", ours[0], peer[0]),
        Result("sens", what, "MB", ours[1] / 1e6, peer[1] / 1e6),
    )
