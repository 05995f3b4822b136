"""The objects of a sequence: a box in the object's frame, and where the object is, in the world."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from harness.errors import SceneError
from harness.scene import Array, Box
from harness_plugins.scenes.aria_digital_twin.turn import (
    FARTHEST,
    Z_UP,
    is_unit,
    rotations,
)
from harness_plugins.scenes.files.csv_file import csv_rows
from harness_plugins.scenes.files.inventory import Instance
from harness_plugins.scenes.files.json_file import read_json_object
from harness_plugins.scenes.files.problems import refuse, short, shortened

BOXES, POSES, NAMES = "3d_bounding_box.csv", "scene_objects.csv", "instances.json"
# Metres that a corner may shift in a recording for the object to count as one that stays in place:
# well above the noise of tracked poses, well below what a question asks about.
STILL = 0.05
# Metres; a box beyond is a broken record. The box of the apartment itself is 13 m long.
MOST_SIDE = 100.0
_SIDES = [f"p_local_obj_{axis}{end}[m]" for end in ("min", "max") for axis in "xyz"]
_POSE = [f"t_wo_{axis}[m]" for axis in "xyz"] + [f"q_wo_{axis}" for axis in "wxyz"]


@dataclass(frozen=True)
class Contents:
    """A sequence's instances, people left out, and what is wrong with some of them, in words."""

    instances: tuple[Instance, ...]
    faults: tuple[str, ...]


def read_contents(folder: Path) -> Contents:
    """Read the three tables of objects.

    A moving object has a row for each moment; one that stays in place throughout is taken where it
    is first, one that is carried about has no one place, so its box is None. So has one without a
    row in a table.

    Raises:
        SceneError: a table is missing, truncated or of another shape, or has no row for most of
            the objects; all problems at once.
    """
    problems: list[str] = []
    names = _attempt(lambda: _read_names(folder / NAMES), {}, problems)
    sides = _attempt(lambda: _read_sides(folder / BOXES), {}, problems)
    poses = _attempt(lambda: _read_poses(folder / POSES), {}, problems)
    refuse(problems)
    things = {uid: label for uid, label in names.items() if label is not None}
    faults = []
    for table, found in ((BOXES, sides), (POSES, poses)):
        lacking = sorted(things.keys() - found.keys())
        if 2 * len(lacking) > len(things):
            problems.append(
                f"{folder / table}: no row for {len(lacking)} of the {len(things)} objects of "
                f"{NAMES}; the tables are of different sequences: download them again"
            )
        if lacking:
            faults.append(f"{table}: no row for object {shortened(lacking, ', ')}")
        if unknown := sorted(found.keys() - names.keys()):
            faults.append(f"{table}: {shortened(unknown, ', ')} not in {NAMES}")
    refuse(problems)
    instances = []
    for uid, label in things.items():
        box, fault = None, None
        if uid in sides and uid in poses:
            box, fault = _box(sides[uid], np.array(poses[uid]))
        faults += [f"{BOXES}: object {uid} ({label}): {fault}"] if fault else []
        instances.append(Instance(uid, label, box))
    return Contents(tuple(instances), tuple(faults))


def _attempt(
    read: Callable[[], dict[str, Any]], otherwise: dict[str, Any], problems: list[str]
) -> dict[str, Any]:
    try:
        return read()
    except SceneError as error:
        problems.append(str(error))
        return otherwise


def _read_names(path: Path) -> dict[str, str | None]:
    """Object -> category, None for people."""
    names: dict[str, str | None] = {}
    problems = []
    for uid, entry in read_json_object(path).items():
        label = entry.get("category") if isinstance(entry, Mapping) else None
        if not isinstance(label, str) or not label.strip():
            problems.append(f"{path}: {short(uid)}.category: expected a name, found {short(label)}")
        else:
            names[uid] = None if entry.get("instance_type") == "human" else label.strip()
    refuse(problems)
    return names


def _read_sides(path: Path) -> dict[str, list[float]]:
    """Object -> the six sides of its box, minima first; the first row of each counts."""
    sides: dict[str, list[float]] = {}
    problems: list[str] = []
    for where, (uid, *texts) in csv_rows(path, ["object_uid", *_SIDES]):
        values = _numbers(texts, _SIDES, where, problems)
        if values:
            sides.setdefault(uid, values)
    refuse(problems)
    return sides


def _read_poses(path: Path) -> dict[str, list[list[float]]]:
    """Object -> translation and quaternion (w, x, y, z) at each moment."""
    poses: dict[str, list[list[float]]] = {}
    problems: list[str] = []
    for where, (uid, *texts) in csv_rows(path, ["object_uid", *_POSE]):
        values = _numbers(texts, _POSE, where, problems)
        if values and not is_unit(np.array(values[3:])):
            problems.append(
                f"{where}: q_wo: expected a quaternion of length 1, found {short(values[3:])}"
            )
        elif values:
            poses.setdefault(uid, []).append(values)
    refuse(problems)
    return poses


def _numbers(
    texts: list[str], columns: list[str], where: str, problems: list[str]
) -> list[float] | None:
    try:
        return [float(text) for text in texts]
    except ValueError:
        for column, text in zip(columns, texts, strict=True):
            if not _is_number(text):
                problems.append(f"{where}: {column}: expected a number, found {short(text)}")
        return None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _box(sides: list[float], poses_n7: Array) -> tuple[Box | None, str | None]:
    """The box in our world, or None and why not."""
    low, high = np.array(sides[:3]), np.array(sides[3:])
    # A comparison with NaN is false.
    if not (np.abs(sides).max() <= FARTHEST and np.abs(poses_n7).max() <= FARTHEST):
        return None, f"has numbers that are not finite or beyond {FARTHEST:g} m"
    size = high - low
    if size.min() <= 0 or size.max() > MOST_SIDE:
        return None, f"has the sides {short(size.tolist())} m"
    turns_n33 = rotations(poses_n7[:, 3:])
    ends = np.stack([low, high])
    local_83 = np.array([[ends[i, 0], ends[j, 1], ends[k, 2]] for i, j, k in np.ndindex(2, 2, 2)])
    world_n83 = local_83 @ turns_n33.transpose(0, 2, 1) + poses_n7[:, None, :3]
    shift = float(np.linalg.norm(world_n83 - world_n83[0], axis=2).max())
    if shift > STILL:
        return None, f"is moved by up to {shift:.2f} m in the recording, so it has no one place"
    axes = (Z_UP @ turns_n33[0]).T
    x, y, z = world_n83[0].mean(axis=0) @ Z_UP.T
    width, height, depth = size
    box = Box(
        (float(x), float(y), float(z)),
        (float(width), float(height), float(depth)),
        tuple(float(value) for value in axes.ravel()),
    )
    return box, None
