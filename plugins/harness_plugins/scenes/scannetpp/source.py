"""Scenes from the ScanNet++ release.

`data/<scene>/scans/segments_anno.json` has the instances, `segments.json` and
`mesh_aligned_0.05.ply` their vertices and the room; the mesh is in metres, z up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from harness.errors import SceneError
from harness.scene import Frame, Scene, SceneObject, Visibility
from harness.visibility import visible_pixels
from harness_plugins.scenes.files.bounded import read_bytes
from harness_plugins.scenes.files.choice import choose_scenes, known_scene
from harness_plugins.scenes.files.inventory import take_inventory
from harness_plugins.scenes.files.labels import Labels, shipped_labels
from harness_plugins.scenes.files.mesh_room import mesh_room
from harness_plugins.scenes.files.ply import read_mesh
from harness_plugins.scenes.files.video_folder import lacking_files, video_in
from harness_plugins.scenes.scannetpp.annotation import Scan, read_annotation
from harness_plugins.scenes.scannetpp.iphone import export_video, posed_frames
from harness_plugins.scenes.scannetpp.segmentation import read_segmentation
from harness_plugins.scenes.settings import ScanNetPPSettings

DATASET = "scannetpp"
SPLITS = {"train": "nvs_sem_train.txt", "val": "nvs_sem_val.txt"}
ANNOTATION, SEGMENTS, MESH = "segments_anno.json", "segments.json", "mesh_aligned_0.05.ply"
_REMEDY = (
    "give the folder with the release's `data` and `splits`, for example with --set root=FOLDER; "
    "apply for it at https://kaldir.vc.in.tum.de/scannetpp"
)
_MOST_SPLIT_BYTES = 2**20


def build(settings: ScanNetPPSettings) -> ScanNetPP:
    """The source; files are read on first use."""
    return ScanNetPP(settings)


@dataclass(frozen=True)
class ScanNetPP:
    """A scene source over the release."""

    settings: ScanNetPPSettings

    def missing(self) -> Sequence[str]:
        """What this machine lacks, each with its remedy."""
        root = self.settings.root
        if root is None:
            return [f"root is not set: {_REMEDY}"]
        if not root.is_dir():
            return [f"root {root} is no folder: {_REMEDY}"]
        lacking = []
        if not self._on_disk:
            lacking.append(f"no data/<scene>/scans/{ANNOTATION} in {root}: {_REMEDY}")
        split = self.settings.split
        if split is not None and not self._split_file(split).is_file():
            lacking.append(
                f"{self._split_file(split)} does not exist: download the release's splits, or "
                "leave `split` out"
            )
        return lacking + lacking_files(
            labels=self.settings.labels, videos=self.settings.videos, dataset=DATASET
        )

    def scene_ids(self) -> Sequence[str]:
        """Scenes that are on this machine, in alphabetical order.

        Raises:
            SceneError: files are missing, or `only` names what is not there.
        """
        return self._chosen

    def load(self, scene_id: str) -> Scene:
        """One scene.

        Raises:
            SceneError: the id is unknown or its files are faulty; file and field are named.
        """
        known_scene(scene_id, self._chosen, DATASET)
        scans, phone = self._folder(scene_id) / "scans", self._folder(scene_id) / "iphone"
        vertices = read_mesh(scans / MESH).vertices.astype(np.float64)
        looking = self.settings.visibility and _poses(phone).is_file()
        segmentation = None
        if looking or self.settings.boxes != "annotated":
            segmentation = read_segmentation(scans / SEGMENTS, len(vertices))
        scan = Scan(vertices, segmentation)
        annotation = read_annotation(scans / ANNOTATION, scan, self.settings.boxes, self._labels)
        found = take_inventory(
            annotation.instances, self._labels, scene_id, str(scans / ANNOTATION)
        )
        room = mesh_room(vertices, scans / MESH)
        frames = self._frames(phone)
        return Scene(
            id=scene_id,
            dataset=DATASET,
            objects=tuple(replace(thing, points=None) for thing in found.objects),
            room_area=room.area,
            room_centre=room.centre,
            counts=found.counts,
            frames=frames,
            visibility=_seen(scan, found.objects, frames) if looking else None,
            video=video_in(self.settings.videos, DATASET, scene_id),
            split=self._split_of(scene_id),
            floor=room.outline,
            faults=(*annotation.faults, *found.faults),
        )

    def export_video(self, scene_id: str, path: Path) -> Sequence[Frame | None]:
        """The iPhone's recording as mp4, 640 x 480, and a pose for each of its frames.

        Raises:
            SceneError: the id is unknown, or the recording or its poses are missing or faulty.
            VideoError: the recording cannot be read, or the mp4 not be written.
        """
        known_scene(scene_id, self._chosen, DATASET)
        phone = self._folder(scene_id) / "iphone"
        if lacking := [str(x) for x in (_recording(phone), _poses(phone)) if not x.is_file()]:
            raise SceneError(f"scene {scene_id}: no {' and no '.join(lacking)}; download it")
        return export_video(_recording(phone), _poses(phone), path, self.settings.fps)

    def _frames(self, phone: Path) -> tuple[Frame, ...]:
        if not _poses(phone).is_file():
            return ()
        return posed_frames(_poses(phone), self.settings.posed_frames)

    def _folder(self, scene_id: str) -> Path:
        assert self.settings.root is not None
        return self.settings.root / "data" / scene_id

    def _split_file(self, split: str) -> Path:
        assert self.settings.root is not None
        return self.settings.root / "splits" / SPLITS[split]

    @cached_property
    def _on_disk(self) -> tuple[str, ...]:
        root = self.settings.root
        found = [] if root is None else root.glob(f"data/*/scans/{ANNOTATION}")
        return tuple(sorted(path.parents[1].name for path in found))

    @cached_property
    def _splits(self) -> Mapping[str, frozenset[str]]:
        """The scenes of each split whose file is there."""
        return {
            split: _read_split(self._split_file(split))
            for split in SPLITS
            if self._split_file(split).is_file()
        }

    def _split_of(self, scene_id: str) -> str | None:
        return next((split for split, ids in self._splits.items() if scene_id in ids), None)

    @cached_property
    def _labels(self) -> Labels:
        return shipped_labels(__file__, self.settings.labels)

    @cached_property
    def _chosen(self) -> tuple[str, ...]:
        if lacking := self.missing():
            raise SceneError(f"{DATASET}: " + "; ".join(lacking))
        settings = self.settings
        ids = set(self._on_disk)
        if settings.split is not None:
            ids &= self._splits[settings.split]
        where = f"{DATASET}: {settings.root}"
        return choose_scenes(ids, only=settings.only, limit=settings.limit, where=where)


def _recording(phone: Path) -> Path:
    return phone / "rgb.mkv"


def _poses(phone: Path) -> Path:
    return phone / "pose_intrinsic_imu.json"


def _seen(scan: Scan, objects: Sequence[SceneObject], frames: Sequence[Frame]) -> Visibility | None:
    """What the mesh's vertices show of the objects; the rest of the mesh hides, and is not told."""
    if scan.segmentation is None:
        return None
    clouds = [np.empty((0, 3)) if thing.points is None else thing.points for thing in objects]
    # The objects' own vertices are in the whole mesh too, which hides nothing more.
    ids = [thing.id for thing in objects]
    rest = "".join(ids) + " and the rest"  # longer than each of them, so none of them
    seen = visible_pixels([*clouds, scan.vertices], [*ids, rest], frames, lambda _: None)
    return Visibility(tuple(ids), np.ascontiguousarray(seen.pixels[:, :-1]))


def _read_split(path: Path) -> frozenset[str]:
    # Ids that are no text are none of the folders' names.
    lines = read_bytes(path, _MOST_SPLIT_BYTES).decode(errors="replace").splitlines()
    return frozenset(line.strip() for line in lines if line.strip())
