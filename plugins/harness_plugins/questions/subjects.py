"""What questions are about: how objects are called and how far apart they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.geometry import centre_distances, closest_distances, sampled_distance
from harness.question import Style
from harness.scene import Array, SceneObject
from harness_plugins.questions.settings import BoxDistance

# VSI-Bench's annotation says one, its questions the other (rows of its ScanNet++ scenes).
_SPOKEN = {"coat hanger": "coat rack"}


def spoken(category: str) -> str:
    """The name of a category in a question."""
    return _SPOKEN.get(category, category)


def centre(thing: SceneObject) -> Array:
    """(3,) mean of the object's points, or the centre of its box where there are none, metres.

    VSI-100k measures from the geometric centres of point clouds (paper, section 3.1).
    """
    if thing.points is None:
        return np.asarray(thing.box.centre)
    return np.asarray(thing.points.mean(axis=0))


def distances(objects: tuple[SceneObject, ...], style: Style, mode: BoxDistance) -> Array:
    """(n, n) metres between objects, as the style and the mode measure them."""
    if style == "vsi_100k":
        return centre_distances([centre(thing) for thing in objects])
    boxes = tuple(thing.box for thing in objects)
    if mode == "exact":
        return closest_distances(boxes)
    sampled = np.zeros((len(boxes), len(boxes)))
    for i, j in zip(*np.triu_indices(len(boxes), 1), strict=True):
        sampled[i, j] = sampled[j, i] = sampled_distance(boxes[i], boxes[j])
    return sampled


def nearest_of(
    thing: SceneObject, others: Sequence[SceneObject], style: Style, mode: BoxDistance
) -> tuple[SceneObject, float]:
    """The nearest of other objects, the first of equals, and its distance in metres."""
    if style == "vsi_bench" and mode == "vsi_bench":
        metres = [sampled_distance(thing.box, other.box) for other in others]
    else:
        metres = distances((thing, *others), style, mode)[0, 1:].tolist()
    nearest = int(np.argmin(metres))
    return others[nearest], float(metres[nearest])


def rounded(value: float, decimals: int) -> str:
    """The number as printed: `2.9` with one decimal, `158` with none."""
    return f"{round(value, decimals):.{decimals}f}"


def rounding_margin(value: float, decimals: int) -> float:
    """How far the number is from one that is printed otherwise, in its unit."""
    return max(0.0, 0.5 * 10.0**-decimals - abs(value - round(value, decimals)))
