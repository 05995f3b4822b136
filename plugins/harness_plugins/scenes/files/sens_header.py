"""The head of a `.sens` file, version 4 (ScanNet): cameras, sizes, compressions, number of frames.

Little endian throughout:
`uint32 version; uint64 n; char[n] sensor; float32[16] x 4 (intrinsic and extrinsic of colour, then
of depth); int32 colour compression; int32 depth compression; uint32 colour width, height; uint32
depth width, height; float32 depth shift; uint64 frames`, then the frames.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.errors import SceneError
from harness.scene import Array, Intrinsics

VERSION = 4
COLOUR = {-1: "unknown", 0: "raw", 1: "png", 2: "jpeg"}
DEPTH = {-1: "unknown", 0: "raw", 1: "zlib", 2: "occi"}
READABLE = ("raw", "png", "jpeg", "zlib")

START = struct.Struct("<IQ")
REST = struct.Struct("<64f2i4IfQ")
FRAME = struct.Struct("<16f4Q")

# Far beyond any real recording: a sensor is named in a few words, a phone's picture has 4,032
# columns, and ScanNet's longest scan has about 10,000 frames.
MAX_NAME, MAX_SIDE, MAX_FRAMES = 4096, 8192, 1_000_000
# Stored in metres (1) to micrometres.
MAX_SHIFT = 1e6


@dataclass(frozen=True)
class Camera:
    """Colour or depth camera of a recording.

    Args:
        width: pixels. height: pixels.
        intrinsic: (4, 4), focal lengths and principal point in pixels.
        extrinsic: (4, 4), the camera within the sensor.
        compression: `raw`, `png` or `jpeg` for colour; `raw` or `zlib` for depth.
    """

    width: int
    height: int
    intrinsic: Array
    extrinsic: Array
    compression: str

    @property
    def pixels(self) -> int:
        """Number of pixels of a picture."""
        return self.width * self.height

    def scaled(self, width: int, height: int) -> Intrinsics:
        """The camera of the same pictures scaled to another size."""
        across, down = width / self.width, height / self.height
        matrix = self.intrinsic
        return Intrinsics(
            width,
            height,
            float(matrix[0, 0]) * across,
            float(matrix[1, 1]) * down,
            float(matrix[0, 2]) * across,
            float(matrix[1, 2]) * down,
        )

    @property
    def intrinsics(self) -> Intrinsics:
        """The camera at its own size."""
        return self.scaled(self.width, self.height)


@dataclass(frozen=True)
class SensHeader:
    """What the head of a `.sens` file says.

    Args:
        sensor: name of the sensor.
        colour: its camera. depth: its camera.
        depth_shift: stored depth units a metre (1000: millimetres).
        frames: number of frames.
        size: bytes of the head.
    """

    sensor: str
    colour: Camera
    depth: Camera
    depth_shift: float
    frames: int
    size: int


def read_header(path: Path, data: bytes, file_size: int) -> SensHeader:
    """Read the head from the first bytes of a file.

    Args:
        path: named in errors.
        data: the file's first bytes, at least `longest_header()` of them if there are as many.
        file_size: bytes of the whole file; what the head claims is checked against it.

    Raises:
        SceneError: no `.sens` file of version 4, truncated, or with impossible figures; all
            impossible figures are told at once.
    """
    if len(data) < START.size:
        raise SceneError(f"{path}: {file_size} bytes are too few for a .sens file; copy it again")
    version, length = START.unpack_from(data)
    if version != VERSION:
        raise SceneError(
            f"{path}: .sens version is {version}, expected {VERSION}; is it a .sens file?"
        )
    if length > MAX_NAME:
        raise SceneError(
            f"{path}: length of the sensor's name is {length}, expected at most {MAX_NAME}"
        )
    if len(data) < START.size + length + REST.size:
        raise SceneError(f"{path}: ends in the header at byte {file_size}; copy it again")
    name = data[START.size : START.size + length].rstrip(b"\0").decode("utf-8", "replace")
    rest = REST.unpack_from(data, START.size + length)
    matrices = np.array(rest[:64], dtype=np.float64).reshape(4, 4, 4)
    matrices.flags.writeable = False
    codes, sizes, (shift, frames) = rest[64:66], rest[66:70], rest[70:]
    header = SensHeader(
        name,
        Camera(
            sizes[0], sizes[1], matrices[0], matrices[1], COLOUR.get(codes[0], f"code {codes[0]}")
        ),
        Camera(
            sizes[2], sizes[3], matrices[2], matrices[3], DEPTH.get(codes[1], f"code {codes[1]}")
        ),
        shift,
        frames,
        START.size + length + REST.size,
    )
    if problems := [*_camera_problems(header), *_other_problems(header, file_size)]:
        raise SceneError(f"{path}: the .sens header is wrong: " + "; ".join(problems))
    return header


def longest_header() -> int:
    """Bytes that hold any readable head."""
    return START.size + MAX_NAME + REST.size


def _camera_problems(header: SensHeader) -> list[str]:
    problems = []
    for name, camera in (("colour", header.colour), ("depth", header.depth)):
        if not (0 < camera.width <= MAX_SIDE and 0 < camera.height <= MAX_SIDE):
            problems.append(
                f"{name} size is {camera.width} x {camera.height} pixels, expected 1 to {MAX_SIDE}"
            )
        if not (np.isfinite(camera.intrinsic).all() and np.isfinite(camera.extrinsic).all()):
            problems.append(f"{name} intrinsic or extrinsic has a number that is not finite")
        elif camera.intrinsic[0, 0] <= 0 or camera.intrinsic[1, 1] <= 0:
            problems.append(
                f"{name} focal lengths are {camera.intrinsic[0, 0]:g} and "
                f"{camera.intrinsic[1, 1]:g}, expected positive numbers"
            )
    return problems


def _other_problems(header: SensHeader, file_size: int) -> list[str]:
    problems = []
    if header.colour.compression not in READABLE:
        problems.append(
            f"colour compression is {header.colour.compression}, expected raw, png or jpeg"
        )
    if header.depth.compression not in READABLE:
        problems.append(
            f"depth compression is {header.depth.compression}, expected raw or zlib ushort; "
            "recompress the file with ScanNet's own tools"
        )
    if not 1 <= header.depth_shift <= MAX_SHIFT:
        problems.append(f"depth shift is {header.depth_shift:g}, expected 1 to {MAX_SHIFT:g}")
    room = (file_size - header.size) // FRAME.size
    if header.frames > min(room, MAX_FRAMES):
        problems.append(
            f"number of frames is {header.frames}, but the file's {file_size} bytes hold at most "
            f"{room}"
            if header.frames > room
            else f"number of frames is {header.frames}, expected at most {MAX_FRAMES}"
        )
    return problems
