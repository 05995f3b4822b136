"""Every reader of files: the valid files it begins with, and how they are read.

A reader is given the root of the files, the one that was damaged, and random numbers that choose
among its settings. It gives what it read, or raises a `HarnessError`.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import releases

from harness.component import SceneSource
from harness.plugins import load_catalogue
from harness.question_files import read_questions
from harness.recipe import load_recipe
from harness.recipe.sources import packaged_root
from harness.store import SceneStore, table_of
from harness.strict_yaml import read as read_yaml
from harness.video import probe, read_clip
from harness_plugins.scenes import settings, store, vsi_bench_meta
from harness_plugins.scenes.aria_digital_twin import frames as aria_frames
from harness_plugins.scenes.aria_digital_twin import objects as aria_objects
from harness_plugins.scenes.aria_digital_twin import source as aria
from harness_plugins.scenes.arkitscenes import annotation as arkit_annotation
from harness_plugins.scenes.arkitscenes import recording as arkit_recording
from harness_plugins.scenes.arkitscenes import source as arkitscenes
from harness_plugins.scenes.arkitscenes import trajectory, visits
from harness_plugins.scenes.files.csv_file import csv_rows
from harness_plugins.scenes.files.json_file import read_json_list, read_json_object
from harness_plugins.scenes.files.labels import read_labels, shipped_labels
from harness_plugins.scenes.files.ply import read_mesh
from harness_plugins.scenes.files.png import read_colour, read_depth
from harness_plugins.scenes.files.sens import SensFile
from harness_plugins.scenes.scannet import alignment as scannet_alignment
from harness_plugins.scenes.scannet import annotation as scannet_annotation
from harness_plugins.scenes.scannet import labels as scannet_labels
from harness_plugins.scenes.scannet import source as scannet
from harness_plugins.scenes.scannetpp import annotation as scannetpp_annotation
from harness_plugins.scenes.scannetpp import iphone, segmentation
from harness_plugins.scenes.scannetpp import source as scannetpp

Read = Callable[[Path, Path, Random], Any]


@dataclass(frozen=True)
class Reader:
    """One reader.

    Args:
        write: makes the valid files in a folder.
        read: reads them.
        damage: patterns of the files that are damaged, all of them equally often.
    """

    write: Callable[[Path], None]
    read: Read
    damage: tuple[str, ...] = ("**/*",)


def _scenes(source: SceneSource, rng: Random, *, footage: float, out: Path) -> int:
    """Load all scenes, each of which must be fit for a store; a share of them is exported."""
    for scene in source.scene_ids():
        table_of(source.load(scene))
        export = getattr(source, "export_video", None)
        if export is not None and rng.random() < footage:
            export(scene, out / "footage.mp4")
    return len(source.scene_ids())


def _source(
    build: Callable[[Any], SceneSource], config: type[Any], footage: float, **choices: Iterable[Any]
) -> Read:
    def read(root: Path, _changed: Path, rng: Random) -> int:
        chosen = {name: rng.choice(list(values)) for name, values in choices.items()}
        source = build(config(root=root, **chosen))
        return _scenes(source, rng, footage=footage, out=root.parent)

    return read


def _scan(path: Path) -> None:
    scan = path.parent.name
    scannet_annotation.read_annotation(
        path.parent / f"{scan}_vh_clean_2.0.010000.segs.json",
        path.parent / f"{scan}.aggregation.json",
        scan=scan,
        vertices=None,
    )


def _label_table(path: Path) -> None:
    chosen = scannet_labels.read_map("vsi_bench")
    scannet_labels.read_labels(chosen, path).category("trash can")


def _segments(path: Path) -> None:
    found = read_json_object(path).get("segIndices")
    segmentation.read_segmentation(path, len(found) if isinstance(found, list) else 1)


def _groups(path: Path) -> None:
    scan = scannetpp_annotation.Scan(releases.points()[0], None)
    labels = shipped_labels(scannetpp.__file__, None)
    scannetpp_annotation.read_annotation(path, scan, "annotated", labels)


def _trajectory(path: Path) -> None:
    found = trajectory.read_trajectory(path)
    for time in (0.0, 6791.5, 6791.75, 1e12):
        found.at(time)


def _boxes(path: Path) -> None:
    arkit_annotation.read_annotation(path, shipped_labels(arkitscenes.__file__, None))


def _cameras(path: Path) -> None:
    arkit_recording.Recording(path.parents[1]).posed_frames(2.0)


def _seen(path: Path) -> None:
    aria_frames.read_visibility(path, (1_000_000_000, 1_500_000_000), ("1", "2"))


# The end of a file's name -> the reader of such files alone.
_OF_NAME: dict[str, Callable[[Path], object]] = {
    ".segs.json": _scan,
    ".aggregation.json": _scan,
    scannet_labels.TABLE: _label_table,
    "_00.txt": scannet_alignment.read_alignment,
    "segments.json": _segments,
    "segments_anno.json": _groups,
    "pose_intrinsic_imu.json": lambda path: iphone.posed_frames(path, 30.0),
    "_3dod_annotation.json": _boxes,
    visits.TABLE: visits.read_visits,
    ".traj": _trajectory,
    ".pincam": _cameras,
    aria_frames.TRAJECTORY: lambda path: aria_frames.read_frames(path, 2.0),
    aria_frames.SEEN: _seen,
    **dict.fromkeys(
        (aria_objects.BOXES, aria_objects.POSES, aria_objects.NAMES),
        lambda path: aria_objects.read_contents(path.parent),
    ),
}


def _tables(_root: Path, changed: Path, _rng: Random) -> None:
    (read,) = (read for end, read in _OF_NAME.items() if changed.name.endswith(end))
    read(changed)


def _write_tables(root: Path) -> None:
    for name in ("scannet", "scannetpp", "arkitscenes", "aria"):
        getattr(releases, name)(root / name)


def _pictures(_root: Path, changed: Path, rng: Random) -> None:
    depth = changed.parent.name == "lowres_depth"
    if rng.random() < 0.9 and depth:
        read_depth(changed)
    else:
        read_colour(changed)


def _write_pictures(root: Path) -> None:
    releases.arkitscenes(root)


def _recording(_root: Path, changed: Path, rng: Random) -> None:
    sens = SensFile(changed)
    sens.poses()
    for index in range(min(len(sens), 5)):
        sens.colour(index, rng.choice((None, (8, 6), (640, 480))))
        sens.depth(index)


def _write_meshes(root: Path) -> None:
    for form in ("ascii", "binary_little_endian", "binary_big_endian"):
        releases.mesh(root / f"{form}.ply", form)


def _labels(_root: Path, changed: Path, _rng: Random) -> None:
    if changed.parent.name == "maps":
        scannet_labels.read_map(changed)
    else:
        read_labels(changed)


def _write_labels(root: Path) -> None:
    for source, folder in (
        (scannet, "maps"),
        (scannetpp, "pp"),
        (arkitscenes, "arkit"),
        (aria, "aria"),
    ):
        (root / folder).mkdir(parents=True)
        for path in Path(source.__file__).parent.glob("*.json"):
            shutil.copy(path, root / folder)


def _json(_root: Path, changed: Path, rng: Random) -> None:
    read_json_object(changed)
    if rng.random() < 0.1:
        read_json_list(changed)


def _write_json(root: Path) -> None:
    releases.vsi_bench_meta(root)
    releases.scannetpp(root / "pp")
    for path in root.rglob("*"):
        if path.is_file() and path.suffix != ".json":
            path.unlink()


def _csv(_root: Path, changed: Path, _rng: Random) -> None:
    columns = {"3dod_train_val_splits.csv": ["video_id"]}.get(changed.name, ["object_uid"])
    list(csv_rows(changed, columns))


def _write_csv(root: Path) -> None:
    releases.aria(root)
    (root / "room" / "aria_trajectory.csv").unlink()


def _store(root: Path, _changed: Path, rng: Random) -> None:
    if rng.random() < 0.5:
        found = store.build(settings.StoreSettings(root=root))
        for scene in found.scene_ids():
            table_of(found.load(scene))
        return
    opened = SceneStore(root)
    opened.unfinished()
    opened.tally()
    for scene in opened.entries:
        opened.load(scene)


def _questions(root: Path, changed: Path, rng: Random) -> list[Any]:
    folder = changed.parent.name == "data"
    return list(
        read_questions(root / "set" if folder else changed, repeated_ids=rng.random() < 0.5)
    )


def _question_sets(form: str, name: str) -> Callable[[Path], None]:
    return lambda root: releases.question_file(root / name, form)


def _recipe(root: Path, changed: Path, rng: Random) -> None:
    if rng.random() < 0.6:
        read_yaml(changed).plain()
    else:
        load_recipe(root / "quickstart_matrix.yaml", [], load_catalogue(), local=False)


def _write_recipes(root: Path) -> None:
    """The quickstart's recipes in a folder of recipes, with the presets."""
    shutil.copytree(packaged_root(), root, dirs_exist_ok=True)
    for path in root.glob("**/*.yaml"):
        if not path.name.startswith("quickstart") and path.parent.name != "presets":
            path.unlink()


