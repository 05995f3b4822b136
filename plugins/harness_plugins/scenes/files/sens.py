"""Recordings of ScanNet (`.sens`, version 4): poses, colour and depth, one frame at a time.

A file is gigabytes, so nothing is read but the frame asked for: the first access walks over the
frames' heads (a hundred bytes each) and skips their pictures.
"""

from __future__ import annotations

import io
import os
import stat
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from harness.errors import SceneError
from harness.scene import Array
from harness_plugins.scenes.files.jpeg import without_metadata
from harness_plugins.scenes.files.sens_header import (
    FRAME,
    Camera,
    SensHeader,
    longest_header,
    read_header,
)

# A tracked pose is a rotation up to rounding in float32.
RIGID_TOLERANCE = 1e-2
# Bytes that a picture's container may add to its pixels (PNG and JPEG metadata).
METADATA = 2**20

_BROKEN_PICTURE = (
    OSError, SyntaxError, ValueError, IndexError, EOFError, struct.error, zlib.error,
    Image.DecompressionBombError, Image.DecompressionBombWarning,
)  # fmt: skip


@dataclass(frozen=True)
class FrameEntry:
    """Where one frame lies in the file; times are the device's, in microseconds, often all 0."""

    colour_time: int
    depth_time: int
    colour_at: int
    colour_bytes: int
    depth_at: int
    depth_bytes: int


