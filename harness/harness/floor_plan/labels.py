"""Where labels go: near what they name, and on top of no other label."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

Bounds = tuple[float, float, float, float]
"""Left, top, right, bottom, in pixels."""

_GAP = 2.0
# Tried around the middle of the box: so many directions at each of these distances.
_DIRECTIONS = 16
_DISTANCES = (0, 14, 24, 36, 50, 66, 84)


@dataclass(frozen=True)
class Wanted:
    """A label to be placed.

    Args:
        at: (x, y) of what it names.
        sizes: (width, height) of its wordings, the one liked best first.
    """

    at: tuple[float, float]
    sizes: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Placed:
    """Where a label goes, and which of its wordings."""

    wording: int
    bounds: Bounds
    away: bool

    @property
    def middle(self) -> tuple[float, float]:
        """(x, y) of its middle."""
        left, top, right, bottom = self.bounds
        return (left + right) / 2, (top + bottom) / 2


def place(wanted: Sequence[Wanted], inside: Bounds, taken: Sequence[Bounds]) -> list[Placed | None]:
    """A place for each label, in the order of importance; None where there is no room.

    Args:
        inside: where labels may be.
        taken: where none may be.
    """
    full = list(taken)
    places: list[Placed | None] = []
    for label in wanted:
        found = _first_free(label, inside, full)
        places.append(found)
        if found is not None:
            full.append(found.bounds)
    return places


def _first_free(label: Wanted, inside: Bounds, full: Sequence[Bounds]) -> Placed | None:
    # A long wording further away is worse than a short one in its place.
    for near in (_DISTANCES[:3], _DISTANCES):
        for wording, size in enumerate(label.sizes):
            for distance in near:
                for x, y in _around(label.at, distance, size):
                    bounds = (
                        x - size[0] / 2, y - size[1] / 2, x + size[0] / 2, y + size[1] / 2
                    )  # fmt: skip
                    if _within(bounds, inside) and not any(_meet(bounds, one) for one in full):
                        return Placed(wording, bounds, away=distance > _DISTANCES[2])
    return None


def _around(
    at: tuple[float, float], distance: float, size: tuple[float, float]
) -> list[tuple[float, float]]:
    if not distance:
        return [at]
    # Labels are wider than high: sideways they go further.
    sideways = distance + size[0] / 2 - size[1] / 2
    angles = [2 * math.pi * k / _DIRECTIONS for k in range(_DIRECTIONS)]
    return [(at[0] + sideways * math.cos(a), at[1] + distance * math.sin(a)) for a in angles]


def _within(inner: Bounds, outer: Bounds) -> bool:
    return (
        inner[0] >= outer[0]
        and inner[1] >= outer[1]
        and inner[2] <= outer[2]
        and inner[3] <= outer[3]
    )


def _meet(a: Bounds, b: Bounds) -> bool:
    return a[0] < b[2] + _GAP and b[0] < a[2] + _GAP and a[1] < b[3] + _GAP and b[1] < a[3] + _GAP
