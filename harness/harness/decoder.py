"""Frames of a video file by index, through PyAV (FFmpeg): which packets they need, and no others.

The file is read through twice. The first pass lists its packets, so the number of frames is
counted, not believed. The second decodes, from the key frame before each wanted frame, the
packets that lead to it; the rest of the file is passed over. Seeking is not used: it is slower
than decoding for evenly spread frames and, in some containers, not exact.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from harness.errors import VideoError

Size = tuple[int, int]
"""Height and width in pixels."""
Pictures = dict[int, NDArray[np.uint8]]

# Containers only: FFmpeg would also take text (as terminal art), pictures and playlists,
# and playlists open other files.
CONTAINERS = "mov,matroska,avi,mpegts,mpeg,flv,ogg,asf,gif"
# Bicubic, widened when it shrinks, so it does not alias; bit-exact, so every machine agrees.
SCALING = (
    Interpolation.BICUBIC
    | Interpolation.ACCURATE_RND
    | Interpolation.BITEXACT
    | Interpolation.FULL_CHR_H_INT
    | Interpolation.FULL_CHR_H_INP
)
# VP8 has packets that are never shown, so packets do not count frames.
HIDDEN_PACKETS = {"vp8"}
# In H.264 a picture with nal_ref_idc 0 is referred to by no other picture, so it can be left out
# exactly. HEVC's non-reference pictures may still serve a higher temporal layer.
NON_REFERENCE_IS_FREE = {"h264"}
# Seconds by which a promised duration may be off: some writers round it.
DURATION_SLACK = 0.25
# What to change when pixels change for the same file and request: cached frames hang on it.
DECODER_VERSION = 1

Choose = Callable[[int], Sequence[int]]


class Decoded(NamedTuple):
    """Chosen frames (T, H, W, 3), their indices, seconds, and the video's frame count and rate."""

    frames: NDArray[np.uint8]
    indices: tuple[int, ...]
    times: tuple[float, ...]
    total: int
    fps: float


def decoder_version() -> str:
    """Names everything that decides a frame's pixels besides the file and the request."""
    libraries = (f"{name} {av.library_versions[name]}" for name in ("libavcodec", "libswscale"))
    return f"{DECODER_VERSION} pyav {av.__version__} {' '.join(libraries)}"


def decode(path: Path, choose: Choose, size: Size | None) -> Decoded:
    """The frames whose indices `choose` gives for the video's number of frames.

    Args:
        path: an existing regular file.
        choose: from the number of frames to non-decreasing indices.
        size: (height, width) to scale to; the video's own if None.

    Raises:
        VideoError: not a readable video, damaged, truncated or without frames.
    """
    with _faults_named(path):
        packets = _list_packets(path)
        if packets.count_frames:
            indices = tuple(choose(len(packets.shown)))
            pictures = _from_packets(path, packets, {packets.shown[i] for i in indices}, size)
            if pictures is not None:
                return _assemble(path, packets, packets.shown, indices, pictures)
        # Packets and frames do not match one to one: only decoding all of it tells the truth.
        shown = [pts for pts, _ in _all_frames(path, packets)]
        if not shown:
            raise VideoError(f"video {path}: none of its {len(packets.order)} packets decodes")
        indices = tuple(choose(len(shown)))
        wanted = set(indices)
        reformatter = VideoReformatter()
        pictures = {
            index: _picture(reformatter, frame, size)
            for index, (_, frame) in enumerate(_all_frames(path, packets))
            if index in wanted
        }
        pictures = {shown[index]: picture for index, picture in pictures.items()}
        return _assemble(path, packets, shown, indices, pictures)


@dataclass(frozen=True)
class _Packet:
    pts: int | None
    key: bool
    shown: bool


@dataclass(frozen=True)
class _Packets:
    """A video's packets in decoding order, and its frames' times in showing order."""

    order: list[_Packet]
    start: int
    shown: list[int]
    count_frames: bool
    time_base: Fraction
    rate: Fraction | None

    def runs(self, wanted: set[int]) -> list[range] | None:
        """Stretches of packets, each from a key frame, that lead to the wanted times.

        A frame is decoded from the last key frame that is before it in both orders: pictures
        that follow an open group's key frame but are shown before it need the group before.
        """
        keys = [i for i, packet in enumerate(self.order) if packet.key]
        runs: list[range] = []
        for last, packet in enumerate(self.order):
            if packet.pts not in wanted or packet.pts is None:
                continue
            earlier = reversed(keys[: bisect_right(keys, last)])
            start = next((k for k in earlier if (self.order[k].pts or 0) <= packet.pts), None)
            if start is None:
                return None
            if runs and start <= runs[-1].stop:
                runs[-1] = range(runs[-1].start, last + 1)
            else:
                runs.append(range(start, last + 1))
        return runs


