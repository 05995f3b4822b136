"""The instances of a scan: `segments_anno.json`, with the mesh's vertices of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from harness.errors import SceneError
from harness.fitting import aligned_box, upright_box
from harness.scene import Array, Box
from harness_plugins.scenes.files.annotated_box import annotated_box
from harness_plugins.scenes.files.inventory import Instance
from harness_plugins.scenes.files.json_file import read_json_object
from harness_plugins.scenes.files.labels import Labels
from harness_plugins.scenes.files.problems import refuse, short
from harness_plugins.scenes.scannetpp.segmentation import Segmentation

# Metres by which vertices may lie outside of an annotated box, and the share that must not.
_SLACK = 0.02
_SHARE_INSIDE = 0.9
_FITS = {"oriented": upright_box, "axis_aligned": aligned_box}


@dataclass(frozen=True, eq=False)
class Scan:
    """A scan's mesh: (n, 3) vertices in metres, z up, and their segments where they were read."""

    vertices: Array
    segmentation: Segmentation | None


@dataclass(frozen=True)
class Annotation:
    """A scan's instances, and what is wrong with some of them, in words."""

    instances: tuple[Instance, ...]
    faults: tuple[str, ...]


def read_annotation(path: Path, scan: Scan, boxes: str, labels: Labels) -> Annotation:
    """Read the instances; points and boxes of those alone whose label is asked about.

    Args:
        boxes: `annotated`, `oriented` or `axis_aligned` (the last two need a segmentation).

    Raises:
        SceneError: the file has another shape; all problems at once.
    """
    groups = read_json_object(path).get("segGroups")
    if not isinstance(groups, list):
        raise SceneError(f"{path}: segGroups: expected a list, found {short(groups)}")
    problems: list[str] = []
    faults: list[str] = []
    instances = []
    for number, group in enumerate(groups):
        where = f"{path}: segGroups[{number}]"
        fields = _fields(group, where, problems)
        if fields is None:
            continue
        name, label, segments = fields
        if labels.category(label) is None:
            instances.append(Instance(name, label, None))
            continue
        points = None
        if scan.segmentation is not None:
            points = scan.vertices[scan.segmentation.vertices(segments)]
        box: Box | None
        if boxes == "annotated":
            box = annotated_box(group.get("obb"), f"{where}.obb", problems, faults)
            faults += _outside(box, points, f"segGroups[{number}] ({label})")
        else:
            box = _fitted(boxes, points, f"segGroups[{number}] ({label})", faults)
        instances.append(Instance(name, label, box, points))
    refuse(problems)
    return Annotation(tuple(instances), tuple(fault.removeprefix(f"{path}: ") for fault in faults))


def _fields(group: Any, where: str, problems: list[str]) -> tuple[str, str, list[int]] | None:
    if not isinstance(group, Mapping):
        problems.append(f"{where}: expected an object, found {short(group)}")
        return None
    before = len(problems)
    name, label, segments = group.get("objectId"), group.get("label"), group.get("segments")
    if not isinstance(name, int | str) or isinstance(name, bool) or not str(name).strip():
        problems.append(f"{where}.objectId: expected a number, found {short(name)}")
    if not isinstance(label, str) or not label.strip():
        problems.append(f"{where}.label: expected a name, found {short(label)}")
    if not isinstance(segments, list) or not all(
        type(value) is int and abs(value) < 2**63 for value in segments
    ):
        problems.append(f"{where}.segments: expected whole numbers, found {short(segments)}")
    if len(problems) > before:
        return None
    return str(name), str(label).strip(), list(segments or ())


def _outside(box: Box | None, points: Array | None, where: str) -> list[str]:
    """A fault if the instance's own vertices are not in its box; the box stays."""
    if box is None or points is None or not len(points):
        return []
    local_n3 = (points - np.asarray(box.centre)) @ box.rotation.T
    inside = float((np.abs(local_n3) <= np.asarray(box.size) / 2 + _SLACK).all(axis=1).mean())
    if inside >= _SHARE_INSIDE:
        return []
    return [f"{where}: {100 * inside:.0f} % of its vertices are in its annotated box"]


def _fitted(boxes: str, points: Array | None, where: str, faults: list[str]) -> Box | None:
    if points is None or not len(points):
        faults.append(f"{where}: none of its segments is in the mesh")
        return None
    return _FITS[boxes](points)
