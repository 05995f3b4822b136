"""Small pictures of the frames a model saw."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import HarnessError, VideoError
from harness.report.load import Answer

if TYPE_CHECKING:
    from PIL.Image import Image

Thumbnails = Callable[[str, Sequence[int]], list[bytes]]

HEIGHT = 96
SHOWN = 8
# Room for all frames of a page; base64 adds a third.
BUDGET = 2_500_000


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
    """JPEG pictures, 96 pixels high, of a video's frames at `indices` (in showing order).

    Raises:
        VideoError: the video is missing, unreadable or shorter than an index.
    """
    from PIL.Image import fromarray

    from harness.decoder import decode

    path = Path(video)
    if not _is_file(path):
        raise VideoError(f"{path.name}: no such video; run the stage that writes it again")
    wanted = sorted(set(indices))

    def choose(total: int) -> list[int]:
        if wanted and not 0 <= wanted[0] <= wanted[-1] < total:
            raise VideoError(
                f"{path.name}: has {total} frames, but frame {wanted[-1]} was asked for"
            )
        return wanted

    frames = decode(path, choose, None).frames if wanted else ()
    pictures = {index: _jpeg(fromarray(frame)) for index, frame in zip(wanted, frames, strict=True)}
    return [pictures[index] for index in indices]


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # such as a name longer than a file's name can be
        return False


def _jpeg(picture: Image) -> bytes:
    width = min(4 * HEIGHT, max(1, round(picture.width * HEIGHT / picture.height)))
    data = io.BytesIO()
    picture.resize((width, HEIGHT)).save(data, "JPEG", quality=70)
    return data.getvalue()
