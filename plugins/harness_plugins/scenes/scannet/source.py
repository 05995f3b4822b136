"""Scenes from the raw release of ScanNet (v2): meshes, annotations, recordings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from harness.errors import SceneError
from harness.scene import Frame, Scene, VideoRef
from harness_plugins.scenes.files.choice import choose_scenes, known_scene
from harness_plugins.scenes.files.problems import refuse
from harness_plugins.scenes.files.sens import SensFile
from harness_plugins.scenes.files.sens_video import export_video
from harness_plugins.scenes.scannet.alignment import read_alignment
from harness_plugins.scenes.scannet.labels import Labels, read_labels, read_map
from harness_plugins.scenes.scannet.recording import with_frames
from harness_plugins.scenes.scannet.release import SPLITS, Release
from harness_plugins.scenes.scannet.scan import DATASET, read_scan
from harness_plugins.scenes.settings import ScanNetSettings

_REMEDY = (
    "give the folder of the ScanNet release, which has `scans` in it, for example with "
    "--set root=FOLDER (--set scenes.train.root=FOLDER for a recipe)"
)
_DOWNLOAD = "put the release's file there"


def build(settings: ScanNetSettings) -> ScanNet:
    """The source; files are read on first use."""
    return ScanNet(settings)


@dataclass(frozen=True)
class ScanNet:
    """A scene source over `scans/<scan>/`."""

    settings: ScanNetSettings

    def missing(self) -> Sequence[str]:
        """What this machine lacks, each with its remedy."""
        root, split, videos = self.settings.root, self.settings.split, self.settings.videos
        if root is None:
            return [f"root is not set: {_REMEDY}"]
        if not root.is_dir():
            return [f"root {root} is no folder: {_REMEDY}"]
        release, lacking = Release(root), []
        try:
            if not release.scan_ids():
                lacking.append(f"no folder such as scene0000_00 in {release.scans}: {_REMEDY}")
            if read_map(self.settings.labels).columns and not release.label_table.is_file():
                lacking.append(
                    f"{release.label_table} does not exist: {_DOWNLOAD}, or choose `labels: raw`"
                )
        except SceneError as error:
            lacking.append(str(error))
        if split is not None and not release.split_list(split).is_file():
            lacking.append(
                f"{release.split_list(split)} does not exist: {_DOWNLOAD}, or leave `split` out"
            )
        if videos is not None and not videos.is_dir():
            lacking.append(
                f"videos {videos} is no folder: give the folder with {DATASET}/<scan>.mp4 or "
                "<scan>.mp4, or leave `videos` out"
            )
        return lacking

    def scene_ids(self) -> Sequence[str]:
        """The scans in alphabetical order.

        Raises:
            SceneError: something is missing, or the filters name what is not there.
        """
        return self._chosen

    def load(self, scene_id: str) -> Scene:
        """One scan as a scene.

        Raises:
            SceneError: the id is unknown or its files are faulty; file and field are named.
        """
        known_scene(scene_id, self._chosen, str(self._release.scans))
        settings = self.settings
        scan = read_scan(self._release, scene_id, self._labels, settings)
        scene = replace(scan.scene, split=self._split_of.get(scene_id))
        sens = self._release.file(scene_id, ".sens")
        if settings.posed_frames and sens.exists():
            points = scan.points if settings.visibility else None
            scene = with_frames(
                scene, SensFile(sens), scan.alignment, points, rate=settings.posed_frames
            )
        return replace(scene, video=self._video(scene_id))

    def export_video(self, scene_id: str, path: Path) -> Sequence[Frame | None]:
        """Write the recording as mp4, 640 x 480 at 24 frames a second.

        Returns:
            The pose of each frame in the aligned world, None where it was lost.

        Raises:
            SceneError: no recording, or a damaged one. VideoError: it cannot be encoded.
        """
        known_scene(scene_id, self._chosen, str(self._release.scans))
        sens = self._release.file(scene_id, ".sens")
        if not sens.exists():
            raise SceneError(f"{sens}: no such file: without it the scan has no footage")
        alignment = read_alignment(self._release.file(scene_id, ".txt"))
        return export_video(SensFile(sens), path, world=alignment.matrix)

    def _video(self, scan: str) -> VideoRef | None:
        if self.settings.videos is None:
            return None
        places = (self.settings.videos / DATASET, self.settings.videos)
        found = (place / f"{scan}.mp4" for place in places)
        return next((VideoRef(path) for path in found if path.is_file()), None)

    @cached_property
    def _release(self) -> Release:
        lacking = self.missing()
        if lacking or self.settings.root is None:
            raise SceneError("scannet: " + "; ".join(lacking))
        return Release(self.settings.root)

    @cached_property
    def _labels(self) -> Labels:
        return read_labels(read_map(self.settings.labels), self._release.label_table)

    @cached_property
    def _split_of(self) -> Mapping[str, str]:
        lists = {split: self._release.split_ids(split) for split in SPLITS}
        return {scan: split for split, scans in lists.items() for scan in scans}

    @cached_property
    def _chosen(self) -> tuple[str, ...]:
        ids = self._release.scan_ids()
        split = self.settings.split
        where = f"scannet: {self._release.scans}"
        if split is not None:
            ids = [scan for scan in ids if self._split_of.get(scan) == split]
            where += f", split {split}"
            refuse([] if ids else [f"{where}: none of its scans is in the list of that split"])
        return choose_scenes(ids, only=self.settings.only, limit=self.settings.limit, where=where)