def _video(_root: Path, changed: Path, rng: Random) -> None:
    if rng.random() < 0.5:
        probe(changed)
    else:
        read_clip(changed, frames=3)


def _write_videos(root: Path) -> None:
    releases.scannetpp(root)
    phone = next(root.glob("data/*/iphone"))
    (phone / "rgb.mkv").rename(root / "room.mp4")


_SEEN = {"visibility": (True, True, False)}
_SCANNET = _source(
    scannet.build,
    settings.ScanNetSettings,
    0.05,
    boxes=("oriented", "axis_aligned"),
    labels=("vsi_bench", "raw"),
    keep_points=(False, True),
    posed_frames=(24.0, 24.0, 2.0, 0.0),
    **_SEEN,
)
_SCANNETPP = _source(
    scannetpp.build,
    settings.ScanNetPPSettings,
    0.03,
    boxes=("annotated", "oriented", "axis_aligned"),
    split=(None, "train"),
    **_SEEN,
)
_ARKIT = _source(arkitscenes.build, settings.ARKitScenesSettings, 0.05, fps=(2.0,), **_SEEN)
_ARIA = _source(aria.build, settings.AriaDigitalTwinSettings, 0.0, **_SEEN)
_META = _source(
    vsi_bench_meta.build, settings.VsiBenchMetaSettings, 0.0, strict_counts=(False, True)
)

