"""A scene as a row of a store, and back; everything read is checked before it becomes a `Scene`."""

from __future__ import annotations

import math
import re
import struct
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pyarrow as pa

from harness.errors import SceneError
from harness.scene import Array, Box, Frame, Intrinsics, Scene, SceneObject, VideoRef, Visibility
from harness.store.columns import SCHEMA

# Ids and data sets become parts of file paths (videos, frame caches).
SAFE_NAME = re.compile(r"(?!\.)[A-Za-z0-9._-]{1,120}")
_LONGEST_NAME = 500
_LARGEST_SIDE = 65_536  # pixels
# Far above anything indoors. What is drawn and measured later takes time and memory by the metre.
_FARTHEST = 10_000.0  # metres
_MOST_AREA = 1e6  # square metres
_CAMERA = ("width", "height", "fx", "fy", "cx", "cy")


def table_of(scene: Scene, video: str | None = None) -> pa.Table:
    """A table of one row.

    Args:
        video: path of the scene's video below the store; its `Scene.video` stays behind.

    Raises:
        SceneError: the scene holds what could not be read back, all of it named.
    """
    try:
        table = pa.Table.from_pylist([_row(scene, video)], schema=SCHEMA)
    except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
        raise SceneError(f"scene {scene.id!r}: cannot be stored: {error}") from error
    scene_of(table, f"scene {scene.id!r}", Path())
    return table


def _row(scene: Scene, video: str | None) -> dict[str, Any]:
    cameras: dict[bytes, int] = {}
    kinds: list[Intrinsics] = []
    frames = []
    for frame in scene.frames:
        key = struct.pack("<6d", *(getattr(frame.intrinsics, name) for name in _CAMERA))
        if key not in cameras:
            cameras[key] = len(kinds)
            kinds.append(frame.intrinsics)
        frames.append({"time": frame.time, "pose": frame.camera_to_world, "camera": cameras[key]})
    seen = scene.visibility
    return {
        "id": scene.id,
        "dataset": scene.dataset,
        "split": scene.split,
        "room_area": scene.room_area,
        "room_centre": scene.room_centre,
        "height": scene.height,
        "floor": scene.floor,
        "counts": [{"category": name, "count": n} for name, n in scene.counts.items()],
        "objects": [_object_row(item) for item in scene.objects],
        "cameras": [{name: getattr(kind, name) for name in _CAMERA} for kind in kinds],
        "frames": frames,
        "visibility": None
        if seen is None
        else {"objects": seen.objects, "pixels": np.ascontiguousarray(seen.pixels).reshape(-1)},
        "video": video,
        "layout": video is not None and scene.video is not None and scene.video.layout,
        "faults": scene.faults,
    }


def _object_row(item: SceneObject) -> dict[str, Any]:
    points = item.points
    mean = None if points is None or not len(points) else points.mean(axis=0).tolist()
    return {
        "id": item.id,
        "category": item.category,
        "centre": item.box.centre,
        "size": item.box.size,
        "axes": item.box.axes,
        "point_mean": mean,
        "points": 0 if points is None else len(points),
    }


def scene_of(row: pa.Table, where: str, root: Path) -> Scene:
    """The scene of a row.

    Args:
        row: a table of one row with the columns of a store.
        where: file and scene, for messages.
        root: the store's folder, where videos are.

    Raises:
        SceneError: all faults of the row.
    """
    try:
        return _Row(row, root).scene()
    except _FaultyError as faults:
        raise SceneError("; ".join(f"{where}: {one}" for one in faults.args[0])) from None
    except (pa.ArrowException, ValueError, TypeError, SceneError) as error:
        raise SceneError(f"{where}: {error}") from error


class _FaultyError(Exception):
    """What is wrong with a row, in words."""