@contextmanager
def _faults_named(path: Path) -> Iterator[None]:
    try:
        yield
    except av.FFmpegError as error:
        raise VideoError(
            f"video {path}: damaged or cut off ({error.strerror}); copy or download it again"
        ) from error


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, Any]]:
    try:
        # An absolute path, or FFmpeg would take `name:rest` as a protocol.
        container = av.open(
            str(path.absolute()),
            options={"format_whitelist": CONTAINERS},
            metadata_errors="replace",
        )
    except (av.FFmpegError, OSError) as error:
        raise VideoError(
            f"video {path}: found no video container that can be read here ({CONTAINERS}): it is "
            f"cut off, damaged or something else; it starts with {_first_bytes(path)!r}; copy it "
            f"again, or convert it with `ffmpeg -i FILE -c:v libx264 FILE.mp4`"
        ) from error
    with container:
        yield container, _video_stream(path, container)


def _first_bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(12)


def _video_stream(path: Path, container: Any) -> Any:
    stream = container.streams.best("video")
    cover = stream is not None and stream.disposition & stream.disposition.attached_pic
    if stream is None or cover:
        found = sorted({s.type for s in container.streams if s is not stream})
        raise VideoError(
            f"video {path}: found {' and '.join(found) or 'no'} streams"
            f"{' and a cover picture' if cover else ''}, but no video; give a file with footage"
        )
    if stream.codec_context is None:
        raise VideoError(
            f"video {path}: this build of FFmpeg has no decoder for its video; convert it with "
            f"`ffmpeg -i FILE -c:v libx264 FILE.mp4`"
        )
    stream.thread_type = "AUTO"
    return stream


def _list_packets(path: Path) -> _Packets:
    with _opened(path) as (container, stream):
        order: list[_Packet] = []
        for packet in container.demux(stream):
            if not packet.size:
                continue
            if packet.is_corrupt:
                raise VideoError(
                    f"video {path}: damaged or cut off at packet {len(order)} of "
                    f"{stream.frames or 'an unknown number'}; copy or download it again"
                )
            order.append(_Packet(packet.pts, packet.is_keyframe, not packet.is_discard))
        # A recording that starts amid a group: nothing can be decoded before the first key frame.
        start = next((place for place, packet in enumerate(order) if packet.key), 0)
        shown = [packet.pts for packet in order[start:] if packet.shown]
        if not shown:
            raise VideoError(f"video {path}: its video stream holds no frame; make it again")
        times = sorted(pts for pts in shown if pts is not None)
        _check_whole(path, container, stream, times)
        one_to_one = len(set(times)) == len(shown) and stream.codec.name not in HIDDEN_PACKETS
        return _Packets(order, start, times, one_to_one, stream.time_base, stream.average_rate)


def _check_whole(path: Path, container: Any, stream: Any, times: list[int]) -> None:
    """A file cut between two packets reads without an error; its own index and length tell."""
    size = path.stat().st_size
    end = max((entry.pos + entry.size for entry in stream.index_entries), default=0)
    if end > size:
        raise VideoError(
            f"video {path}: cut off: {size} bytes found, but its index reaches to byte {end}; "
            f"copy or download it again"
        )
    promised = _promised_seconds(container, stream)
    if promised is None or not times:
        return
    found = float((times[-1] - min(times[0], 0)) * stream.time_base)
    if promised - found > DURATION_SLACK + found / len(times):
        raise VideoError(
            f"video {path}: cut off: it ends after {found:.1f} s, but promises {promised:.1f} s; "
            f"copy it again, or if that is all there is, rewrite it with "
            f"`ffmpeg -i FILE -c copy NEW`"
        )


def _promised_seconds(container: Any, stream: Any) -> float | None:
    """The length a Matroska file promises for its video; other containers have an index."""
    if "matroska" not in container.format.name:
        return None
    hours, _, rest = str(stream.metadata.get("DURATION", "")).partition(":")
    minutes, _, seconds = rest.partition(":")
    try:
        return int(hours) * 3600.0 + int(minutes) * 60 + float(seconds)
    except ValueError:
        alone = len(container.streams) == 1 and container.duration
        return container.duration / av.time_base if alone else None


