"""Small pictures of the frames a model saw."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import HarnessError, VideoError
from harness.report.load import Answer

Thumbnails = Callable[[str, Sequence[int]], list[bytes]]

HEIGHT = 96
SHOWN = 8
# Room for all frames of a page; base64 adds a third.
BUDGET = 2_500_000
# Demuxers that read from the file alone: playlists and their kin could name other files.
_FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts"


@dataclass(frozen=True)
class FrameStrip:
    """Frames as data URIs with their indices, of `total` frames seen; or why there are none."""

    images: tuple[tuple[int, str], ...] = ()
    total: int = 0
    missing: str = ""


@dataclass
class FrameStrips:
    """Makes the strips of a page, each video and choice of frames once, within a budget of bytes."""

    folder: Path
    thumbnails: Thumbnails
    left: int = BUDGET
    made: dict[tuple[str, tuple[int, ...]], FrameStrip] = field(default_factory=dict)

    def of(self, answer: Answer) -> FrameStrip:
        """The strip of the frames behind an answer."""
        if not answer.video or not answer.frame_indices:
            return FrameStrip(missing="asked without video")
        indices = spread(answer.frame_indices, SHOWN)
        key = (answer.video, indices)
        if key not in self.made:
            self.made[key] = self._make(answer.video, indices, len(answer.frame_indices))
        strip = self.made[key]
        size = sum(len(uri) for _, uri in strip.images)
        if size > self.left:
            return FrameStrip(missing="frames left out to keep this page small")
        self.left -= size
        return strip

    def _make(self, video: str, indices: tuple[int, ...], total: int) -> FrameStrip:
        if ".." in Path(video).parts:
            return FrameStrip(missing=f"frames cannot be shown: {video} leaves the run folder")
        try:
            pictures = self.thumbnails(str(self.folder / video), indices)
        except HarnessError as error:
            return FrameStrip(missing=f"frames cannot be shown: {error}")
        uris = (f"data:image/jpeg;base64,{base64.b64encode(p).decode('ascii')}" for p in pictures)
        return FrameStrip(tuple(zip(indices, uris, strict=False)), total)


def spread(indices: Sequence[int], count: int) -> tuple[int, ...]:
    """At most `count` of the indices, evenly spread, first and last among them."""
    if len(indices) <= count:
        return tuple(indices)
    return tuple(indices[round(i * (len(indices) - 1) / (count - 1))] for i in range(count))


def video_thumbnails(video: str, indices: Sequence[int]) -> list[bytes]:
    """JPEG pictures, 96 pixels high, of the frames at `indices` (counted in decoding order).

    Raises:
        VideoError: the video is missing, unreadable or shorter than an index.
    """
    import av

    path = Path(video)
    if not path.is_file():
        raise VideoError(f"{path.name}: no such video; run the stage that writes it again")
    try:
        # A file object, as FFmpeg would take a path with a colon for a protocol.
        with path.open("rb") as source:
            found = dict(_frames(source, frozenset(indices)))
    except (av.FFmpegError, OSError, ValueError) as error:
        raise VideoError(f"{path.name}: not a readable video: {error}") from None
    lacking = sorted(set(indices) - found.keys())
    if lacking:
        raise VideoError(f"{path.name}: the video ends before frame {lacking[0]}")
    return [found[index] for index in indices]


def _frames(source: io.BufferedReader, wanted: frozenset[int]) -> Iterator[tuple[int, bytes]]:
    import av

    with av.open(source, options={"format_whitelist": _FORMATS}) as container:
        if not container.streams.video:
            raise ValueError("it has no video stream")
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        for index, frame in enumerate(container.decode(stream)):
            if index in wanted:
                width = max(1, math.ceil(frame.width * HEIGHT / frame.height))
                data = io.BytesIO()
                picture = frame.to_image(width=min(width, 4 * HEIGHT), height=HEIGHT)
                picture.save(data, "JPEG", quality=70)
                yield index, data.getvalue()
            if index >= max(wanted, default=-1):
                return
