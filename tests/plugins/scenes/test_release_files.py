"""The writers' bytes, against files packed by hand from the formats' descriptions."""

import itertools
import struct
import zlib

import numpy as np
import pytest

from harness.scene import Intrinsics
from harness_plugins.scenes.files.ply import read_mesh
from harness_plugins.scenes.files.sens import SensFile
from harness_plugins.scenes.release.labels import COLUMNS, NYU40, label_table, nyu40_id
from harness_plugins.scenes.release.ply import write_mesh
from harness_plugins.scenes.release.sens import SensFrame, write_sens

POSE = np.array([[0, -1, 0, 1.5], [1, 0, 0, 2.5], [0, 0, 1, 0.5], [0, 0, 0, 1]])
IDENTITY = [1.0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]


def test_a_sens_file_has_the_bytes_of_the_format(tmp_path):
    depth = np.array([[0, 500, 65535], [1, 2, 3]], dtype="<u2")
    packed = zlib.compress(depth.tobytes())
    frames = [
        SensFrame(POSE, b"\xff\xd8jpeg", packed, 33_333),
        SensFrame(None, b"", packed, 66_667),
    ]
    expected = (
        struct.pack("<I", 4)
        + struct.pack("<Q", 5)
        + b"drawn"
        + struct.pack("<16f", 10, 0, 4.5, 0, 0, 11, 2.5, 0, 0, 0, 1, 0, 0, 0, 0, 1)
        + struct.pack("<16f", *IDENTITY)
        + struct.pack("<16f", 5, 0, 1.5, 0, 0, 6, 1.0, 0, 0, 0, 1, 0, 0, 0, 0, 1)
        + struct.pack("<16f", *IDENTITY)
        + struct.pack("<i", 2)  # jpeg
        + struct.pack("<i", 1)  # zlib ushort
        + struct.pack("<IIII", 8, 4, 3, 2)
        + struct.pack("<f", 1000)
        + struct.pack("<Q", 2)
        + struct.pack("<16f", 0, -1, 0, 1.5, 1, 0, 0, 2.5, 0, 0, 1, 0.5, 0, 0, 0, 1)
        + struct.pack("<QQQQ", 33_333, 33_333, 6, len(packed))
        + b"\xff\xd8jpeg"
        + packed
        + struct.pack("<16f", *[-np.inf] * 16)
        + struct.pack("<QQQQ", 66_667, 66_667, 0, len(packed))
        + packed
        + struct.pack("<Q", 0)  # motion measurements
    )
    path = tmp_path / "scene9000_00.sens"
    colour_camera = Intrinsics(8, 4, 10.0, 11.0, 4.5, 2.5)
    depth_camera = Intrinsics(3, 2, 5.0, 6.0, 1.5, 1.0)
    write_sens(path, frames, sensor="drawn", colour=colour_camera, depth=depth_camera)
    assert path.read_bytes() == expected
    read = SensFile(path)
    assert read.header.sensor == "drawn"
    assert (read.header.colour.intrinsics, read.header.depth.intrinsics) == (
        colour_camera,
        depth_camera,
    )
    first, lost = read.poses()
    assert np.array_equal(first, POSE)
    assert lost is None
    assert [read.entry(number).colour_time for number in range(2)] == [33_333, 66_667]
    assert read.colour_bytes(0) == b"\xff\xd8jpeg"
    assert np.array_equal(read.depth(1), depth.astype(np.float32) / np.float32(1000))


def test_an_interrupted_recording_leaves_nothing(tmp_path):
    def frames():
        yield SensFrame(POSE, b"", b"", 0)
        raise KeyboardInterrupt

    camera = Intrinsics(8, 4, 10.0, 11.0, 4.5, 2.5)
    with pytest.raises(KeyboardInterrupt):
        write_sens(tmp_path / "a.sens", frames(), sensor="", colour=camera, depth=camera)
    assert list(tmp_path.iterdir()) == []


VERTICES = np.array([[0.0, 0, 0], [1.5, 0, 0], [0, 2.5, -1]])
COLOURS = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]], dtype=np.uint8)
FACES = np.array([[0, 1, 2]], dtype=np.int32)


@pytest.mark.parametrize("labels", [None, np.array([1, 40, 2], dtype=np.uint16)])
def test_a_mesh_has_the_bytes_of_the_format(tmp_path, labels):
    expected = b"ply\nformat binary_little_endian 1.0\nelement vertex 3\n"
    for name, kind in itertools.chain(
        zip("xyz", itertools.repeat("float"), strict=False),
        zip(("red", "green", "blue", "alpha"), itertools.repeat("uchar"), strict=False),
        [] if labels is None else [("label", "ushort")],
    ):
        expected += f"property {kind} {name}\n".encode()
    expected += b"element face 1\nproperty list uchar int vertex_indices\nend_header\n"
    for number in range(3):
        expected += struct.pack("<fff", *VERTICES[number])
        expected += struct.pack("BBBB", *COLOURS[number], 255)
        if labels is not None:
            expected += struct.pack("<H", labels[number])
    expected += struct.pack("<Biii", 3, 0, 1, 2)
    path = tmp_path / "mesh.ply"
    write_mesh(path, VERTICES, COLOURS, FACES, labels)
    assert path.read_bytes() == expected
    read = read_mesh(path)
    assert np.array_equal(read.vertices, VERTICES.astype(np.float32))
    assert np.array_equal(read.faces, FACES)
    assert (read.labels is None) if labels is None else np.array_equal(read.labels, labels)


@pytest.mark.parametrize(
    ("label", "number"),
    [
        ("wall", 1),
        ("floor", 2),
        ("chair", 5),
        ("bookshelf", 10),
        ("tv", 25),
        ("nightstand", 32),
        ("stool", 39),
        ("teddy bear", 40),
    ],
)
def test_nyu40_numbers(label, number):
    assert nyu40_id(label) == number


def test_the_label_table():
    head, *rows = [row.split("\t") for row in label_table({"sofa": 3, "cup": 1}).splitlines()]
    assert tuple(head) == COLUMNS
    assert len(NYU40) == 40
    assert [len(row) for row in rows] == [17, 17]
    wanted = ("raw_category", "category", "count", "nyu40id", "nyu40class")
    assert [[row[head.index(name)] for name in wanted] for row in rows] == [
        ["sofa", "couch", "3", "6", "sofa"],
        ["cup", "cup", "1", "40", "otherprop"],
    ]
