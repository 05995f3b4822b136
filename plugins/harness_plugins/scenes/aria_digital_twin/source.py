"""Scenes from Aria Digital Twin's ground truth, turned to z up.

The release has no mesh, so a scene's floor is the convex hull of its objects' boxes seen from
above: furniture stands along the walls, so it is a little less than the room, and more where the
room has an inner corner. Each scene says so in its faults. The release's own box of the building
(category `shelter`) is no measure of it: for the apartment it has 128 m2 and 8.5 m of height.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from scipy.spatial import ConvexHull, QhullError

from harness.errors import SceneError
from harness.fitting import upright_box
from harness.scene import Array, Frame, Scene, Visibility
from harness_plugins.scenes.aria_digital_twin.frames import (
    SEEN,
    TRAJECTORY,
    read_frames,
    read_visibility,
)
from harness_plugins.scenes.aria_digital_twin.objects import BOXES, NAMES, POSES, read_contents
from harness_plugins.scenes.files.choice import choose_scenes, known_scene
from harness_plugins.scenes.files.inventory import Inventory, take_inventory
from harness_plugins.scenes.files.labels import Labels, shipped_labels
from harness_plugins.scenes.settings import AriaDigitalTwinSettings

DATASET = "aria_digital_twin"
_REMEDY = (
    "give a sequence's folder, or a folder of them, for example with --set root=FOLDER; "
    "sequences are at https://www.projectaria.com/datasets/adt"
)
_BUILDING = "shelter"
_ROOM_FAULT = "room area and outline: the convex hull of the objects' boxes, as there is no mesh"


def build(settings: AriaDigitalTwinSettings) -> AriaDigitalTwin:
    """The source; files are read on first use."""
    return AriaDigitalTwin(settings)


@dataclass(frozen=True)
class AriaDigitalTwin:
    """A scene source over sequences."""

    settings: AriaDigitalTwinSettings

    def missing(self) -> Sequence[str]:
        """What this machine lacks, each with its remedy."""
        root = self.settings.root
        if root is None:
            return [f"root is not set: {_REMEDY}"]
        if not root.is_dir():
            return [f"root {root} is no folder: {_REMEDY}"]
        lacking = []
        if not self._folders:
            lacking.append(f"no {BOXES} in {root} or in a folder in it: {_REMEDY}")
        lacking += self._files_missing_everywhere()
        labels = self.settings.labels
        if labels is not None and not labels.is_file():
            lacking.append(f"labels {labels} does not exist: give a file, or leave `labels` out")
        return lacking

    def _files_missing_everywhere(self) -> list[str]:
        """Files that the first sequence lacks, if no sequence is whole.

        One of several that is not whole is told of when it is loaded, and stops no other.
        """
        of_each = [
            [folder / name for name in (POSES, NAMES) if not (folder / name).is_file()]
            for folder in self._folders.values()
        ]
        return [
            f"{path} does not exist: download the sequence's ground truth again"
            for path in (of_each[0] if of_each and all(of_each) else ())
        ]

    def scene_ids(self) -> Sequence[str]:
        """Names of the sequences' folders, in alphabetical order.

        Raises:
            SceneError: files are missing, or `only` names what is not there.
        """
        return self._chosen

    def load(self, scene_id: str) -> Scene:
        """One sequence, z up.

        Raises:
            SceneError: the id is unknown or its files are faulty; file and field are named.
        """
        known_scene(scene_id, self._chosen, DATASET)
        folder = self._folders[scene_id]
        contents = read_contents(folder)
        found = take_inventory(contents.instances, self._labels, scene_id, str(folder))
        corners = [
            instance.box.corners
            for instance in contents.instances
            if instance.box is not None and instance.label != _BUILDING
        ]
        points = np.concatenate(corners)
        outline, area = _hull(points, folder)
        frames, visibility = self._looks(folder, found)
        return Scene(
            id=scene_id,
            dataset=DATASET,
            objects=found.objects,
            room_area=area,
            room_centre=upright_box(points).centre,
            counts=found.counts,
            frames=frames,
            visibility=visibility,
            split=self.settings.split,
            floor=outline,
            faults=(*contents.faults, *found.faults, _ROOM_FAULT),
        )

    def _looks(self, folder: Path, found: Inventory) -> tuple[tuple[Frame, ...], Visibility | None]:
        if not (folder / TRAJECTORY).is_file():
            return (), None
        moments, frames = read_frames(folder / TRAJECTORY, self.settings.posed_frames)
        if not self.settings.visibility or not (folder / SEEN).is_file():
            return frames, None
        ids = [thing.id for thing in found.objects]
        return frames, read_visibility(folder / SEEN, moments, ids)

    @cached_property
    def _folders(self) -> dict[str, Path]:
        root = self.settings.root
        if root is None or not root.is_dir():
            return {}
        if (root / BOXES).is_file():
            return {root.resolve().name: root}
        return {path.parent.name: path.parent for path in sorted(root.glob(f"*/{BOXES}"))}

    @cached_property
    def _labels(self) -> Labels:
        return shipped_labels(__file__, self.settings.labels)

    @cached_property
    def _chosen(self) -> tuple[str, ...]:
        if lacking := self.missing():
            raise SceneError(f"{DATASET}: " + "; ".join(lacking))
        settings = self.settings
        where = f"{DATASET}: {settings.root}"
        return choose_scenes(self._folders, only=settings.only, limit=settings.limit, where=where)


def _hull(points_n3: Array, folder: Path) -> tuple[tuple[tuple[float, float], ...], float]:
    """Outline, counter-clockwise, and area in square metres."""
    try:
        hull = ConvexHull(points_n3[:, :2])
    except QhullError as error:
        raise SceneError(
            f"{folder / BOXES}: the objects' boxes cover no floor, so there is no room area"
        ) from error
    outline = tuple((float(x), float(y)) for x, y in points_n3[hull.vertices, :2])
    return outline, float(hull.volume)
