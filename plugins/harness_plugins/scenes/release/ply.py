"""Writing meshes as ScanNet does: binary little-endian PLY, coloured, with or without labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.atomic import write_bytes
from harness.scene import Array

# In the order of the file, with the names that PLY and numpy have for the types.
_VERTEX = [
    *((axis, "float", "<f4") for axis in "xyz"),
    *((channel, "uchar", "u1") for channel in ("red", "green", "blue", "alpha")),
]
_LABEL = ("label", "ushort", "<u2")


def write_mesh(
    path: Path,
    vertices: Array,
    colours: NDArray[np.uint8],
    faces: NDArray[np.int32],
    labels: NDArray[np.uint16] | None = None,
) -> None:
    """Write a mesh, whole or not at all.

    Args:
        path: the file.
        vertices: (n, 3) metres. colours: (n, 3) RGB.
        faces: (m, 3) indices of vertices.
        labels: (n,) property `label` of the vertices; the property is left out with None.
    """
    columns = [*_VERTEX, *([_LABEL] if labels is not None else [])]
    table: NDArray[Any] = np.zeros(len(vertices), dtype=[(n, code) for n, _, code in columns])
    for number, axis in enumerate("xyz"):
        table[axis] = vertices[:, number]
    for number, channel in enumerate(("red", "green", "blue")):
        table[channel] = colours[:, number]
    table["alpha"] = 255
    if labels is not None:
        table["label"] = labels
    triangles: NDArray[Any] = np.zeros(len(faces), dtype=[("count", "u1"), ("at", "<i4", 3)])
    triangles["count"], triangles["at"] = 3, faces
    lines = [
        "ply",
        "format binary_little_endian 1.0",
        f"element vertex {len(vertices)}",
        *(f"property {kind} {name}" for name, kind, _ in columns),
        f"element face {len(faces)}",
        "property list uchar int vertex_indices",
        "end_header\n",
    ]
    write_bytes(path, "\n".join(lines).encode() + table.tobytes() + triangles.tobytes())
