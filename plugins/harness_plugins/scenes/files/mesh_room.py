"""The room of a scene from its mesh."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.alpha_shape import room_centre, room_floor
from harness.errors import SceneError
from harness.scene import Array, Vec3


@dataclass(frozen=True)
class Room:
    """Floor area in square metres, outline counter-clockwise, and centre, metres."""

    area: float
    outline: tuple[tuple[float, float], ...]
    centre: Vec3


def mesh_room(vertices_n3: Array, path: Path) -> Room:
    """The room whose mesh has these vertices, as VSI-Bench measures it.

    Args:
        path: the mesh's file, for messages.

    Raises:
        SceneError: the vertices cover no floor.
    """
    try:
        floor, centre = room_floor(vertices_n3), room_centre(vertices_n3)
    except SceneError as error:
        raise SceneError(f"{path}: {error}") from error
    if not floor.area > 0:
        raise SceneError(
            f"{path}: its {len(vertices_n3)} vertices are too few or too far apart to cover a floor"
        )
    return Room(floor.area, floor.outline, centre)
