"""A folder of sampled, scaled frames, found by what they were made from.

A training run looks at each video many times; decoding it once is enough.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.atomic import replacing, write_json
from harness.decoder import decoder_version
from harness.errors import VideoError
from harness.video import Clip, file_digest, read_clip


@dataclass(frozen=True)
class _Request:
    """All that decides the frames; the file counts by its content, not by its name."""

    digest: str
    frames: int
    sampler: str
    height: int | None
    width: int | None
    decoder: str

    def key(self) -> str:
        text = json.dumps(asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


class FrameCache:
    """Reads clips, keeping their frames in `folder` for the next time.

    Several processes may share the folder: entries are written whole, and equal requests give
    equal entries. An entry is `KEY.npy` (uint8 frames) and, written after it, `KEY.json` (what
    it was made from, indices, times, digest of the pixels). One that does not agree with itself
    is made anew. Nothing is ever removed; deleting the folder is safe.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # Entries this process has checked against their digest, by size and modification time.
        self._checked: dict[str, tuple[int, int]] = {}

    def clip(
        self,
        path: Path,
        *,
        frames: int,
        sampler: str = "linspace",
        height: int | None = None,
        width: int | None = None,
    ) -> Clip:
        """As `harness.video.read_clip`; the frames are a read-only memory map where cached.

        Raises:
            VideoError: as `read_clip`, or the folder cannot be written.
        """
        digest = file_digest(path)
        request = _Request(digest, frames, sampler, height, width, decoder_version())
        clip = self._find(request)
        if clip is None:
            clip = read_clip(path, frames=frames, sampler=sampler, height=height, width=width)
            self._keep(request, clip)
        return clip

    def _paths(self, key: str) -> tuple[Path, Path]:
        folder = self.folder / key[:2]
        return folder / f"{key}.npy", folder / f"{key}.json"

    def _find(self, request: _Request) -> Clip | None:
        key = request.key()
        pixels, sidecar = self._paths(key)
        try:
            found = json.loads(sidecar.read_text())
            frames = np.load(pixels, mmap_mode="r", allow_pickle=False)
            status = pixels.stat()
            stamp = (status.st_size, status.st_mtime_ns)
            if self._checked.get(key) != stamp:
                if not _agrees(found, frames, request):
                    return None
                self._checked[key] = stamp
            return Clip(
                frames=frames.view(np.ndarray),
                indices=tuple(found["indices"]),
                times=tuple(found["times"]),
                total=found["total"],
                fps=found["fps"],
                digest=request.digest,
            )
        except (OSError, ValueError, KeyError, TypeError, EOFError):
            # Absent, or damaged in a way that reading shows.
            return None

    def _keep(self, request: _Request, clip: Clip) -> None:
        pixels, sidecar = self._paths(request.key())
        try:
            with replacing(pixels) as temporary, temporary.open("wb") as file:
                np.save(file, clip.frames, allow_pickle=False)
            write_json(
                sidecar,
                {
                    "request": asdict(request),
                    "indices": clip.indices,
                    "times": clip.times,
                    "total": clip.total,
                    "fps": clip.fps,
                    "shape": clip.frames.shape,
                    "pixels": _pixel_digest(clip.frames),
                },
            )
        except OSError as error:
            raise VideoError(
                f"frame cache {self.folder}: cannot be written ({error.strerror}); free space, "
                f"or name another folder"
            ) from error


def _agrees(found: dict[str, Any], frames: NDArray[np.uint8], request: _Request) -> bool:
    return (
        found["request"] == asdict(request)
        and frames.dtype == np.uint8
        and list(frames.shape) == found["shape"]
        and len(found["indices"]) == len(found["times"]) == len(frames) == request.frames
        and found["pixels"] == _pixel_digest(frames)
    )


def _pixel_digest(frames: NDArray[np.uint8]) -> str:
    return hashlib.sha256(np.ascontiguousarray(frames).data).hexdigest()
