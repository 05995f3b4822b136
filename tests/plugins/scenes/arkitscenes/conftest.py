"""A small ARKitScenes release, written by hand."""

import json
import math

import numpy as np
import pytest
from PIL import Image
from scipy.spatial.transform import Rotation

from harness_plugins.scenes.arkitscenes.source import build
from harness_plugins.scenes.settings import ARKitScenesSettings

SCAN = "41069025"
# Looks along +y: x right, down is -z, forward is y.
LEVEL = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
EYE = np.array([2.0, -2.0, 1.0])


def grid(low, high, step):
    axes = [np.arange(a, b + step / 2, step) for a, b in zip(low, high, strict=True)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)


def box(low, high, turn=0.0):
    c, s = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    return {
        "centroid": ((np.array(low) + high) / 2).tolist(),
        "axesLengths": (np.array(high) - low).tolist(),
        "normalizedAxes": [c, s, 0, -s, c, 0, 0, 0, 1],
    }


THINGS = [
    ("sofa", (0.5, 2.0, 0.0), (2.5, 2.8, 0.8)),
    ("tv_monitor", (3.0, 2.9, 0.8), (3.8, 3.0, 1.3)),
    ("table", (1.0, 0.5, 0.0), (1.8, 1.1, 0.5)),
    ("cabinet", (3.4, 0.0, 0.0), (4.0, 0.5, 1.0)),
]


class Release:
    """Writes scans and gives sources over them."""

    def __init__(self, root):
        self.root = root
        self.table()

    def folder(self, scan=SCAN, fold="Validation"):
        return self.root / fold / scan

    def annotation(self, scan=SCAN, fold="Validation"):
        return self.folder(scan, fold) / f"{scan}_3dod_annotation.json"

    def frames(self, scan=SCAN, fold="Validation"):
        return self.folder(scan, fold) / f"{scan}_frames"

    def table(self, *rows):
        text = ["video_id,visit_id,fold", *(",".join(row) for row in rows)]
        (self.root / "3dod_train_val_splits.csv").write_text("\n".join(text) + "\n")

    def write(self, scan=SCAN, fold="Validation"):
        parts = [
            grid((0, 0, 0), (4, 3, 0), 0.1),
            *(grid(low, high, 0.1) for _, low, high in THINGS),
        ]
        self.folder(scan, fold).mkdir(parents=True)
        vertices = np.concatenate(parts)
        head = ["ply", "format ascii 1.0", f"element vertex {len(vertices)}"]
        head += [*(f"property float {axis}" for axis in "xyz"), "end_header"]
        lines = [" ".join(f"{x:.3f}" for x in vertex) for vertex in vertices]
        mesh = self.folder(scan, fold) / f"{scan}_3dod_mesh.ply"
        mesh.write_text("\n".join([*head, *lines]) + "\n")
        data = [
            {
                "uid": f"uid-{number}",
                "label": label,
                "objectId": number,
                "segments": {"obb": {}, "obbAligned": box(low, high)},
            }
            for number, (label, low, high) in enumerate(THINGS)
        ]
        self.annotation(scan, fold).write_text(json.dumps({"data": data, "skipped": False}))
        return self

    def edit(self, change, scan=SCAN):
        content = json.loads(self.annotation(scan).read_text())
        change(content)
        self.annotation(scan).write_text(json.dumps(content))

    def record(self, roll=0.0, depth=3.9, times=(0.0, 0.1, 0.2), poses=None, scan=SCAN):
        """Looking along +y, the iPad rolled clockwise by degrees; ten pictures a second.

        Pictures have 32 x 24 pixels; `depth` is metres, or metres for directions.
        """
        folder = self.frames(scan)
        for name in ("lowres_wide", "lowres_depth", "lowres_wide_intrinsics"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        turn = LEVEL @ Rotation.from_euler("z", roll, degrees=True).as_matrix()
        world_to_camera = turn.T
        axis_angle = Rotation.from_matrix(world_to_camera).as_rotvec()
        shift = -world_to_camera @ EYE
        lines = [
            " ".join(f"{value:.9f}" for value in (6791.5 + time, *axis_angle, *shift))
            for time in (times if poses is None else poses)
        ]
        (folder / "lowres_wide.traj").write_text("\n".join(lines) + "\n")
        for number, time in enumerate(times):
            name = f"{scan}_{6791.5 + time:.3f}"
            Image.fromarray(self.picture(turn, number)).save(folder / "lowres_wide" / f"{name}.png")
            metres = depth(self.rays(turn)) if callable(depth) else np.full((24, 32), depth)
            picture = (metres * 1000).round().astype(np.uint16)
            Image.fromarray(picture).save(folder / "lowres_depth" / f"{name}.png")
            # The release's names are off by a millisecond now and then.
            name = f"{scan}_{6791.5 + time + (0.001 if number % 2 else 0):.3f}"
            (folder / "lowres_wide_intrinsics" / f"{name}.pincam").write_text("32 24 20 21 15 13")

    @staticmethod
    def rays(turn):
        """(24, 32, 3) direction of each pixel in the world."""
        v, u = np.mgrid[0:24, 0:32] + 0.5
        return np.stack([(u - 15) / 20, (v - 13) / 21, np.ones_like(u)], axis=-1) @ turn.T

    def picture(self, turn, number):
        """Red grows towards the sky, green towards +x, blue is 20 times the picture's number."""
        rays = self.rays(turn)
        red = np.clip(128 + 150 * rays[..., 2], 0, 255)
        green = np.clip(128 + 150 * rays[..., 0], 0, 255)
        blue = np.full_like(red, 20 * number)
        return np.stack([red, green, blue], axis=-1).astype(np.uint8)

    def source(self, **fields):
        return build(ARKitScenesSettings(root=self.root, **fields))


@pytest.fixture
def release(tmp_path):
    return Release(tmp_path)


@pytest.fixture(scope="session")
def new_release(tmp_path_factory):
    return lambda: Release(tmp_path_factory.mktemp("arkitscenes"))
