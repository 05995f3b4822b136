"""Scenes from VSI-Bench's metadata: `{scene: {dataset, room_size, object_counts, object_bbox}}`.

The released files (thinking-in-space @ 51e089c) and VLM-3R's variant (`object_bboxes`,
`instance_id`, `min_corner`) are read alike. Their boxes' `normalizedAxes` are rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from harness.errors import SceneError
from harness.scene import Scene, VideoRef
from harness_plugins.scenes.files.choice import SAFE_NAME
from harness_plugins.scenes.files.json_file import read_json_object
from harness_plugins.scenes.meta_record import read_scene
from harness_plugins.scenes.settings import VsiBenchMetaSettings

_PATTERN = "*_meta_info_*.json"
_REMEDY = (
    "give the folder with VSI-Bench's *_meta_info_*.json files, for example with "
    "--set scenes.train.root=FOLDER or --set scenes.evaluate.root=FOLDER"
)


def build(settings: VsiBenchMetaSettings) -> VsiBenchMeta:
    """The source; files are read on first use."""
    return VsiBenchMeta(settings)


@dataclass(frozen=True)
class VsiBenchMeta:
    """A scene source over metadata files."""

    settings: VsiBenchMetaSettings

    def missing(self) -> Sequence[str]:
        """What this machine lacks, each with its remedy."""
        root = self.settings.root
        if root is None:
            return [f"root is not set: {_REMEDY}"]
        if not root.is_dir():
            return [f"root {root} is no folder: {_REMEDY}"]
        if self.settings.files is None:
            lacking = []
            if not self._paths:
                lacking.append(f"no {_PATTERN} in {root}: {_REMEDY}")
        else:
            lacking = [
                f"files: {name!r} must be the name of a file in root, not a path"
                if not SAFE_NAME.fullmatch(name)
                else f"{root / name} does not exist: download it, or change `files`"
                for name in self.settings.files
                if not SAFE_NAME.fullmatch(name) or not (root / name).is_file()
            ]
        if self.settings.videos is not None and not self.settings.videos.is_dir():
            lacking.append(
                f"videos {self.settings.videos} is no folder: give the folder with "
                "<dataset>/<scene>.mp4, or leave `videos` out"
            )
        return lacking

    def scene_ids(self) -> Sequence[str]:
        """Ids in the order of the files.

        Raises:
            SceneError: a file is missing, truncated or no JSON object, an id occurs in two files,
                or the filters name what is not there.
        """
        return self._chosen

    def load(self, scene_id: str) -> Scene:
        """One scene.

        Raises:
            SceneError: the id is unknown or its record is faulty; file, scene and field are named.
        """
        if scene_id not in self._records:
            raise SceneError(f"vsi_bench_meta: no scene {scene_id!r} in {self.settings.root}")
        path, record = self._records[scene_id]
        scene = read_scene(
            scene_id,
            record,
            where=f"{path}: scene {scene_id:.120}",
            split=_split(path),
            strict_counts=self.settings.strict_counts,
        )
        return self._with_video(scene)

    def _with_video(self, scene: Scene) -> Scene:
        if self.settings.videos is None:
            return scene
        path = self.settings.videos / scene.dataset / f"{scene.id}.mp4"
        return replace(scene, video=VideoRef(path)) if path.is_file() else scene

    @property
    def _paths(self) -> list[Path]:
        root = self.settings.root
        if root is None:
            return []
        if self.settings.files is None:
            return sorted(root.glob(_PATTERN))
        return [root / name for name in self.settings.files]

    @cached_property
    def _records(self) -> Mapping[str, tuple[Path, Any]]:
        lacking = self.missing()
        if lacking:
            raise SceneError("vsi_bench_meta: " + "; ".join(lacking))
        records: dict[str, tuple[Path, Any]] = {}
        problems = []
        for path in self._paths:
            try:
                content = read_json_object(path)
            except SceneError as error:
                problems.append(str(error))
                continue
            problems += [
                f"{path}: scene {scene!r:.120} is in {records[scene][0].name} too"
                for scene in content
                if scene in records
            ]
            records.update({scene: (path, record) for scene, record in content.items()})
        if problems:
            raise SceneError("; ".join(problems))
        return records

    @cached_property
    def _chosen(self) -> tuple[str, ...]:
        wanted, datasets = self.settings.only, self.settings.datasets
        problems = []
        if wanted is not None and (unknown := sorted(set(wanted) - self._records.keys())):
            problems.append(f"only: {', '.join(unknown)} not in {self.settings.root}")
        present = {_dataset(record) for _, record in self._records.values()} - {""}
        if datasets is not None and (unknown := sorted(set(datasets) - present)):
            problems.append(
                f"datasets: {', '.join(unknown)} not in {self.settings.root}, "
                f"which has {', '.join(sorted(present))}"
            )
        if problems:
            raise SceneError("vsi_bench_meta: " + "; ".join(problems))
        ids = [
            scene
            for scene, (_, record) in self._records.items()
            if (wanted is None or scene in wanted)
            # A record without a data set stays in, so that loading it names the fault.
            and (datasets is None or _dataset(record) in (*datasets, ""))
        ]
        return tuple(ids[: self.settings.limit])


def _dataset(record: Any) -> str:
    return str(record.get("dataset", "")) if isinstance(record, dict) else ""


def _split(path: Path) -> str | None:
    last = path.stem.rpartition("_")[2]
    return last if last in ("train", "val", "test") else None
