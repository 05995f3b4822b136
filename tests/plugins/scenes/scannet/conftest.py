"""A small ScanNet release, written by hand from the description of its formats."""

import json
import struct

import numpy as np
import pytest

SCAN = "scene0011_00"
# The columns of the released table that label maps look at, and one that they do not.
TABLE = (
    ("id", "raw_category", "category", "nyu40id", "nyu40class"),
    ("1", "wall", "wall", "1", "wall"),
    ("3", "floor", "floor", "2", "floor"),
    ("2", "chair", "chair", "5", "chair"),
    ("10", "office chair", "office chair", "5", "chair"),
    ("4", "table", "table", "7", "table"),
    ("9", "desk", "desk", "14", "desk"),
    ("56", "trash can", "trash can", "39", "otherfurniture"),
    ("97", "recycling bin", "recycling bin", "39", "otherfurniture"),
    ("202", "mouse", "mouse", "40", "otherprop"),
    ("165", "mini fridge", "mini fridge", "24", "refridgerator"),
    ("1191", "mattress", "mattress", "4", "bed"),
    ("1163", "object", "object", "40", "otherprop"),
    ("78", "shower", "shower", "38", "otherstructure"),
)
# Label, centre and size in metres; each is a grid of points with its corners.
THINGS = (
    ("mouse", (1.0, 1.0, 0.8), (0.1, 0.06, 0.04)),
    ("desk", (1.0, 1.0, 0.375), (1.4, 0.7, 0.75)),
    ("office chair", (2.5, 1.0, 0.5), (0.5, 0.6, 1.0)),
    ("trash can", (3.6, 2.6, 0.2), (0.3, 0.4, 0.4)),
    ("chair", (2.5, 2.2, 0.45), (0.4, 0.5, 0.9)),
    ("shower", (0.5, 2.5, 1.1), (0.9, 0.8, 2.2)),
)
ROOM = (4.0, 3.0, 2.5)


def grid(centre, size, steps=6):
    axes = [np.linspace(c - s / 2, c + s / 2, steps) for c, s in zip(centre, size, strict=True)]
    return np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 3)


def floor_points():
    x, y = np.meshgrid(np.linspace(0, ROOM[0], 41), np.linspace(0, ROOM[1], 31))
    return np.column_stack([x.ravel(), y.ravel(), np.zeros(x.size)])


def ply_bytes(vertices, faces=((0, 1, 2),)):
    head = [
        "ply",
        "format binary_little_endian 1.0",
        f"element vertex {len(vertices)}",
        *(f"property float {axis}" for axis in "xyz"),
        *(f"property uchar {colour}" for colour in ("red", "green", "blue", "alpha")),
        f"element face {len(faces)}",
        "property list uchar int vertex_indices",
        "end_header\n",
    ]
    body = b"".join(struct.pack("<3f4B", *vertex, 1, 2, 3, 255) for vertex in vertices)
    return "\n".join(head).encode() + body + b"".join(struct.pack("<B3i", 3, *f) for f in faces)


class Release:
    """Folder of a release; `write` makes one scan, `changed` edits a scan's JSON."""

    things, room = THINGS, ROOM
    grid = staticmethod(grid)

    def __init__(self, root):
        self.root = root
        (root / "scannetv2-labels.combined.tsv").write_text(
            "\n".join("\t".join(row) for row in TABLE) + "\n"
        )

    def path(self, ending, scan=SCAN):
        return self.root / "scans" / scan / f"{scan}{ending}"

    @property
    def mesh(self):
        return self.path("_vh_clean_2.ply")

    @property
    def segments(self):
        return self.path("_vh_clean_2.0.010000.segs.json")

    @property
    def aggregation(self):
        return self.path(".aggregation.json")

    def write(self, things=THINGS, scan=SCAN, alignment=None, key="axisAlignment"):
        """Floor and ceiling corners in segment 7, object k in segments 100 + 2k and 101 + 2k."""
        matrix = np.eye(4) if alignment is None else alignment
        parts = [floor_points(), [[0.0, 0.0, ROOM[2]]], *(grid(c, s) for _, c, s in things)]
        ids = [7] * (len(parts[0]) + 1)
        for number, part in enumerate(parts[2:]):
            ids += [100 + 2 * number + (place % 2) for place in range(len(part))]
        aligned = np.concatenate(parts)
        vertices = (aligned - matrix[:3, 3]) @ matrix[:3, :3]
        self.path("", scan).parent.mkdir(parents=True, exist_ok=True)
        self.path("_vh_clean_2.ply", scan).write_bytes(ply_bytes(vertices))
        groups = [
            {"id": k, "objectId": k, "segments": [100 + 2 * k, 101 + 2 * k], "label": label}
            for k, (label, _, _) in enumerate(things)
        ]
        self._dump(scan, "_vh_clean_2.0.010000.segs.json", sceneId=scan, segIndices=ids)
        self._dump(scan, ".aggregation.json", sceneId=f"scannet.{scan}", segGroups=groups)
        numbers = " ".join(f"{x:.9f}" for x in matrix.ravel())
        self.path(".txt", scan).write_text(
            f"{key} = {numbers}\ncolorHeight = 968\nsceneType = Office\n"
        )
        return self

    def changed(self, path, **fields):
        path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))

    def group(self, number, **fields):
        """Change a group; a field of None is taken out."""
        groups = json.loads(self.aggregation.read_text())["segGroups"]
        groups[number] = {
            key: value for key, value in {**groups[number], **fields}.items() if value is not None
        }
        self.changed(self.aggregation, segGroups=groups)

    def _dump(self, scan, ending, **content):
        self.path(ending, scan).write_text(json.dumps(content))


@pytest.fixture
def release(tmp_path):
    return Release(tmp_path)


@pytest.fixture(scope="session")
def new_release(tmp_path_factory):
    return lambda: Release(tmp_path_factory.mktemp("release"))
