"""Furnishing a room: where things go, so that none overlap. Metres, plain floats, no arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from harness_plugins.scenes.furniture import Category, Range, Variant

# Room between any two things and to the walls, so that rounding never makes them touch.
GAP = 0.005
# Kept free in front of doors.
_DOORWAY = 0.6
_ATTEMPTS = 14

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Room:
    """A rectangle with a corner at the origin, perhaps with a notch cut out of its far corner.

    Args:
        width, depth: along x and y. height: of the ceiling.
        notch: sides of the rectangle cut out at (width, depth), (0, 0) for none.
    """

    width: float
    depth: float
    height: float
    notch: tuple[float, float]

    @property
    def outline(self) -> tuple[tuple[float, float], ...]:
        """(x, y) corners, counter-clockwise."""
        w, d, (nw, nd) = self.width, self.depth, self.notch
        if not nw:
            return ((0.0, 0.0), (w, 0.0), (w, d), (0.0, d))
        return ((0.0, 0.0), (w, 0.0), (w, d - nd), (w - nw, d - nd), (w - nw, d), (0.0, d))

    @property
    def walls(self) -> list[tuple[float, float, float, float, float]]:
        """Start x and y, direction x and y, length of each wall; the room is on its left."""
        corners = self.outline
        found = []
        for (x, y), (u, v) in zip(corners, (*corners[1:], corners[0]), strict=True):
            length = math.hypot(u - x, v - y)
            found.append((x, y, (u - x) / length, (v - y) / length, length))
        return found


@dataclass(frozen=True, slots=True)
class Solid:
    """A box that stands upright: centre, half sides, cosine and sine of its yaw."""

    x: float
    y: float
    z: float
    half_width: float
    half_depth: float
    half_height: float
    cos: float
    sin: float

    @property
    def radius(self) -> float:
        """Of the circle round its outline on the floor plan."""
        return math.hypot(self.half_width, self.half_depth)


def overlapping(a: Solid, b: Solid) -> bool:
    """Whether two upright boxes come closer than `GAP` on every separating axis."""
    dx, dy = b.x - a.x, b.y - a.y
    if abs(b.z - a.z) >= a.half_height + b.half_height + GAP:
        return False
    reach = a.radius + b.radius + GAP
    if dx * dx + dy * dy >= reach * reach:
        return False
    cos = abs(a.cos * b.cos + a.sin * b.sin)
    sin = abs(a.sin * b.cos - a.cos * b.sin)
    aw, ad, bw, bd = a.half_width + GAP, a.half_depth + GAP, b.half_width + GAP, b.half_depth + GAP
    return (
        abs(dx * a.cos + dy * a.sin) < aw + b.half_width * cos + b.half_depth * sin
        and abs(dy * a.cos - dx * a.sin) < ad + b.half_width * sin + b.half_depth * cos
        and abs(dx * b.cos + dy * b.sin) < bw + a.half_width * cos + a.half_depth * sin
        and abs(dy * b.cos - dx * b.sin) < bd + a.half_width * sin + a.half_depth * cos
    )


class Layout:
    """A room and what stands in it so far."""

    def __init__(self, room: Room, turned: float, random: Random) -> None:
        self.room = room
        self.placed: list[tuple[str, Solid]] = []
        self._turned = turned
        self._random = random
        self._walls = room.walls
        self._kept_free: list[Solid] = []
        nw, nd = room.notch
        if nw:
            half = (nw / 2, nd / 2, room.height / 2)
            x, y = room.width - half[0], room.depth - half[1]
            self._kept_free.append(Solid(x, y, half[2], *half, 1.0, 0.0))

    def put(self, category: Category, instances: int) -> int:
        """Place up to so many instances, all of one size; gives how many found a place."""
        choices = [
            variant
            for variant in category.variants
            if not variant.others or any(name in variant.others for name, _ in self.placed)
        ]
        found = 0
        while choices and not found:
            variant = choices.pop(int(self._random.random() * len(choices)))
            size = tuple(
                self._within(r) / 2 for r in (variant.width, variant.depth, variant.height)
            )
            found = sum(self._place(category.name, variant, *size) for _ in range(instances))
        return found

    def _place(self, name: str, variant: Variant, hw: float, hd: float, hh: float) -> bool:
        for _ in range(_ATTEMPTS):
            solid = self._propose(variant, hw, hd, hh)
            if solid is None or not self._inside(solid):
                continue
            if any(overlapping(solid, other) for other in self._kept_free):
                continue
            if any(overlapping(solid, other) for _, other in self.placed):
                continue
            self.placed.append((name, solid))
            if name == "door":
                self._kept_free.append(self._doorway(solid))
            return True
        return False

    def _propose(self, variant: Variant, hw: float, hd: float, hh: float) -> Solid | None:
        match variant.place:
            case "wall":
                return self._along_wall(hw, hd, hh, hh + GAP)
            case "hung":
                return self._along_wall(hw, hd, hh, self._within(variant.bottom) + hh + GAP)
            case "free":
                return self._free(hw, hd, hh, hh + GAP)
            case "ceiling":
                return self._free(hw, hd, hh, self.room.height - hh - GAP)
            case "beside":
                return self._beside(variant.others, hw, hd, hh)
            case "top":
                return self._on_top(variant.others, hw, hd, hh)

    def _along_wall(self, hw: float, hd: float, hh: float, z: float) -> Solid | None:
        x, y, along_x, along_y, length = self._pick(self._walls)
        room = length / 2 - hw - GAP
        if room < 0:
            return None
        t = length / 2 + room * self._signed()
        away = hd + 2 * GAP
        # The depth points into the room, to the left of the wall's direction.
        x, y = x + along_x * t - along_y * away, y + along_y * t + along_x * away
        return Solid(x, y, z, hw, hd, hh, along_x, along_y)

    def _free(self, hw: float, hd: float, hh: float, z: float) -> Solid:
        cos, sin = self._any_yaw() if self._random.random() < self._turned else self._square_yaw()
        x, y = self._random.random() * self.room.width, self._random.random() * self.room.depth
        return Solid(x, y, z, hw, hd, hh, cos, sin)

    def _beside(self, others: Sequence[str], hw: float, hd: float, hh: float) -> Solid:
        other = self._pick([solid for name, solid in self.placed if name in others])
        # One of the four sides of the other, looking at it: (cos, sin) is that side's direction.
        c, s = other.cos, other.sin
        side = int(self._random.random() * 4)
        cos, sin = ((c, s), (-s, c), (-c, -s), (s, -c))[side]
        out, along = other.half_width, other.half_depth
        if side % 2:
            out, along = along, out
        out += hd + 2 * GAP + 0.15 * self._random.random()
        t = along * self._signed()
        x, y = other.x + cos * out - sin * t, other.y + sin * out + cos * t
        return Solid(x, y, hh + GAP, hw, hd, hh, -sin, cos)

    def _on_top(self, others: Sequence[str], hw: float, hd: float, hh: float) -> Solid | None:
        other = self._pick([solid for name, solid in self.placed if name in others])
        room_w, room_d = other.half_width - hw, other.half_depth - hd
        if room_w < 0 or room_d < 0:
            return None
        u, v = room_w * self._signed(), room_d * self._signed()
        x = other.x + u * other.cos - v * other.sin
        y = other.y + u * other.sin + v * other.cos
        z = other.z + other.half_height + hh + GAP
        return Solid(x, y, z, hw, hd, hh, other.cos, other.sin)

    def _inside(self, solid: Solid) -> bool:
        reach_x = solid.half_width * abs(solid.cos) + solid.half_depth * abs(solid.sin) + GAP
        reach_y = solid.half_width * abs(solid.sin) + solid.half_depth * abs(solid.cos) + GAP
        return (
            reach_x <= solid.x <= self.room.width - reach_x
            and reach_y <= solid.y <= self.room.depth - reach_y
            and solid.z + solid.half_height <= self.room.height
        )

    @staticmethod
    def _doorway(door: Solid) -> Solid:
        away = door.half_depth + _DOORWAY / 2
        x, y = door.x - door.sin * away, door.y + door.cos * away
        half = (door.half_width, _DOORWAY / 2, door.half_height)
        return Solid(x, y, door.z, *half, door.cos, door.sin)

    def _within(self, between: Range) -> float:
        low, high = between
        return low + (high - low) * self._random.random()

    def _signed(self) -> float:
        return 2 * self._random.random() - 1

    def _pick(self, among: Sequence[T]) -> T:
        return among[int(self._random.random() * len(among))]

    def _any_yaw(self) -> tuple[float, float]:
        yaw = 2 * math.pi * self._random.random()
        return math.cos(yaw), math.sin(yaw)

    def _square_yaw(self) -> tuple[float, float]:
        return self._pick(((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0)))
