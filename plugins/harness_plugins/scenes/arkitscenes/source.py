"""Scenes from the ARKitScenes release for 3D object detection, z up.

`<fold>/<video>/<video>_3dod_annotation.json` has the boxes, `<video>_3dod_mesh.ply` the room, and
`<video>_frames` the recording.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from harness.errors import SceneError
from harness.scene import Frame, Scene, SceneObject, Visibility
from harness.visibility import visible_pixels
from harness_plugins.scenes.arkitscenes.annotation import read_annotation, with_points
from harness_plugins.scenes.arkitscenes.recording import PICTURES, TRAJECTORY, Recording
from harness_plugins.scenes.arkitscenes.visits import TABLE, one_of_each, read_visits
from harness_plugins.scenes.files.choice import choose_scenes, known_scene
from harness_plugins.scenes.files.inventory import take_inventory
from harness_plugins.scenes.files.labels import Labels, shipped_labels
from harness_plugins.scenes.files.mesh_room import mesh_room
from harness_plugins.scenes.files.ply import read_mesh
from harness_plugins.scenes.files.video_folder import lacking_files, video_in
from harness_plugins.scenes.settings import ARKitScenesSettings

DATASET = "arkitscenes"
FOLDS = {"Training": "train", "Validation": "val"}
_ANNOTATION = "_3dod_annotation.json"
_REMEDY = (
    "give the folder with the release's Training and Validation, for example with --set "
    "root=FOLDER; download it with ARKitScenes' `download_data.py 3dod`"
)


def build(settings: ARKitScenesSettings) -> ARKitScenes:
    """The source; files are read on first use."""
    return ARKitScenes(settings)


@dataclass(frozen=True)
class ARKitScenes:
    """A scene source over the release."""

    settings: ARKitScenesSettings

    def missing(self) -> Sequence[str]:
        """What this machine lacks, each with its remedy."""
        root = self.settings.root
        if root is None:
            return [f"root is not set: {_REMEDY}"]
        if not root.is_dir():
            return [f"root {root} is no folder: {_REMEDY}"]
        lacking = []
        if not self._on_disk:
            lacking.append(f"no <fold>/<video>/<video>{_ANNOTATION} in {root}: {_REMEDY}")
        if self._by_visit and not (root / TABLE).is_file():
            lacking.append(
                f"{root / TABLE} does not exist: copy it from ARKitScenes' `threedod` folder, or "
                "set one_per_visit=false"
            )
        return lacking + lacking_files(
            labels=self.settings.labels, videos=self.settings.videos, dataset=DATASET
        )

    def scene_ids(self) -> Sequence[str]:
        """Scans that are on this machine, in alphabetical order.

        Raises:
            SceneError: files are missing, a scan is in both folds, or `only` names what is not
                there.
        """
        return self._chosen

    def load(self, scene_id: str) -> Scene:
        """One scan.

        Raises:
            SceneError: the id is unknown or its files are faulty; file and field are named.
        """
        known_scene(scene_id, self._chosen, DATASET)
        folder, fold = self._on_disk[scene_id][0]
        path, mesh = folder / f"{scene_id}{_ANNOTATION}", folder / f"{scene_id}_3dod_mesh.ply"
        annotation = read_annotation(path, self._labels)
        vertices = read_mesh(mesh).vertices.astype(np.float64)
        instances = annotation.instances
        if self.settings.visibility:
            instances = with_points(instances, vertices)
        found = take_inventory(instances, self._labels, scene_id, str(path))
        room = mesh_room(vertices, mesh)
        frames, visibility = self._looks(_recording(folder, scene_id), found.objects)
        return Scene(
            id=scene_id,
            dataset=DATASET,
            objects=tuple(replace(thing, points=None) for thing in found.objects),
            room_area=room.area,
            room_centre=room.centre,
            counts=found.counts,
            frames=frames,
            visibility=visibility,
            video=video_in(self.settings.videos, DATASET, scene_id),
            split=FOLDS[fold],
            floor=room.outline,
            faults=(*annotation.faults, *found.faults),
        )

    def export_video(self, scene_id: str, path: Path) -> Sequence[Frame | None]:
        """The recording as mp4, upright, and a pose for each of its frames.

        Raises:
            SceneError: the id is unknown, or the recording is missing or faulty. VideoError: the
                mp4 cannot be written.
        """
        known_scene(scene_id, self._chosen, DATASET)
        folder, _ = self._on_disk[scene_id][0]
        recording = _recording(folder, scene_id)
        if recording is None:
            raise SceneError(
                f"scene {scene_id}: no {PICTURES} and {TRAJECTORY} in "
                f"{folder / f'{scene_id}_frames'}; download the scan's frames"
            )
        return recording.export_video(path, self.settings.fps)

    def _looks(
        self, recording: Recording | None, objects: Sequence[SceneObject]
    ) -> tuple[tuple[Frame, ...], Visibility | None]:
        if recording is None:
            return (), None
        posed = recording.posed_frames(self.settings.posed_frames)
        frames = tuple(frame for _, frame in posed)
        if not self.settings.visibility:
            return frames, None
        clouds = [np.empty((0, 3)) if thing.points is None else thing.points for thing in objects]
        ids = [thing.id for thing in objects]
        seen = visible_pixels(clouds, ids, frames, lambda row: recording.depth(posed[row][0]))
        return frames, seen

    @property
    def _by_visit(self) -> bool:
        return self.settings.one_per_visit and self.settings.only is None

    @cached_property
    def _on_disk(self) -> Mapping[str, list[tuple[Path, str]]]:
        """Scan -> its folder and fold, usually one."""
        found: dict[str, list[tuple[Path, str]]] = {}
        for fold in FOLDS:
            root = self.settings.root
            for folder in sorted([] if root is None else (root / fold).glob("*")):
                if (folder / f"{folder.name}{_ANNOTATION}").is_file():
                    found.setdefault(folder.name, []).append((folder, fold))
        return found

    @cached_property
    def _labels(self) -> Labels:
        return shipped_labels(__file__, self.settings.labels)

    @cached_property
    def _chosen(self) -> tuple[str, ...]:
        if lacking := self.missing():
            raise SceneError(f"{DATASET}: " + "; ".join(lacking))
        settings = self.settings
        where = f"{DATASET}: {settings.root}"
        if twice := [scan for scan, folders in self._on_disk.items() if len(folders) > 1]:
            raise SceneError(f"{where}: in {' and in '.join(FOLDS)}: {', '.join(twice)}")
        ids: Iterable[str] = [
            scan
            for scan, [(_, fold)] in self._on_disk.items()
            if settings.split in (None, FOLDS[fold])
        ]
        if self._by_visit:
            assert settings.root is not None
            ids = one_of_each(ids, read_visits(settings.root / TABLE))
        return choose_scenes(ids, only=settings.only, limit=settings.limit, where=where)


def _recording(folder: Path, scene_id: str) -> Recording | None:
    frames = folder / f"{scene_id}_frames"
    there = (frames / PICTURES).is_dir() and (frames / TRAJECTORY).is_file()
    return Recording(frames) if there else None
