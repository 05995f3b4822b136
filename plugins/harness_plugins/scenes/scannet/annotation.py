"""Which vertices belong to which annotated object: `.segs.json` and `.aggregation.json`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.errors import SceneError
from harness_plugins.scenes.files.choice import LONGEST_NAME
from harness_plugins.scenes.files.json_file import read_json_object
from harness_plugins.scenes.files.problems import refuse, short

# Bytes; the largest released ones have some 5 MB, and parsed they take ten times as much.
MOST_BYTES = 64 * 2**20
_MOST_ID = 2**31 - 1


@dataclass(frozen=True, eq=False)
class Instance:
    """One annotated object: its `objectId`, the annotators' label, (m,) places of its vertices."""

    id: str
    label: str
    vertices: NDArray[np.intp]


@dataclass(frozen=True)
class Annotation:
    """The instances in the order of the annotation, and what was mended, in words."""

    instances: tuple[Instance, ...]
    faults: tuple[str, ...]


@dataclass(frozen=True)
class _Group:
    id: str
    label: str
    segments: NDArray[np.int64]


def read_annotation(
    segments_path: Path, aggregation_path: Path, *, scan: str, vertices: int | None
) -> Annotation:
    """Join segments and groups; an instance is every vertex whose segment is in its group.

    A segment of two objects goes to the later one, as in ScanNet's own scripts; objects without
    vertices are left out. Both are noted in the faults.

    Args:
        segments_path: `<scan>_vh_clean_2.0.010000.segs.json`.
        aggregation_path: `<scan>.aggregation.json`.
        scan: the scan's id, which both files should name.
        vertices: of the mesh; None if it could not be read.

    Raises:
        SceneError: all faults of both files, each with its field.
    """
    problems: list[str] = []
    segments = _segments(segments_path, scan, vertices, problems)
    groups = _groups(aggregation_path, scan, problems)
    refuse(problems)
    if segments is None:  # its problem has been told
        return Annotation((), ())
    names, place = np.unique(segments, return_inverse=True)
    owner = np.full(len(names), -1)
    faults = []
    for number, group in enumerate(groups):
        if len(group.segments) and group.segments.max() > names[-1]:
            problems.append(
                f"{aggregation_path}: segGroups[{number}].segments: segment "
                f"{group.segments.max()} is out of range: {segments_path.name} ends at {names[-1]}"
            )
            continue
        mine = np.flatnonzero(np.isin(names, group.segments))
        if shared := int((owner[mine] >= 0).sum()):
            faults.append(
                f"segGroups[{number}] ({group.label}): {shared} of its segments are in an object "
                "before it too, taken as its own"
            )
        owner[mine] = number
    refuse(problems)
    of_vertex = owner[place]
    order = np.argsort(of_vertex, kind="stable")
    bounds = np.searchsorted(of_vertex[order], np.arange(len(groups) + 1))
    instances = []
    for number, group in enumerate(groups):
        mine = order[bounds[number] : bounds[number + 1]]
        if len(mine):
            instances.append(Instance(group.id, group.label, mine))
        else:
            faults.append(f"segGroups[{number}] ({group.label}): no vertices, kept out")
    return Annotation(tuple(instances), tuple(faults))


def _segments(
    path: Path, scan: str, vertices: int | None, problems: list[str]
) -> NDArray[np.int64] | None:
    content = _read(path, scan, problems)
    if content is None:
        return None
    found = _ids(content.get("segIndices"), f"{path}: segIndices", problems)
    if found is None:
        return None
    if not len(found):
        problems.append(f"{path}: segIndices: is empty, expected the segment of each vertex")
        return None
    if vertices is not None and len(found) != vertices:
        problems.append(
            f"{path}: segIndices: {len(found):,} segment ids, but the mesh has {vertices:,} "
            "vertices; the files are of different versions: download both again"
        )
        return None
    return found


def _groups(path: Path, scan: str, problems: list[str]) -> Sequence[_Group]:
    content = _read(path, scan, problems)
    if content is None:
        return ()
    entries = content.get("segGroups")
    if not isinstance(entries, list):
        problems.append(f"{path}: segGroups: expected a list, found {short(entries)}")
        return ()
    groups: list[_Group] = []
    ids: set[str] = set()
    for number, entry in enumerate(entries):
        where = f"{path}: segGroups[{number}]"
        if not isinstance(entry, dict):
            problems.append(f"{where}: expected an object, found {short(entry)}")
            continue
        label, name = entry.get("label"), entry.get("objectId")
        if not isinstance(label, str) or not 0 < len(label.strip()) <= LONGEST_NAME:
            problems.append(f"{where}.label: expected a label, found {short(label)}")
        if type(name) is not int or not 0 <= name <= _MOST_ID:
            problems.append(f"{where}.objectId: expected a whole number, found {short(name)}")
        elif str(name) in ids:
            problems.append(f"{where}.objectId: {name} occurs twice")
        ids.add(str(name))
        segments = _ids(entry.get("segments"), f"{where}.segments", problems)
        if segments is not None:
            groups.append(_Group(str(name), str(label).strip(), segments))
    return groups


def _read(path: Path, scan: str, problems: list[str]) -> dict[str, Any] | None:
    try:
        content = read_json_object(path, most_bytes=MOST_BYTES)
    except SceneError as error:
        problems.append(str(error))
        return None
    found = content.get("sceneId", scan)
    if not isinstance(found, str) or found.removeprefix("scannet.") != scan:
        problems.append(f"{path}: sceneId: {short(found)}, expected {scan}: another scan's file")
    return content


def _ids(values: Any, where: str, problems: list[str]) -> NDArray[np.int64] | None:
    if not isinstance(values, list):
        problems.append(f"{where}: expected a list of segment ids, found {short(values)}")
        return None
    if not values:
        return np.empty(0, dtype=np.int64)
    strange = [value for value in values if type(value) is not int]
    if not strange and min(values) >= 0 and max(values) <= _MOST_ID:
        return np.array(values, dtype=np.int64)
    strange = strange or [
        value for value in (min(values), max(values)) if not 0 <= value <= _MOST_ID
    ]
    problems.append(
        f"{where}: expected whole numbers from 0 to {_MOST_ID:,}, found {short(strange[0])}"
    )
    return None
