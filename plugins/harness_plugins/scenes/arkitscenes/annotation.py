"""The boxes of a scan: `<video>_3dod_annotation.json`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from harness.errors import SceneError
from harness.scene import Array, Box
from harness_plugins.scenes.files.annotated_box import annotated_box
from harness_plugins.scenes.files.inventory import Instance
from harness_plugins.scenes.files.json_file import read_json_object
from harness_plugins.scenes.files.labels import Labels
from harness_plugins.scenes.files.problems import refuse, short

MOST_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Annotation:
    """A scan's instances, and what is wrong with some of them, in words."""

    instances: tuple[Instance, ...]
    faults: tuple[str, ...]


def read_annotation(path: Path, labels: Labels) -> Annotation:
    """Read the instances; the box is `segments.obbAligned`, which stands upright.

    Labels are compared with ' ', '-' and '/' written as '_', as the release's own tools do.

    Raises:
        SceneError: the annotators skipped the scan, or the file has another shape; all problems
            at once.
    """
    content = read_json_object(path, most_bytes=MOST_BYTES)
    if content.get("skipped") is True:
        raise SceneError(f"{path}: skipped: the annotators left this scan out; leave it out too")
    entries = content.get("data")
    if not isinstance(entries, list):
        raise SceneError(f"{path}: data: expected a list, found {short(entries)}")
    problems: list[str] = []
    faults: list[str] = []
    instances = []
    for number, entry in enumerate(entries):
        where = f"{path}: data[{number}]"
        fields = _fields(entry, where, problems)
        if fields is None:
            continue
        name, label, box = fields
        found = None
        if labels.category(label) is not None:
            found = annotated_box(box, f"{where}.segments.obbAligned", problems, faults)
        instances.append(Instance(name, label, found))
    refuse(problems)
    return Annotation(tuple(instances), tuple(fault.removeprefix(f"{path}: ") for fault in faults))


def with_points(instances: tuple[Instance, ...], vertices_n3: Array) -> tuple[Instance, ...]:
    """The instances with the mesh's vertices in their boxes, the nearest there is to an outline."""
    return tuple(
        instance
        if instance.box is None
        else replace(instance, points=vertices_n3[_inside(vertices_n3, instance.box)])
        for instance in instances
    )


def _inside(vertices_n3: Array, box: Box) -> Array:
    local_n3 = (vertices_n3 - np.asarray(box.centre)) @ box.rotation.T
    return np.asarray((np.abs(local_n3) <= np.asarray(box.size) / 2).all(axis=1))


def _fields(entry: Any, where: str, problems: list[str]) -> tuple[str, str, Any] | None:
    if not isinstance(entry, Mapping):
        problems.append(f"{where}: expected an object, found {short(entry)}")
        return None
    before = len(problems)
    name, label, segments = (entry.get(key) for key in ("uid", "label", "segments"))
    if not isinstance(name, str) or not name.strip():
        problems.append(f"{where}.uid: expected a name, found {short(name)}")
    if not isinstance(label, str) or not label.strip():
        problems.append(f"{where}.label: expected a name, found {short(label)}")
    if not isinstance(segments, Mapping):
        problems.append(f"{where}.segments: expected an object, found {short(segments)}")
    if len(problems) > before or not isinstance(segments, Mapping):
        return None
    return str(name), re.sub("[ /-]", "_", str(label).strip()), segments.get("obbAligned")
