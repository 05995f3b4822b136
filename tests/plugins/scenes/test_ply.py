"""PLY meshes: bytes written by hand, in every layout, and files that lie about themselves."""

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import SceneError
from harness_plugins.scenes.files import ply_elements
from harness_plugins.scenes.files.bounded import read_bytes
from harness_plugins.scenes.files.ply import read_mesh

CORNERS = [(0.0, 0.0, 0.0), (1.5, 0.0, 0.0), (1.5, 2.0, 0.0), (0.0, 2.0, -0.5)]
FACES = [(0, 1, 2), (0, 2, 3)]


def header(*lines: str, kind: str = "binary_little_endian") -> bytes:
    return "\n".join(["ply", f"format {kind} 1.0", *lines, "end_header", ""]).encode()


# The head of ScanNet's `_vh_clean_2.labels.ply`.
SCANNET = header(
    "comment VCGLIB generated",
    "element vertex 4",
    *(f"property float {axis}" for axis in "xyz"),
    *(f"property uchar {colour}" for colour in ("red", "green", "blue", "alpha")),
    "property ushort label",
    "element face 2",
    "property list uchar int vertex_indices",
)
SCANNET_BODY = b"".join(
    struct.pack("<fff4BH", *corner, 10, 20, 30, 255, 5 + place)
    for place, corner in enumerate(CORNERS)
) + b"".join(struct.pack("<B3i", 3, *face) for face in FACES)

XYZ = tuple(f"property float {axis}" for axis in "xyz")


@pytest.fixture
def read(tmp_path):
    def from_bytes(data: bytes):
        path = tmp_path / "mesh.ply"
        path.write_bytes(data)
        return read_mesh(path)

    return from_bytes


def test_scannets_layout(read):
    mesh = read(SCANNET + SCANNET_BODY)
    assert mesh.vertices.dtype == np.float32
    assert mesh.vertices.tolist() == [list(corner) for corner in CORNERS]
    assert mesh.faces.tolist() == [list(face) for face in FACES]
    assert mesh.labels.tolist() == [5, 6, 7, 8]


def test_windows_line_ends_in_the_header(read):
    mesh = read(SCANNET.replace(b"\n", b"\r\n") + SCANNET_BODY)
    assert mesh.vertices.tolist() == [list(corner) for corner in CORNERS]


def test_big_endian_doubles_in_another_order_behind_an_element_nobody_asked_for(read):
    head = header(
        "element camera 2",
        "property double focal",
        "property list uint short steps",
        "element vertex 4",
        "property double z",
        "property int extra",
        "property double x",
        "property double y",
        kind="binary_big_endian",
    )
    cameras = struct.pack(">dI2h", 1.0, 2, 7, 8) + struct.pack(">dI", 2.0, 0)
    body = b"".join(struct.pack(">didd", z, -1, x, y) for x, y, z in CORNERS)
    mesh = read(head + cameras + body)
    assert mesh.vertices.tolist() == [list(corner) for corner in CORNERS]
    assert (mesh.faces, mesh.labels) == (None, None)


def test_text(read):
    head = header(
        "element vertex 4",
        *XYZ,
        "property int label",
        "element face 2",
        "property list uchar int vertex_index",
        kind="ascii",
    )
    body = "".join(f"{x} {y} {z} {place}\n" for place, (x, y, z) in enumerate(CORNERS))
    mesh = read(head + body.encode() + b"3 0 1 2\n3 0 2 3")
    assert mesh.vertices.tolist() == [list(corner) for corner in CORNERS]
    assert mesh.faces.tolist() == [list(face) for face in FACES]
    assert mesh.labels.tolist() == [0, 1, 2, 3]


def test_polygons_become_fans(read):
    head = header(
        "element vertex 5", *XYZ, "element face 3", "property list uchar int vertex_indices"
    )
    body = struct.pack("<15f", *range(15))
    body += struct.pack("<B3i", 3, 0, 1, 2)
    body += struct.pack("<B5i", 5, 0, 1, 2, 3, 4)
    body += struct.pack("<B3i", 3, 2, 3, 4)
    expected = [[0, 1, 2], [0, 1, 2], [0, 2, 3], [0, 3, 4], [2, 3, 4]]
    assert read(head + body).faces.tolist() == expected


