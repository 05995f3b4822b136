"""Videos: which frames are looked at, reading them, and writing new ones.

Reading is in `decoder.py`; everything here goes through FFmpeg as PyAV bundles it.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from numpy.typing import NDArray

from harness.atomic import replacing
from harness.decoder import SCALING, decode
from harness.errors import VideoError

# H.264 first; the others are for builds of PyAV without it.
ENCODERS = ("libx264", "libopenh264", "mpeg4")
# The same frames are to give the same bytes everywhere: one thread, and a constant quantiser, as
# rate control reckons in floating point and x264's macroblock tree reads memory it has not set.
X264_OPTIONS = {"qp": "18", "preset": "veryfast", "threads": "1"}


@dataclass(frozen=True)
class Clip:
    """Frames sampled from one video.

    Args:
        frames: (T, H, W, 3) uint8 RGB, read-only.
        indices: which frames of the video, counted from 0 in showing order.
        times: seconds of each frame after the video's first, from its time stamps.
        total: frames in the video. fps: its mean rate.
        digest: SHA-256 of the file's bytes.
    """

    frames: NDArray[np.uint8]
    indices: tuple[int, ...]
    times: tuple[float, ...]
    total: int
    fps: float
    digest: str


def sample_indices(total: int, count: int, sampler: str = "linspace") -> tuple[int, ...]:
    """Which `count` of `total` frames to look at.

    `linspace` is VSI-Bench's rule, `np.linspace(0, total - 1, count, dtype=int)`: evenly from
    the first frame to the last, rounded down. A video shorter than `count` repeats frames.

    Raises:
        ValueError: `total` or `count` is below 1, or no such sampler.
    """
    if total < 1 or count < 1:
        raise ValueError(f"cannot sample {count} of {total} frames: both must be at least 1")
    if sampler != "linspace":
        raise ValueError(f"no frame sampler {sampler!r}; there is 'linspace'")
    return tuple(np.linspace(0, total - 1, count, dtype=int).tolist())


def read_clip(
    path: Path,
    *,
    frames: int,
    sampler: str = "linspace",
    height: int | None = None,
    width: int | None = None,
) -> Clip:
    """Sample frames from a video file.

    Frames are turned upright where the file says so, and scaled by libswscale's bit-exact
    bicubic filter. A file with several videos gives the one FFmpeg counts best (the largest).

    Args:
        path: mp4/mov, mkv/webm, avi, ts, mpeg, flv, ogg, wmv or gif.
        frames: how many.
        sampler: see `sample_indices`.
        height: pixels to scale to; with `width`, or neither for the video's own size.
        width: as `height`.

    Raises:
        VideoError: the file is missing, empty, no video, truncated or damaged.
        ValueError: the request makes no sense.
    """
    if (height is None) != (width is None):
        raise ValueError(f"give both height and width, or neither; found {height} and {width}")
    size = None if height is None or width is None else (height, width)
    digest = file_digest(path)
    decoded = decode(path, lambda total: sample_indices(total, frames, sampler), size)
    return Clip(*decoded, digest=digest)


def probe(path: Path) -> int:
    """The number of frames of a video that `read_clip` would take, its first frame decoded.

    Raises:
        VideoError: as `read_clip`, but for damage past the first frame.
    """
    _require_file(path)
    return decode(path, lambda _: (0,), None).total


_DIGESTS: dict[tuple[Path, int, int], str] = {}


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes, remembered while its size and modification time stay.

    Raises:
        VideoError: no regular, readable, non-empty file there.
    """
    status = _require_file(path)
    key = (path.absolute(), status.st_size, status.st_mtime_ns)
    if key not in _DIGESTS:
        with _readable(path), path.open("rb") as file:
            _DIGESTS[key] = hashlib.file_digest(file, "sha256").hexdigest()
    return _DIGESTS[key]


def _require_file(path: Path) -> os.stat_result:
    with _readable(path):
        status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        raise VideoError(f"video {path}: is a folder, expected a video file")
    # Opening a pipe would wait for ever.
    if not stat.S_ISREG(status.st_mode):
        raise VideoError(f"video {path}: is no regular file; copy the video to a file")
    if not status.st_size:
        raise VideoError(f"video {path}: is empty (0 bytes); copy or download it again")
    return status


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise VideoError(f"video {path}: no such file; check the path") from error
    except OSError as error:
        raise VideoError(f"video {path}: cannot be read ({error.strerror})") from error


def write_video(path: Path, frames: Iterable[NDArray[np.uint8]], fps: float | Fraction) -> None:
    """Write frames as an H.264 mp4 (yuv420p, BT.601), whole or not at all.

    The same frames give the same bytes with the same build of PyAV.

    Args:
        path: what to write; its folder is made.
        frames: (H, W, 3) uint8 RGB each, all of one size, height and width even.
        fps: frames a second.

    Raises:
        VideoError: no frames, or frames that cannot be encoded.
    """
    rate = Fraction(fps).limit_denominator(100_000)
    if rate <= 0:
        raise VideoError(f"video {path}: frames a second must be positive, found {fps}")
    try:
        with replacing(path) as temporary:
            _encode(path, temporary, frames, rate)
    except (av.FFmpegError, OSError) as error:
        raise VideoError(f"video {path}: cannot be written ({error.strerror})") from error


def _encode(
    path: Path, temporary: Path, frames: Iterable[NDArray[np.uint8]], rate: Fraction
) -> None:
    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    reformatter = VideoReformatter()
    stream: Any = None
    with av.open(str(temporary), "w", format="mp4", options=options) as container:
        for number, frame in enumerate(frames):
            _check_frame(path, number, frame, stream)
            if stream is None:
                stream = _add_stream(container, rate, *frame.shape[:2])
            picture: Any = reformatter.reformat(
                av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24"),
                format="yuv420p",
                dst_colorspace=Colorspace.ITU601,
                dst_color_range=ColorRange.MPEG,
                interpolation=SCALING,
                threads=1,
            )
            picture.pts, picture.time_base = number, 1 / rate
            container.mux(stream.encode(picture))
        if stream is None:
            raise VideoError(f"video {path}: no frames to write")
        container.mux(stream.encode())


def _check_frame(path: Path, number: int, frame: NDArray[np.uint8], stream: Any) -> None:
    first = frame.shape if stream is None else (stream.height, stream.width, 3)
    even = frame.ndim == 3 and frame.shape[0] % 2 == frame.shape[1] % 2 == 0
    if frame.dtype != np.uint8 or frame.shape != first or frame.shape[2:] != (3,) or not even:
        raise VideoError(
            f"video {path}: frame {number} is {frame.dtype} {frame.shape}, expected uint8 "
            f"(height, width, 3), both even and the same for all frames"
        )


def _add_stream(container: Any, rate: Fraction, height: int, width: int) -> Any:
    name = next(name for name in ENCODERS if name in av.codecs_available)
    stream = container.add_stream(name, rate=rate)
    stream.height, stream.width, stream.pix_fmt = height, width, "yuv420p"
    stream.options = X264_OPTIONS if name == "libx264" else {"threads": "1"}
    context = stream.codec_context
    context.flags |= av.codec.context.Flags.bitexact
    context.colorspace, context.color_range = Colorspace.ITU601, ColorRange.MPEG
    return stream
