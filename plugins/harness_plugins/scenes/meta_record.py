"""One record of a metadata file ─► a `Scene`, with every fault named or mended on the record."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from harness.errors import SceneError
from harness.scene import Box, Scene, SceneObject, Vec3
from harness_plugins.scenes.files.choice import LONGEST_NAME, SAFE_NAME
from harness_plugins.scenes.files.problems import short

# Far above anything indoors: 5.5 m, 128 m2 and about 100 m are the most in VSI-Bench's files.
MOST_SIDE = 100.0
MOST_COORDINATE = 10_000.0
MOST_ROOM_AREA = 100_000.0
MOST_COUNT = 1_000_000
# The stored corners of all 3,197 released boxes agree to 1e-15 m.
CORNER_TOLERANCE = 0.01


def read_scene(
    scene_id: str, record: Any, *, where: str, split: str | None, strict_counts: bool
) -> Scene:
    """Check one record and make its scene.

    Exact duplicates of a box are dropped (nine released ScanNet scenes have them), and counts that
    disagree with the boxes are kept as they are; both are noted in `Scene.faults`.

    Args:
        where: file and scene, for messages.

    Raises:
        SceneError: all faults of the record, each with its field; with `strict_counts` also
            counts that disagree with the boxes.
    """
    problems: list[str] = []
    if not SAFE_NAME.fullmatch(scene_id):
        problems.append("the id may hold letters, digits, '.', '_' and '-' only")
    if not isinstance(record, Mapping):
        raise SceneError(f"{where}: expected an object, found {type(record).__name__}")
    dataset = record.get("dataset")
    if not isinstance(dataset, str) or not SAFE_NAME.fullmatch(dataset):
        problems.append(f"dataset: expected the name of a data set, found {short(dataset)}")
    area = record.get("room_size")
    if not isinstance(area, int | float) or not _number(area) or not 0 < area <= MOST_ROOM_AREA:
        problems.append(f"room_size: expected square metres, found {short(area)}")
    centre = _numbers(record, ("room_center",), 3, MOST_COORDINATE, "", problems)
    counts = _counts(record, problems)
    objects, faults = _objects(record, problems)
    counts, order = dict(counts), list(counts)
    objects.sort(key=lambda o: order.index(o.category) if o.category in counts else len(order))
    disagreeing = _disagreements(counts, objects)
    if strict_counts:
        problems += disagreeing
    if problems:
        raise SceneError("; ".join(f"{where}: {problem}" for problem in problems))
    return Scene(
        id=scene_id,
        dataset=str(dataset),
        objects=tuple(objects),
        room_area=float(record["room_size"]),
        room_centre=_vec3(centre),
        counts=counts,
        split=split,
        faults=(*faults, *disagreeing),
    )


def _counts(record: Mapping[str, Any], problems: list[str]) -> dict[str, int]:
    counts = record.get("object_counts")
    if not isinstance(counts, Mapping):
        problems.append(f"object_counts: expected an object, found {short(counts)}")
        return {}
    for category, count in counts.items():
        if not 0 < len(category) <= LONGEST_NAME:
            problems.append(f"object_counts: expected names of categories, found {short(category)}")
        elif type(count) is not int or not 0 < count <= MOST_COUNT:
            problems.append(
                f"object_counts.{category}: expected a positive whole number, found {short(count)}"
            )
    return {
        name: count
        for name, count in counts.items()
        if type(count) is int and len(name) <= LONGEST_NAME
    }


def _objects(record: Mapping[str, Any], problems: list[str]) -> tuple[list[SceneObject], list[str]]:
    spellings = [key for key in ("object_bbox", "object_bboxes") if key in record]
    if len(spellings) != 1:
        found = "both" if spellings else "neither"
        problems.append(f"object_bbox: expected it or object_bboxes, found {found}")
        return [], []
    field, groups = spellings[0], record[spellings[0]]
    if not isinstance(groups, Mapping):
        problems.append(f"{field}: expected an object of categories, found {short(groups)}")
        return [], []
    objects: list[SceneObject] = []
    faults: list[str] = []
    ids: set[str] = set()
    for category, entries in groups.items():
        if not isinstance(entries, list) or not 0 < len(category.strip()) <= LONGEST_NAME:
            problems.append(
                f"{field}.{category:.80}: expected a list of boxes, found {short(entries)}"
            )
            continue
        seen: set[Box] = set()
        for index, entry in enumerate(entries):
            name = f"{field}.{category}[{index}]"
            box = _box(entry, name, problems, faults)
            if box is None:
                continue
            if box in seen:
                faults.append(f"{name}: exactly the box of an instance before it, dropped")
                continue
            seen.add(box)
            found_id = str(
                entry.get("instance_id", f"{category.replace(' ', '_')}_{len(seen) - 1}")
            )
            if not 0 < len(found_id) <= LONGEST_NAME:
                problems.append(f"{name}.instance_id: expected a name, found {short(found_id)}")
            if found_id in ids:
                problems.append(f"{name}.instance_id: {short(found_id)} occurs twice in the scene")
            ids.add(found_id)
            objects.append(SceneObject(found_id, category, box))
    return objects, faults


def _box(entry: Any, name: str, problems: list[str], faults: list[str]) -> Box | None:
    if not isinstance(entry, Mapping):
        problems.append(f"{name}: expected an object, found {short(entry)}")
        return None
    before = len(problems)
    centre = _numbers(entry, ("centroid",), 3, MOST_COORDINATE, f"{name}.", problems)
    size = _numbers(entry, ("axesLengths",), 3, MOST_SIDE, f"{name}.", problems)
    axes = _numbers(entry, ("normalizedAxes",), 9, 2.0, f"{name}.", problems)
    if size and min(size) <= 0:
        problems.append(f"{name}.axesLengths: expected positive metres, found {short(size)}")
    corners = [
        _numbers(entry, keys, 3, 2 * MOST_COORDINATE, f"{name}.", problems)
        for keys in (("min", "min_corner"), ("max", "max_corner"))
        if any(key in entry for key in keys)
    ]
    if len(problems) > before:
        return None
    try:
        box = Box(_vec3(centre), _vec3(size), tuple(axes))
    except SceneError as error:
        problems.append(f"{name}: {error}")
        return None
    if len(corners) == 2:
        stored = np.array(corners)
        actual = np.array([box.corners.min(axis=0), box.corners.max(axis=0)])
        off = float(np.abs(stored - actual).max())
        if off > CORNER_TOLERANCE:
            faults.append(f"{name}: its stored min and max are up to {off:.2f} m off its axes")
    return box


def _disagreements(counts: Mapping[str, int], objects: Iterable[SceneObject]) -> list[str]:
    boxes: dict[str, int] = {}
    for found in objects:
        boxes[found.category] = boxes.get(found.category, 0) + 1
    return [
        f"object_counts.{category}: {counts.get(category, 0)} counted, {boxes.get(category, 0)} boxes"
        for category in dict.fromkeys((*counts, *boxes))
        if counts.get(category, 0) != boxes.get(category, 0)
    ]


def _numbers(
    entry: Mapping[str, Any],
    keys: tuple[str, ...],
    length: int,
    most: float,
    prefix: str,
    problems: list[str],
) -> list[float]:
    key = next((key for key in keys if key in entry), keys[0])
    value = entry.get(key)
    if isinstance(value, list) and len(value) == length and all(_number(x) for x in value):
        if max(abs(x) for x in value) <= most:
            return [float(x) for x in value]
        problems.append(f"{prefix}{key}: expected numbers up to {most:g}, found {short(value)}")
    else:
        problems.append(f"{prefix}{key}: expected {length} finite numbers, found {short(value)}")
    return []


def _number(value: Any) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer of hundreds of digits
        return False


def _vec3(values: list[float]) -> Vec3:
    x, y, z = values
    return (x, y, z)