def _from_packets(
    path: Path, packets: _Packets, wanted: set[int], size: Size | None
) -> Pictures | None:
    """Pictures by time, or None where the decoder does not give each wanted packet a frame."""
    runs = packets.runs(wanted)
    if runs is None:
        return None
    reformatter = VideoReformatter()
    pictures: Pictures = {}
    with _opened(path) as (container, stream):
        for start, frame in _run_frames(container, stream, packets, runs, wanted):
            # What is shown before the run's key frame lacks its references; it is not wanted.
            if frame.pts is None or frame.pts < start:
                continue
            _refuse_damaged(path, frame)
            if frame.pts in wanted:
                pictures[frame.pts] = _picture(reformatter, frame, size)
    return pictures if pictures.keys() == wanted else None


def _run_frames(
    container: Any, stream: Any, packets: _Packets, runs: list[range], wanted: set[int]
) -> Iterator[tuple[int, Any]]:
    """(Time of the run's key frame, frame) for all frames that the runs give."""
    codec = stream.codec_context
    skipping = stream.codec.name in NON_REFERENCE_IS_FREE
    sized = (packet for packet in container.demux(stream) if packet.size)
    position = 0
    for run in runs:
        start = packets.order[run.start].pts or 0
        while position < run.stop:
            packet = next(sized)
            if position >= run.start:
                if skipping:
                    codec.skip_frame = "DEFAULT" if packet.pts in wanted else "NONREF"
                yield from ((start, frame) for frame in codec.decode(packet))
            position += 1
        yield from ((start, frame) for frame in codec.decode(None))
        codec.flush_buffers()


def _all_frames(path: Path, packets: _Packets) -> Iterator[tuple[int, Any]]:
    """Every frame with its time, the times made up from the rate where the file has none."""
    rate = packets.rate or Fraction(25)
    with _opened(path) as (container, stream):
        last: int | None = None
        step = max(1, round(1 / (rate * packets.time_base)))
        sized = (packet for packet in container.demux(stream) if packet.size)
        for frame in _decoded(stream, islice(sized, packets.start, None)):
            _refuse_damaged(path, frame)
            timed = frame.pts is not None and (last is None or frame.pts > last)
            last = frame.pts if timed else (0 if last is None else last + step)
            assert last is not None
            yield last, frame


def _decoded(stream: Any, packets: Iterable[Any]) -> Iterator[Any]:
    for packet in chain(packets, [None]):
        yield from stream.codec_context.decode(packet)


def _refuse_damaged(path: Path, frame: Any) -> None:
    if frame.is_corrupt:
        where = "a frame" if frame.pts is None else f"the frame at {frame.time:.2f} s"
        raise VideoError(f"video {path}: {where} is damaged; copy or download it again")


def _picture(reformatter: VideoReformatter, frame: Any, size: Size | None) -> NDArray[np.uint8]:
    """(H, W, 3) RGB, upright, scaled. Pixels are taken as square, as the benchmarks do."""
    quarters = round(frame.rotation / 90) % 4
    height, width = size or (None, None)
    if quarters % 2:
        height, width = width, height
    rgb = reformatter.reformat(
        frame, width=width, height=height, format="rgb24", interpolation=SCALING, threads=1
    )
    return np.ascontiguousarray(np.rot90(rgb.to_ndarray(), quarters))


def _assemble(
    path: Path,
    packets: _Packets,
    shown: list[int],
    indices: tuple[int, ...],
    pictures: Pictures,
) -> Decoded:
    shapes = {picture.shape for picture in pictures.values()}
    if len(shapes) > 1:
        raise VideoError(
            f"video {path}: the picture size changes on the way ({sorted(shapes)}); ask for one "
            f"size (height and width)"
        )
    frames = np.stack([pictures[shown[i]] for i in indices])
    frames.flags.writeable = False
    times = tuple(float((shown[i] - shown[0]) * packets.time_base) for i in indices)
    return Decoded(frames, indices, times, len(shown), _frame_rate(packets, shown))


def _frame_rate(packets: _Packets, shown: list[int]) -> float:
    """Measured over the whole video; the container's own figure where it agrees to 0.1 %."""
    declared = float(packets.rate) if packets.rate else 0.0
    if len(shown) < 2:
        return declared
    measured = float((len(shown) - 1) / ((shown[-1] - shown[0]) * packets.time_base))
    return declared if abs(declared - measured) <= 1e-3 * measured else measured