def test_no_faces(read):
    vertex = struct.pack("<3f", 1, 2, 3)
    assert read(header("element vertex 1", *XYZ) + vertex).faces is None
    faces = ("element face 0", "property list uchar int vertex_indices")
    assert read(header("element vertex 1", *XYZ, *faces) + vertex).faces.shape == (0, 3)
    strips = ("element face 1", "property uchar flags")
    assert read(header("element vertex 1", *XYZ, *strips) + vertex + b"\1").faces is None


@pytest.mark.parametrize("cut", range(len(SCANNET_BODY)))
def test_a_file_cut_anywhere_is_refused(read, cut):
    with pytest.raises(SceneError, match=r"mesh\.ply: (vertex|face).* the file is truncated"):
        read(SCANNET + SCANNET_BODY[:cut])


@pytest.mark.parametrize("cut", range(0, len(SCANNET), 7))
def test_a_header_cut_anywhere_is_refused(read, cut):
    with pytest.raises(SceneError, match=r"mesh\.ply: (header: no 'end_header'|expected a PLY)"):
        read(SCANNET[:cut])


def one_vertex(*values: float) -> bytes:
    return header("element vertex 1", *XYZ) + struct.pack("<3f", *values)


QUADS = ("element vertex 1", *XYZ, "element face 1", "property list int int vertex_indices")


def one_face(length: int, *corners: int) -> bytes:
    body = struct.pack("<3f", 0, 0, 0) + struct.pack(f"<i{len(corners)}i", length, *corners)
    return header(*QUADS) + body


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "expected a PLY file, which begins with 'ply'"),
        (b"PK\3\4", "expected a PLY file"),
        (b"ply\n" + b"comment x\n" * 10_000, "header: no 'end_header' in the first 65,536 bytes"),
        (b"ply\n" + b"x" * 100_000, "header: no 'end_header' in the first 65,536 bytes"),
        (b"ply\nelement vertex 1\nend_header\n", "header: no 'format' line"),
        (header(kind="binary_middle_endian"), "cannot read the line 'format binary_middle_endian"),
        (header("element vertex -1"), "cannot read the line 'element vertex -1'"),
        (header("element vertex 1e9"), "cannot read the line 'element vertex 1e9'"),
        (header("property float x"), "cannot read the line 'property float x'"),
        (header("element vertex 1", "property half x"), "cannot read the line 'property half x'"),
        (header("element vertex 1", "element vertex 1"), "element 'vertex' occurs twice"),
        (header("element vertex 1", *XYZ, *XYZ), r"vertex\.x occurs twice"),
        (header(), "vertex: the file has no vertices"),
        (header("element vertex 0", *XYZ), "vertex: the file has no vertices"),
        (header("element vertex 5"), "vertex: the file has no vertices"),
        (header("element vertex 1", XYZ[0]) + bytes(4), "vertex: no property y, z"),
        (
            header("element vertex 9999999999999999999", *XYZ) + bytes(120),
            "the header promises 9,999,999,999,999,999,999 records, but only 120 bytes",
        ),
        (
            header("element vertex 9999999999999999999", *XYZ, kind="ascii") + b"0 0 0\n",
            "the header promises 9,999,999,999,999,999,999 records, but only 6 bytes",
        ),
        (
            header("element vertex 1", *XYZ, kind="ascii") + b"0 1 zero\n",
            "the text after the header is not numbers: .*zero",
        ),
        (one_vertex(0, float("nan"), 0), r"vertex\.y: 1 coordinates are not finite.*nan at vertex"),
        (one_vertex(0, 0, float("-inf")), r"vertex\.z: 1 coordinates are not finite"),
        (one_vertex(1e30, 0, 0), r"vertex\.x: 1 coordinates .* beyond 10,000 m"),
        (
            one_face(3, 0, 0, 1),
            r"face\.vertex_indices: 1 found, expected whole numbers from 0 to 0",
        ),
        (one_face(3, 0, -1, 0), r"face\.vertex_indices: -1 found"),
        (one_face(2, 0, 0), r"face\.vertex_indices: a list of 2, expected three corners or more"),
        (one_face(0), r"face\.vertex_indices: a list of 0"),
        (one_face(-1), r"face\.vertex_indices: a list of -1 entries, but 0 bytes are left"),
        (one_face(2**31 - 1, 0), r"face\.vertex_indices: a list of 2\.14748e\+09 entries, but 4 b"),
        (
            header("element vertex 1", *XYZ, "property float label")
            + struct.pack("<4f", 0, 0, 0, 0.5),
            r"vertex\.label: 0\.5 found, expected whole numbers",
        ),
        (
            header("element vertex 1", "property list uchar float x", *XYZ[1:])
            + struct.pack("<B3f", 1, 0, 0, 0),
            r"vertex\.x: a list, expected a number",
        ),
    ],
)
def test_what_is_wrong_is_named(read, data, message):
    with pytest.raises(SceneError, match=rf"mesh\.ply: .*{message}|mesh\.ply: {message}"):
        read(data)