class _Row:
    """One row on its way to a scene, with its faults so far."""

    def __init__(self, row: pa.Table, root: Path) -> None:
        self.row, self.root = row, root
        self.faults: list[str] = []

    def scene(self) -> Scene:
        value = {name: self.row[name][0].as_py() for name in _PLAIN}
        self.check_plain(value)
        objects = tuple(
            found
            for number, item in enumerate(value["objects"])
            if (found := self.an_object(number, item)) is not None
        )
        frames = self.frames(self.cameras(value["cameras"]))
        seen = self.visibility(len(frames), [item["id"] for item in value["objects"]])
        video = self.video(value["video"], value["layout"])
        if self.faults:
            raise _FaultyError(self.faults)
        return Scene(
            id=value["id"],
            dataset=value["dataset"],
            objects=objects,
            room_area=value["room_area"],
            room_centre=tuple(value["room_centre"]),
            counts={count["category"]: count["count"] for count in value["counts"]},
            frames=frames,
            visibility=seen,
            video=video,
            split=value["split"],
            floor=tuple((x, y) for x, y in value["floor"]),
            height=value["height"],
            faults=tuple(value["faults"]),
        )

    def check_plain(self, value: Mapping[str, Any]) -> None:
        for name in ("id", "dataset"):
            if not SAFE_NAME.fullmatch(value[name]):
                self.fault(
                    f"{name}: may hold up to 120 letters, digits, '.', '_' and '-', and begin with "
                    f"no '.', found {value[name]!r:.80}"
                )
        if value["split"] is not None and not 0 < len(value["split"]) <= _LONGEST_NAME:
            self.fault(f"split: expected a name, found {value['split']!r:.80}")
        if not 0 < value["room_area"] <= _MOST_AREA:
            self.fault(f"room_area: expected square metres, found {value['room_area']}")
        self.metres("room_centre", value["room_centre"])
        self.metres("floor", [x for corner in value["floor"] for x in corner])
        height = value["height"]
        if height is not None and not 0 < height <= _FARTHEST:
            self.fault(f"height: expected metres above zero, found {height}")
        for count in value["counts"]:
            if count["count"] < 0:
                self.fault(
                    f"counts.{count['category']}: expected 0 or more, found {count['count']}"
                )
        self.names("counts", [count["category"] for count in value["counts"]])
        self.names("objects", [item["id"] for item in value["objects"]])

    def an_object(self, number: int, item: Mapping[str, Any]) -> SceneObject | None:
        name = f"objects[{number}]"
        if not item["category"].strip() or len(item["category"]) > _LONGEST_NAME:
            self.fault(f"{name}.category: expected a name, found {item['category']!r:.80}")
        if item["points"] < 0:
            self.fault(f"{name}.points: expected 0 or more, found {item['points']}")
        mean = item["point_mean"]
        if mean is not None:
            self.metres(f"{name}.point_mean", mean)
        self.metres(f"{name}.centre", item["centre"])
        self.metres(f"{name}.size", item["size"])
        try:
            box = Box(tuple(item["centre"]), tuple(item["size"]), tuple(item["axes"]))
        except SceneError as error:
            self.fault(f"{name}: {error}")
            return None
        points = None if mean is None else _read_only(np.array([mean], dtype=np.float64))
        return SceneObject(item["id"], item["category"], box, points)

    def cameras(self, found: Sequence[Mapping[str, Any]]) -> list[Intrinsics]:
        cameras = []
        for number, camera in enumerate(found):
            if not all(0 < camera[side] <= _LARGEST_SIDE for side in ("width", "height")):
                self.fault(
                    f"cameras[{number}]: expected 1 to {_LARGEST_SIDE} pixels a side, found "
                    f"{camera['width']} x {camera['height']}"
                )
            self.finite(f"cameras[{number}]", [camera[name] for name in _CAMERA[2:]])
            if not (camera["fx"] > 0 and camera["fy"] > 0):
                self.fault(f"cameras[{number}]: focal lengths must be positive")
            cameras.append(Intrinsics(*(camera[name] for name in _CAMERA)))
        return cameras

    def frames(self, cameras: Sequence[Intrinsics]) -> tuple[Frame, ...]:
        found = self.row["frames"][0].values
        times = found.field("time").to_numpy()
        poses = found.field("pose").flatten().to_numpy().reshape(-1, 16)
        which = found.field("camera").to_numpy()
        if not (np.isfinite(times).all() and (np.abs(poses) <= _FARTHEST).all()):
            self.fault(f"frames: expected finite times, and poses of numbers up to {_FARTHEST:g}")
        if len(which) and not (which.min() >= 0 and which.max() < len(cameras)):
            self.fault(f"frames: a camera is none of the {len(cameras)} in the row")
            return ()
        return tuple(
            Frame(time, tuple(pose), cameras[camera])
            for time, pose, camera in zip(
                times.tolist(), poses.tolist(), which.tolist(), strict=True
            )
        )

    def visibility(self, frames: int, ids: Sequence[str]) -> Visibility | None:
        found = self.row["visibility"][0]
        if not found.is_valid:
            return None
        objects = tuple(found["objects"].as_py())
        pixels = found["pixels"].values.to_numpy().copy()
        self.names("visibility.objects", objects)
        if strangers := sorted(set(objects) - set(ids)):
            self.fault(f"visibility: no objects {', '.join(strangers)[:200]} in the scene")
        if len(pixels) != frames * len(objects):
            self.fault(
                f"visibility: {len(pixels)} numbers, expected {frames} frames x {len(objects)} "
                "objects"
            )
            return None
        if len(pixels) and pixels.min() < 0:
            self.fault(f"visibility: expected pixels of 0 and more, found {pixels.min()}")
        return Visibility(objects, pixels.reshape(frames, len(objects)))

    def video(self, path: str | None, layout: bool) -> VideoRef | None:
        if path is None:
            return None
        parts = PurePosixPath(path).parts
        if (
            not parts
            or parts[0] != "videos"
            or not all(SAFE_NAME.fullmatch(part) for part in parts)
            or path != "/".join(parts)
        ):
            self.fault(f"video: expected a path below videos/, found {path!r:.80}")
        return VideoRef(self.root.joinpath(*parts), layout=layout)

    def finite(self, name: str, numbers: Sequence[float]) -> None:
        if not all(map(math.isfinite, numbers)):
            self.fault(f"{name}: a number is not finite")

    def metres(self, name: str, numbers: Sequence[float]) -> None:
        if not all(abs(number) <= _FARTHEST for number in numbers):
            found = ", ".join(f"{number:g}" for number in numbers[:9])
            self.fault(f"{name}: expected metres up to {_FARTHEST:g}, found {found}")

    def names(self, what: str, names: Sequence[str]) -> None:
        twice = sorted(name for name, times in Counter(names).items() if times > 1)
        if twice:
            self.fault(f"{what}: twice: {', '.join(twice)[:200]}")
        if not all(0 < len(name) <= _LONGEST_NAME for name in names):
            self.fault(f"{what}: expected names of 1 to {_LONGEST_NAME} characters")

    def fault(self, text: str) -> None:
        self.faults.append(text)


_PLAIN = (
    *("id", "dataset", "split", "room_area", "room_centre", "height", "floor", "counts"),
    *("objects", "cameras", "video", "layout", "faults"),
)


def _read_only(points: Array) -> Array:
    points.flags.writeable = False
    return points