class SensFile:
    """A recording. No file stays open between calls; frames are counted from 0.

    Args:
        path: the `.sens` file.

    Raises:
        SceneError: the file is missing, no `.sens` file of version 4, or its head is impossible.
            Methods raise it too, with the frame and the field, where that frame is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._opened() as file:
            self.size = os.fstat(file).st_size
            self.header: SensHeader = read_header(
                path, os.pread(file, longest_header(), 0), self.size
            )

    def __len__(self) -> int:
        """Number of frames."""
        return self.header.frames

    def poses(self) -> list[Array | None]:
        """(4, 4) camera-to-world of each frame, metres; None where tracking was lost.

        A lost pose is stored as -inf; a NaN or +inf counts as lost as well.

        Raises:
            SceneError: a finite pose is no rigid motion.
        """
        with np.errstate(invalid="ignore"):  # one kind of NaN is told of when it is cast
            matrices = self._walk[1].astype(np.float64).reshape(-1, 4, 4)
        kept: NDArray[np.bool_] = np.asarray(np.isfinite(matrices).all(axis=(1, 2)))
        turns = np.where(kept[:, None, None], matrices, np.eye(4))[:, :3, :3]
        bottom = np.where(kept[:, None], matrices[:, 3], (0, 0, 0, 1)) - (0, 0, 0, 1)
        with np.errstate(over="ignore", invalid="ignore"):
            error = np.abs(turns @ turns.transpose(0, 2, 1) - np.eye(3)).max(axis=(1, 2))
            error = np.maximum(error, np.abs(bottom).max(axis=1))
            error = np.where(np.linalg.det(turns) > 0, error, np.inf)
        if wrong := np.flatnonzero(~(error <= RIGID_TOLERANCE)).tolist():
            raise SceneError(
                f"{self.path}: frame {wrong[0]}: camera-to-world is no rigid motion "
                f"({len(wrong)} such frames): {matrices[wrong[0]].round(3).tolist()}"
            )
        matrices.flags.writeable = False
        return [matrix if found else None for matrix, found in zip(matrices, kept, strict=True)]

    def entry(self, index: int) -> FrameEntry:
        """Where a frame's pictures lie, and its times."""
        if not 0 <= index < len(self):
            raise SceneError(f"{self.path}: no frame {index}; there are {len(self)}, from 0")
        return FrameEntry(*self._walk[0][index].tolist())

    def colour_bytes(self, index: int) -> bytes:
        """The compressed colour picture as stored (`header.colour.compression`)."""
        entry = self.entry(index)
        return self._read(entry.colour_at, entry.colour_bytes, index, "colour")

    def colour(self, index: int, size: tuple[int, int] | None = None) -> NDArray[np.uint8]:
        """(height, width, 3) RGB of a frame.

        Args:
            index: which frame.
            size: (width, height) in pixels to scale to; a JPEG is decoded no larger than needed.
        """
        data, camera = self.colour_bytes(index), self.header.colour
        try:
            picture = _open_picture(data, camera, size)
            if size is not None and picture.size != size:
                picture = picture.resize(size, Image.Resampling.BICUBIC)
            return np.asarray(picture, dtype=np.uint8)
        except _BROKEN_PICTURE as error:
            raise SceneError(
                f"{self.path}: frame {index}: colour cannot be read as {camera.compression} of "
                f"{camera.width} x {camera.height} pixels ({error})"
            ) from error

    def depth(self, index: int) -> NDArray[np.float32]:
        """(height, width) metres along the camera's z axis, 0 where nothing was measured."""
        entry, camera = self.entry(index), self.header.depth
        data = self._read(entry.depth_at, entry.depth_bytes, index, "depth")
        wanted = 2 * camera.pixels
        if camera.compression == "zlib":
            data = self._inflated(data, wanted, index)
        if len(data) != wanted:
            raise SceneError(
                f"{self.path}: frame {index}: depth has {len(data)} bytes, expected {wanted} for "
                f"{camera.width} x {camera.height} pixels"
            )
        stored = np.frombuffer(data, dtype="<u2").reshape(camera.height, camera.width)
        return stored.astype(np.float32) / np.float32(self.header.depth_shift)

    def frame(self, index: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Colour and depth of a frame; their sizes usually differ."""
        return self.colour(index), self.depth(index)

    @cached_property
    def _walk(self) -> tuple[NDArray[np.uint64], NDArray[np.float32]]:
        """(n, 6) numbers of the entries and (n, 16) poses."""
        count, position = len(self), self.header.size
        entries = np.zeros((count, 6), dtype=np.uint64)
        poses = np.zeros((count, 16), dtype="<f4")
        with self._opened() as file:
            for index in range(count):
                head = os.pread(file, FRAME.size, position)
                if len(head) < FRAME.size:
                    raise SceneError(
                        f"{self.path}: frame {index}: the file ends in its head at byte "
                        f"{self.size}, expected {count} frames; copy it again"
                    )
                poses[index] = np.frombuffer(head, dtype="<f4", count=16)
                *times, colour, depth = _TIMES_AND_SIZES.unpack_from(head, 64)
                self._check_sizes(index, colour, depth, self.size - position - FRAME.size)
                start = position + FRAME.size
                entries[index] = (*times, start, colour, start + colour, depth)
                position = start + colour + depth
        return entries, poses

    def _check_sizes(self, index: int, colour: int, depth: int, left: int) -> None:
        cameras = (self.header.colour, self.header.depth)
        limits = (3 * cameras[0].pixels, 2 * cameras[1].pixels)
        fields = zip(("colour", "depth"), (colour, depth), cameras, limits, strict=True)
        for name, found, camera, limit in fields:
            raw = camera.compression == "raw"
            if found > limit + METADATA or (raw and found != limit):
                raise SceneError(
                    f"{self.path}: frame {index}: {name} bytes are {found}, expected "
                    f"{'' if raw else 'about at most '}{limit} for {camera.width} x "
                    f"{camera.height} pixels"
                )
        if colour + depth > left:
            raise SceneError(
                f"{self.path}: frame {index}: colour and depth have {colour} + {depth} bytes, but "
                f"the file ends after {left}; copy it again"
            )

    def _inflated(self, data: bytes, wanted: int, index: int) -> bytes:
        inflater = zlib.decompressobj()
        try:
            # One byte more than there should be: a longer stream is refused, not unpacked.
            return inflater.decompress(data, wanted + 1)
        except zlib.error as error:
            raise SceneError(
                f"{self.path}: frame {index}: depth cannot be decompressed ({error})"
            ) from error

    def _read(self, at: int, length: int, index: int, field: str) -> bytes:
        with self._opened() as file:
            data = os.pread(file, length, at)
        if len(data) != length:
            raise SceneError(
                f"{self.path}: frame {index}: {field} ends after {len(data)} of {length} bytes; "
                "the file changed while it was read"
            )
        return data

    @contextmanager
    def _opened(self) -> Iterator[int]:
        try:
            # Without blocking, as opening a pipe would wait for ever.
            file = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise SceneError(f"{self.path}: cannot be read ({error.strerror})") from error
        try:
            if not stat.S_ISREG(os.fstat(file).st_mode):
                raise SceneError(f"{self.path}: is no regular file, expected a .sens file")
            yield file
        except OSError as error:
            raise SceneError(f"{self.path}: cannot be read ({error.strerror})") from error
        finally:
            os.close(file)


_TIMES_AND_SIZES = struct.Struct("<4Q")


def _open_picture(data: bytes, camera: Camera, size: tuple[int, int] | None) -> Image.Image:
    """The picture, of the camera's size or, where that saves work, between it and `size`."""
    whole = (camera.width, camera.height)
    if camera.compression == "raw":
        return Image.frombytes("RGB", whole, data)
    if camera.compression == "jpeg":
        data = without_metadata(data)
    picture: Image.Image = Image.open(io.BytesIO(data), formats=[camera.compression])
    if picture.size != whole:
        raise ValueError(f"it has {picture.width} x {picture.height} pixels")
    if size is not None:
        picture.draft("RGB", size)
    return picture.convert("RGB")