def test_a_missing_file_and_one_that_is_too_large(tmp_path):
    with pytest.raises(SceneError, match=r"none\.ply: no such file"):
        read_mesh(tmp_path / "none.ply")
    (tmp_path / "large").write_bytes(bytes(11))
    with pytest.raises(SceneError, match=r"large: more than 10 bytes"):
        read_bytes(tmp_path / "large", 10)


def test_text_beyond_its_limit_is_refused(read, monkeypatch):
    monkeypatch.setattr(ply_elements, "MOST_TEXT_BYTES", 5)
    with pytest.raises(SceneError, match="more than 5 bytes of text; write it as binary PLY"):
        read(header("element vertex 1", *XYZ, kind="ascii") + b"0 0 0\n")


POLYGONS = st.lists(st.lists(st.integers(0, 9), min_size=3, max_size=6), max_size=300)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(polygons=POLYGONS, text=st.booleans())
def test_mixed_polygons_are_read_as_if_one_by_one(tmp_path_factory, polygons, text):
    head = header(
        "element vertex 10",
        *XYZ,
        f"element face {len(polygons)}",
        "property list uchar ushort vertex_indices",
        "property uchar flags",
        kind="ascii" if text else "binary_little_endian",
    )
    if text:
        lines = ["0 1 2"] * 10 + [" ".join(map(str, [len(p), *p, 1])) for p in polygons]
        body = "\n".join(lines).encode()
    else:
        body = struct.pack("<30f", *[0, 1, 2] * 10)
        for polygon in polygons:
            body += struct.pack(f"<B{len(polygon)}HB", len(polygon), *polygon, 1)
    path = tmp_path_factory.mktemp("ply") / "mesh.ply"
    path.write_bytes(head + body)
    expected = [[p[0], p[k], p[k + 1]] for p in polygons for k in range(1, len(p) - 1)]
    assert read_mesh(path).faces.tolist() == expected


@settings(derandomize=True, max_examples=300, deadline=None)
@given(data=st.data())
def test_damage_is_an_error_of_ours_or_a_finite_mesh(tmp_path_factory, data):
    whole = bytearray(SCANNET + SCANNET_BODY)
    for place in data.draw(st.lists(st.integers(0, len(whole) - 1), min_size=1, max_size=4)):
        whole[place] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("ply") / "mesh.ply"
    path.write_bytes(bytes(whole))
    try:
        mesh = read_mesh(path)
    except SceneError:
        return
    assert np.isfinite(mesh.vertices).all()
    if mesh.faces is not None and mesh.faces.size:
        assert 0 <= mesh.faces.min() <= mesh.faces.max() < len(mesh.vertices)
