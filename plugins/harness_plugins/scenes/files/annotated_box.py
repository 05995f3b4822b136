"""Boxes as annotation tools write them: `{centroid, axesLengths, normalizedAxes}`.

`normalizedAxes` are read as a row-major 3x3 whose *rows* are the box's axes, in ScanNet++ and
ARKitScenes alike. For ARKitScenes its own tools say so (they turn local corners with the
transpose); for both, reading rows gives the `min` and `max` that VSI-Bench's metadata stores
beside the same boxes, and reading columns does not.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from harness.errors import SceneError
from harness.scene import Box
from harness_plugins.scenes.files.problems import short

# Metres; 5.5 and 128 are the most among the boxes of VSI-Bench's scenes.
MOST_SIDE = 100.0
MOST_COORDINATE = 10_000.0


def annotated_box(entry: Any, where: str, problems: list[str], faults: list[str]) -> Box | None:
    """The box of an entry, or None with the reason in one of the lists.

    Args:
        entry: an object with the three lists of numbers.
        where: file and field, for messages.
        problems: gets what shows another format: a field is missing or holds no numbers.
        faults: gets what an annotator may have left behind: numbers that are not finite, sides
            of no length, axes that are no frame.
    """
    if not isinstance(entry, Mapping):
        problems.append(f"{where}: expected an object with centroid, found {short(entry)}")
        return None
    parts = [
        _numbers(entry.get(key), length, f"{where}.{key}", problems)
        for key, length in (("centroid", 3), ("axesLengths", 3), ("normalizedAxes", 9))
    ]
    if not all(parts):
        return None
    centre, size, axes = parts
    if not all(math.isfinite(x) for part in parts for x in part):
        faults.append(f"{where}: has numbers that are not finite")
        return None
    if max(map(abs, centre)) > MOST_COORDINATE or max(size) > MOST_SIDE:
        faults.append(
            f"{where}: is {max(size):g} m long around {short(centre)}, which is no room's"
        )
        return None
    try:
        return Box((centre[0], centre[1], centre[2]), (size[0], size[1], size[2]), tuple(axes))
    except SceneError as error:
        faults.append(f"{where}: {error}")
        return None


def _numbers(value: Any, length: int, where: str, problems: list[str]) -> list[float]:
    if isinstance(value, list) and len(value) == length and all(_number(x) for x in value):
        return [float(x) for x in value]
    problems.append(f"{where}: expected {length} numbers, found {short(value)}")
    return []


def _number(value: Any) -> bool:
    # Integers of hundreds of digits are no floats.
    whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63
    return whole or isinstance(value, float)
