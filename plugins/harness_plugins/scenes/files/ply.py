"""Meshes from PLY files: text and binary, in any layout of properties."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.errors import SceneError
from harness_plugins.scenes.files.bounded import read_bytes
from harness_plugins.scenes.files.ply_elements import Block, read_elements

# The largest meshes of indoor releases have some hundred megabytes.
MOST_BYTES = 2_000_000_000
# Metres; far more than float32 resolves to a millimetre is no room.
MOST_COORDINATE = 10_000.0


@dataclass(frozen=True, eq=False)
class Mesh:
    """A mesh.

    Args:
        vertices: (n, 3) float32, in the file's unit; finite.
        faces: (m, 3) int32 indices of vertices, polygons cut into fans of triangles; None if the
            file has no element `face` with `vertex_indices`.
        labels: (n,) int32, the vertices' `label`, or None.
    """

    vertices: NDArray[np.float32]
    faces: NDArray[np.int32] | None = None
    labels: NDArray[np.int32] | None = None


def read_mesh(path: Path) -> Mesh:
    """Read a PLY mesh.

    Raises:
        SceneError: the file is missing, larger than 2 GB (text: 250 MB), no PLY, truncated, or has coordinates
            that are not finite or beyond 10 km, or indices without a vertex; file and field are
            named.
    """
    where = str(path)
    elements = read_elements(read_bytes(path, MOST_BYTES), where)
    vertices = _vertices(elements.get("vertex", []), where)
    faces = elements.get("face")
    return Mesh(
        vertices,
        None if faces is None else _faces(faces, len(vertices), where),
        _labels(elements["vertex"], where),
    )


def _vertices(blocks: list[Block], where: str) -> NDArray[np.float32]:
    if not blocks:
        raise SceneError(f"{where}: vertex: the file has no vertices")
    lacking = [axis for axis in "xyz" if axis not in blocks[0].columns]
    if lacking:
        raise SceneError(f"{where}: vertex: no property {', '.join(lacking)}")
    vertices = np.empty((sum(block.size for block in blocks), 3), dtype=np.float32)
    for column, axis in enumerate("xyz"):
        values = np.concatenate([block.columns[axis] for block in blocks])
        if values.ndim != 1:
            raise SceneError(f"{where}: vertex.{axis}: a list, expected a number")
        fine = (values >= -MOST_COORDINATE) & (values <= MOST_COORDINATE)
        if not fine.all():
            first = int(fine.argmin())
            raise SceneError(
                f"{where}: vertex.{axis}: {np.count_nonzero(~fine):,} coordinates are not finite "
                f"or beyond {MOST_COORDINATE:,.0f} m, the first is {values[first]} at vertex {first}"
            )
        vertices[:, column] = values
    return vertices


def _labels(blocks: list[Block], where: str) -> NDArray[np.int32] | None:
    if "label" not in blocks[0].columns:
        return None
    labels = np.concatenate([block.columns["label"] for block in blocks])
    return _whole(labels, 2**31 - 1, f"{where}: vertex.label")


def _faces(blocks: list[Block], vertices: int, where: str) -> NDArray[np.int32] | None:
    name = next(
        (n for n in ("vertex_indices", "vertex_index") if blocks and n in blocks[0].columns), None
    )
    if name is None:
        return None if blocks else np.empty((0, 3), dtype=np.int32)
    triangles = []
    for block in blocks:
        corners = block.columns[name]
        if corners.ndim != 2 or corners.shape[1] < 3:
            found = "a number" if corners.ndim != 2 else f"a list of {corners.shape[1]}"
            raise SceneError(f"{where}: face.{name}: {found}, expected three corners or more")
        corners = _whole(corners, vertices - 1, f"{where}: face.{name}")
        fans = [corners[:, [0, k, k + 1]] for k in range(1, corners.shape[1] - 1)]
        triangles.append(np.stack(fans, axis=1).reshape(-1, 3))
    return np.concatenate(triangles)


def _whole(values: NDArray[np.generic], most: int, what: str) -> NDArray[np.int32]:
    numbers = values.astype(np.float64)
    fine = (numbers >= 0) & (numbers <= most) & (numbers == np.floor(numbers))
    if not fine.all():
        raise SceneError(
            f"{what}: {values[~fine].flat[0]} found, expected whole numbers from 0 to {most:,}"
        )
    return values.astype(np.int32)
