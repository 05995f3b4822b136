"""Valid files, as small as they can be: what the mutations begin with."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from harness.question import Question
from harness.question_files import SetDescription, write_questions
from harness.scene import Frame, Intrinsics, Scene, Visibility
from harness.store import Left, StoreRecord, shard_name, table_of, write_shard
from harness.video import write_video
from harness_plugins.scenes.procedural import build
from harness_plugins.scenes.release.scan import Sizes
from harness_plugins.scenes.release.scannet import write_scannet
from harness_plugins.scenes.settings import ProceduralSettings

SMALL = Sizes(frames=3, colour=(32, 24), depth=(16, 12), spacing=0.7)
LEVEL = [[1, 0, 0, 2.0], [0, 0, 1, -2.0], [0, -1, 0, 1.0], [0, 0, 0, 1]]
# Label, lowest corner, highest corner, metres.
THINGS = (
    ("table", (1.0, 1.0, 0.0), (2.0, 1.6, 0.8)),
    ("chair", (2.5, 2.0, 0.0), (3.0, 2.5, 1.0)),
    ("sofa", (0.2, 2.2, 0.0), (0.6, 2.6, 0.9)),
    ("cabinet", (3.4, 0.0, 0.0), (4.0, 0.5, 1.0)),
)


def rooms(count: int) -> list[Scene]:
    """Procedural rooms of few things."""
    source = build(ProceduralSettings(scenes=count, min_objects=4, max_objects=4, max_side=3.5))
    return [source.load(scene) for scene in source.scene_ids()]


def scannet(root: Path, scans: int = 1) -> None:
    """A release of rooms drawn small; labels of the label table are theirs."""
    made = {room.id: room for room in rooms(scans)}
    write_scannet(list(made), made.__getitem__, root, lambda _done, _total: None, SMALL)


def points() -> tuple[np.ndarray, list[int]]:
    """Floor and things as vertices half a metre apart at most, and the segment of each."""
    parts = [
        _grid((0, 0, 0), (4, 3, 0), 0.25),
        *(_grid(low, high, 0.45) for _, low, high in THINGS),
    ]
    return np.concatenate(parts), [10 + place for place, part in enumerate(parts) for _ in part]


def _grid(low: Sequence[float], high: Sequence[float], step: float) -> np.ndarray:
    counts = [max(1, round((b - a) / step)) + (b > a) for a, b in zip(low, high, strict=True)]
    axes = [np.linspace(a, b, n) for a, b, n in zip(low, high, counts, strict=True)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)


def _box(low: Sequence[float], high: Sequence[float]) -> dict[str, Any]:
    return {
        "centroid": ((np.array(low) + high) / 2).round(4).tolist(),
        "axesLengths": (np.array(high) - low).round(4).tolist(),
        "normalizedAxes": [1, 0, 0, 0, 1, 0, 0, 0, 1],
    }


def _json(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def mesh(path: Path, form: str = "ascii") -> None:
    """A PLY file of the room, with two faces and labels."""
    vertices, labels = points()
    head = ["ply", f"format {form} 1.0", f"element vertex {len(vertices)}"]
    head += [*(f"property float {axis}" for axis in "xyz"), "property ushort label"]
    head += ["element face 2", "property list uchar int vertex_indices", "end_header\n"]
    faces = [(3, 0, 1, 2), (4, 0, 1, 2, 3)]
    body: bytes
    if form == "ascii":
        lines = [
            f"{x:.3f} {y:.3f} {z:.3f} {n}" for (x, y, z), n in zip(vertices, labels, strict=True)
        ]
        body = "\n".join([*lines, *(" ".join(map(str, face)) for face in faces), ""]).encode()
    else:
        order = "<" if "little" in form else ">"
        body = b"".join(
            struct.pack(f"{order}3fH", *v, n) for v, n in zip(vertices, labels, strict=True)
        )
        body += b"".join(struct.pack(f"{order}B{face[0]}i", *face) for face in faces)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("\n".join(head).encode() + body)


def scannetpp(root: Path, scenes: Sequence[str] = ("036bce3393",)) -> None:
    """A release of one room under several ids."""
    for scene in scenes:
        scans, phone = root / "data" / scene / "scans", root / "data" / scene / "iphone"
        mesh(scans / "mesh_aligned_0.05.ply")
        _json(scans / "segments.json", {"segIndices": points()[1]})
        groups = [
            {"objectId": k, "label": label, "segments": [11 + k], "obb": _box(low, high)}
            for k, (label, low, high) in enumerate(THINGS)
        ]
        _json(scans / "segments_anno.json", {"sceneId": scene, "segGroups": groups})
        camera = [[1440, 0, 960], [0, 1440, 720], [0, 0, 1]]
        poses = {f"frame_{k:06d}": {"aligned_pose": LEVEL, "intrinsic": camera} for k in range(4)}
        _json(phone / "pose_intrinsic_imu.json", poses)
        pictures = [np.full((16, 16, 3), 60 * k, dtype=np.uint8) for k in range(4)]
        write_video(phone / "rgb.mp4", pictures, 60)
        (phone / "rgb.mp4").rename(phone / "rgb.mkv")
    (root / "splits").mkdir()
    (root / "splits" / "nvs_sem_train.txt").write_text("\n".join([*scenes, "0a5c013435"]) + "\n")


def arkitscenes(root: Path, scans: Sequence[str] = ("41069025",)) -> None:
    """A release of one room under several ids."""
    for scan in scans:
        folder = root / "Training" / scan
        mesh(folder / f"{scan}_3dod_mesh.ply")
        data = [
            {"uid": f"uid-{k}", "label": label, "segments": {"obbAligned": _box(low, high)}}
            for k, (label, low, high) in enumerate(THINGS)
        ]
        _json(folder / f"{scan}_3dod_annotation.json", {"data": data, "skipped": False})
        frames = folder / f"{scan}_frames"
        for name in ("lowres_wide", "lowres_depth", "lowres_wide_intrinsics"):
            (frames / name).mkdir(parents=True)
        lines = []
        for number in range(2):
            time = f"{6791.5 + number / 2:.3f}"
            # World to camera of one who looks along +y: a quarter turn about x.
            lines.append(f"{time} 1.5707963 0 0 -2 1 2")
            colour = np.full((24, 32, 3), 100 * number, dtype=np.uint8)
            Image.fromarray(colour).save(frames / "lowres_wide" / f"{scan}_{time}.png")
            depth = np.full((24, 32), 3900, dtype=np.uint16)
            Image.fromarray(depth).save(frames / "lowres_depth" / f"{scan}_{time}.png")
            (frames / "lowres_wide_intrinsics" / f"{scan}_{time}.pincam").write_text(
                "32 24 20 21 15 13"
            )
        (frames / "lowres_wide.traj").write_text("\n".join(lines) + "\n")
    rows = [f"{scan},{number},Training" for number, scan in enumerate(scans)]
    (root / "3dod_train_val_splits.csv").write_text(
        "\n".join(["video_id,visit_id,fold", *rows, ""])
    )


def aria(root: Path, sequences: Sequence[str] = ("room",)) -> None:
    """Sequences with a table, a couch and a person."""
    sides = [f"p_local_obj_{axis}{end}[m]" for axis in "xyz" for end in ("min", "max")]
    pose = [*(f"t_wo_{axis}[m]" for axis in "xyz"), *(f"q_wo_{axis}" for axis in "wxyz")]
    look = [*(f"t{a}_world_device" for a in "xyz"), *(f"q{a}_world_device" for a in "xyzw")]
    seen = ["x_min[pixel]", "x_max[pixel]", "y_min[pixel]", "y_max[pixel]", "visibility_ratio[%]"]
    tables: dict[str, list[list[Any]]] = {
        "3d_bounding_box.csv": [
            ["object_uid", "timestamp[ns]", *sides],
            ["1", -1, -1.0, 1.0, 0.0, 0.8, -0.5, 0.5],
            ["2", -1, -0.25, 0.25, 0.0, 1.0, -0.25, 0.25],
        ],
        "scene_objects.csv": [
            ["object_uid", "timestamp[ns]", *pose],
            ["1", -1, 1.0, 0.0, 2.0, 1, 0, 0, 0],
            ["2", -1, 3.0, 0.0, -1.0, 0.70710678, 0, 0.70710678, 0],
        ],
        "aria_trajectory.csv": [
            ["graph_uid", "tracking_timestamp_us", *look],
            *(["g", 1_000_000 + 500_000 * k, 1.0, 1.5, 3.0, 0, 0, 0, 1] for k in range(4)),
        ],
        "2d_bounding_box.csv": [
            ["stream_id", "object_uid", "timestamp[ns]", *seen],
            *(["1201-1", uid, 1_000_000_000, 10, 100, 20, 90, 0.5] for uid in ("1", "2")),
            ["214-1", "1", 1_000_000_000, 1, 2, 3, 4, 1],
        ],
    }
    names = {
        "1": {"category": "table", "instance_type": "object"},
        "2": {"category": "couch", "instance_type": "object"},
        "9": {"category": "person", "instance_type": "human"},
    }
    for sequence in sequences:
        _json(root / sequence / "instances.json", names)
        for name, rows in tables.items():
            text = "\n".join(",".join(map(str, row)) for row in rows) + "\n"
            (root / sequence / name).write_text(text)


def vsi_bench_meta(root: Path) -> None:
    """Two files of two scenes, one in each spelling."""
    corners = {"min_corner": [0, 0, 0], "max_corner": [4, 3, 1]}
    for number, (key, name) in enumerate((("object_bbox", "train"), ("object_bboxes", "val"))):
        boxes = {
            label: [{**_box(low, high), **({"instance_id": place, **corners} if number else {})}]
            for place, (label, low, high) in enumerate(THINGS)
        }
        record = {
            "dataset": "scannet",
            "room_size": 12.0,
            "room_center": [2.0, 1.5, 1.2],
            "object_counts": dict.fromkeys(boxes, 1),
            key: boxes,
        }
        content = {f"scene{number:04d}_0{k}": record for k in range(2)}
        _json(root / f"scannet_meta_info_{name}.json", content)


def store(root: Path) -> None:
    """A store of two files: rooms with frames and what they show, and one that was left out."""
    camera = Intrinsics(64, 48, 50.0, 50.0, 32.0, 24.0)
    pose = tuple(float(x) for row in LEVEL for x in row)
    kept = []
    for room in rooms(3):
        frames = tuple(Frame(k / 2, pose, camera) for k in range(3))
        pixels = np.arange(3 * len(room.objects), dtype=np.int32).reshape(3, -1)
        seen = Visibility(tuple(thing.id for thing in room.objects), pixels)
        kept.append(table_of(replace(room, frames=frames, visibility=seen)))
    root.mkdir(parents=True, exist_ok=True)
    write_shard(root / shard_name(0), [(kept[0], None), (kept[1], None)])
    write_shard(root / shard_name(1), [(kept[2], None), (None, Left("gone", "it was torn"))])
    record = StoreRecord("procedural", {"scenes": 4}, "p", "d", "1", "1", videos=False, scenes=4, ids="0", shard=2)  # fmt: skip
    record.write(root)


def questions() -> list[Question]:
    """Three questions: a number, a letter, a word."""
    return [
        Question("", "room", "d", "object_counting", "How many?", "3", objects=("a",), frames=((0, 2),), generator="g", settings={"k": [1]}, margin=0.5, seed=1),
        Question("q2", "room", "d", "object_rel_distance", "Which?", "sofa", options=("chair", "sofa")),
        Question("", "room", "d", "object_rel_direction", "Where?", "left", style="vsi_100k"),
    ]  # fmt: skip


def question_file(path: Path, form: str) -> None:
    """A question set in one of the harness's forms; `list` is a JSON list of rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if form == "list":
        question_file(path.with_suffix(".jsonl"), "jsonl")
        rows = path.with_suffix(".jsonl").read_text().splitlines()
        path.with_suffix(".jsonl").unlink()
        path.write_text("[" + ",\n".join(rows) + "]\n")
        return
    write_questions(questions(), path, form, SetDescription())


def jpeg() -> bytes:
    """A small JPEG."""
    file = io.BytesIO()
    Image.fromarray(np.arange(24 * 32 * 3, dtype=np.uint8).reshape(24, 32, 3)).save(file, "JPEG")
    return file.getvalue()