READERS: dict[str, Reader] = {
    "scannet": Reader(
        releases.scannet, _SCANNET, ("**/*clean_2.ply", "**/*.json", "**/*.txt", "**/*.sens", "*.tsv")
    ),
    "scannetpp": Reader(releases.scannetpp, _SCANNETPP),
    "arkitscenes": Reader(releases.arkitscenes, _ARKIT),
    "aria_digital_twin": Reader(releases.aria, _ARIA),
    "vsi_bench_meta": Reader(releases.vsi_bench_meta, _META),
    "store": Reader(releases.store, _store),
    "mesh": Reader(_write_meshes, lambda _root, changed, _rng: read_mesh(changed)),
    "recording": Reader(releases.scannet, _recording, ("**/*.sens",)),
    "picture": Reader(_write_pictures, _pictures, ("**/*.png",)),
    "tables": Reader(
        _write_tables,
        _tables,
        ("scannet/scans/**/*.json", "**/*.tsv", "scannet/scans/**/*.txt", "scannetpp/data/**/*.json",
         "**/*.csv", "**/*.traj", "**/*.pincam", "arkitscenes/Training/**/*.json", "aria/**/*.json"),
    ),
    "labels": Reader(_write_labels, _labels),
    "json": Reader(_write_json, _json),
    "csv": Reader(_write_csv, _csv, ("**/*.csv",)),
    "questions_jsonl": Reader(_question_sets("jsonl", "set.jsonl"), _questions),
    "questions_json": Reader(_question_sets("list", "set.json"), _questions),
    "questions_parquet": Reader(_question_sets("parquet", "set.parquet"), _questions),
    "questions_folder": Reader(_question_sets("datasets", "set"), _questions, ("**/*.parquet",)),
    "recipe": Reader(_write_recipes, _recipe),
    "video": Reader(_write_videos, _video, ("*.mp4",)),
}  # fmt: skip
