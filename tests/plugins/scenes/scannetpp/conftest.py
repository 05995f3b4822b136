"""A small ScanNet++ release, written by hand."""

import json
import math

import numpy as np
import pytest

from harness.video import write_video
from harness_plugins.scenes.scannetpp.source import build
from harness_plugins.scenes.settings import ScanNetPPSettings

SCENE = "036bce3393"


def grid(low, high, step):
    axes = [np.arange(a, b + step / 2, step) for a, b in zip(low, high, strict=True)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)


def obb(low, high, turn=0.0):
    """A box turned about z by degrees, as annotated: rows are axes."""
    c, s = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    return {
        "centroid": ((np.array(low) + high) / 2).tolist(),
        "axesLengths": (np.array(high) - low).tolist(),
        "normalizedAxes": [c, s, 0, -s, c, 0, 0, 0, 1],
    }


# Label, lowest and highest corner in metres. The floor is 4 x 3 m.
FLOOR = ("floor", (0.0, 0.0, 0.0), (4.0, 3.0, 0.0))
THINGS = [
    ("table", (1.0, 1.0, 0.0), (2.0, 1.6, 0.8)),
    ("office chair", (2.5, 2.0, 0.0), (3.0, 2.5, 1.0)),
    ("chair", (0.2, 2.2, 0.0), (0.6, 2.6, 0.9)),
    ("mouse", (1.4, 1.2, 0.8), (1.5, 1.3, 0.84)),
    ("wall", (0.0, 0.0, 0.0), (4.0, 0.0, 2.5)),
]


class Release:
    """Writes scenes and gives sources over them."""

    def __init__(self, root):
        self.root = root

    def scans(self, scene=SCENE):
        return self.root / "data" / scene / "scans"

    def phone(self, scene=SCENE):
        return self.root / "data" / scene / "iphone"

    def write(self, scene=SCENE):
        parts = [grid(*FLOOR[1:], 0.1), *(grid(low, high, 0.1) for _, low, high in THINGS)]
        # Segments start at 10 and need not be in the order of the vertices.
        segments = [10 + number for number, part in enumerate(parts) for _ in part]
        order = np.random.default_rng(0).permutation(len(segments))
        groups = [
            {
                "id": number,
                "objectId": number + 1,
                "label": label,
                "segments": [10 + number],
                "obb": obb(low, np.maximum(high, np.array(low) + 0.01)),
            }
            for number, (label, low, high) in enumerate([FLOOR, *THINGS])
        ]
        self.scans(scene).mkdir(parents=True)
        self.mesh(np.concatenate(parts)[order], scene)
        self.json(
            self.scans(scene) / "segments.json", segIndices=np.array(segments)[order].tolist()
        )
        self.json(self.scans(scene) / "segments_anno.json", sceneId=scene, segGroups=groups)
        return self

    def json(self, path, **content):
        path.write_text(json.dumps(content))

    def mesh(self, vertices, scene=SCENE):
        head = ["ply", "format ascii 1.0", f"element vertex {len(vertices)}"]
        head += [*(f"property float {axis}" for axis in "xyz"), "end_header"]
        lines = [" ".join(f"{x:.4f}" for x in vertex) for vertex in vertices]
        (self.scans(scene) / "mesh_aligned_0.05.ply").write_text("\n".join([*head, *lines]) + "\n")

    def groups(self, change, scene=SCENE):
        """Let `change` edit the list of groups in place."""
        path = self.scans(scene) / "segments_anno.json"
        content = json.loads(path.read_text())
        change(content["segGroups"])
        path.write_text(json.dumps(content))

    def record(self, scene=SCENE, frames=30, lost=()):
        """Half a second at 60 frames a second, looking along +y from the middle of the front."""
        self.phone(scene).mkdir(exist_ok=True)
        pose = [[1, 0, 0, 2.0], [0, 0, 1, -3.0], [0, -1, 0, 1.0], [0, 0, 0, 1]]
        gone = [[float("nan")] * 4] * 4
        camera = [[1440, 0, 960], [0, 1440, 720], [0, 0, 1]]
        self.json(
            self.phone(scene) / "pose_intrinsic_imu.json",
            **{
                f"frame_{number:06d}": {
                    "aligned_pose": gone if number in lost else pose,
                    "intrinsic": camera,
                    "timestamp": 100.0 + number / 60,
                }
                for number in range(frames)
            },
        )

    def film(self, scene=SCENE, frames=30):
        """Pictures of growing brightness, left half dark, in place of 1920 x 1440."""
        pictures = []
        for number in range(frames):
            picture = np.full((48, 64, 3), 40 + 6 * number, dtype=np.uint8)
            picture[:, :32] = 0
            pictures.append(picture)
        # FFmpeg reads a file by what is in it, whatever its name.
        write_video(self.phone(scene) / "rgb.mp4", pictures, 60)
        (self.phone(scene) / "rgb.mp4").rename(self.phone(scene) / "rgb.mkv")

    def split(self, name, *scenes):
        (self.root / "splits").mkdir(exist_ok=True)
        (self.root / "splits" / name).write_text("\n".join(scenes) + "\n")

    def source(self, **fields):
        return build(ScanNetPPSettings(root=self.root, **fields))


@pytest.fixture
def release(tmp_path):
    return Release(tmp_path)


@pytest.fixture(scope="session")
def new_release(tmp_path_factory):
    return lambda: Release(tmp_path_factory.mktemp("scannetpp"))
