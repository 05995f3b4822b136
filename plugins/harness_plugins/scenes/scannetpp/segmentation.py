"""Which vertices of the mesh belong to which segment: `segments.json`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.errors import SceneError
from harness_plugins.scenes.files.json_file import read_json_object
from harness_plugins.scenes.files.problems import short


@dataclass(frozen=True, eq=False)
class Segmentation:
    """Vertices grouped by segment.

    Args:
        segments: (v,) segment of each vertex, ascending; order: (v,) which vertex that is.
    """

    segments: NDArray[np.int64]
    order: NDArray[np.intp]

    def vertices(self, segments: Sequence[int]) -> NDArray[np.intp]:
        """(n,) vertices of some segments, ascending."""
        wanted = np.unique(np.asarray(segments, dtype=np.int64))
        starts = np.searchsorted(self.segments, wanted, side="left")
        ends = np.searchsorted(self.segments, wanted, side="right")
        runs = [self.order[start:end] for start, end in zip(starts, ends, strict=True)]
        return np.sort(np.concatenate(runs)) if runs else np.empty(0, dtype=np.intp)


def read_segmentation(path: Path, vertices: int) -> Segmentation:
    """The segments of a mesh of so many vertices.

    Raises:
        SceneError: `segIndices` is no list of whole numbers, or not one for each vertex.
    """
    found = read_json_object(path).get("segIndices")
    if not isinstance(found, list) or not all(type(value) is int for value in found):
        raise SceneError(f"{path}: segIndices: expected whole numbers, found {short(found)}")
    if len(found) != vertices:
        raise SceneError(
            f"{path}: segIndices: {len(found)} of them for the mesh's {vertices} vertices; the "
            "files are of different scans, or one is truncated: download both again"
        )
    try:
        segments = np.array(found, dtype=np.int64)
    except OverflowError as error:
        raise SceneError(f"{path}: segIndices: a number is beyond 2**63") from error
    order = np.argsort(segments, kind="stable")
    return Segmentation(segments[order], order)
