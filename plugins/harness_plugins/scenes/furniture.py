"""The furniture file: categories, how large they are and where they stand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal

Range = tuple[float, float]
Place = Literal["wall", "free", "beside", "hung", "top", "ceiling"]


@dataclass(frozen=True)
class Variant:
    """One way a category looks.

    Args:
        width, depth, height: lowest and highest, metres; the depth points away from a wall.
        place: on the floor along a `wall`, `free` on the floor or `beside` other furniture,
            `hung` on a wall, on `top` of other furniture, or under the `ceiling`.
        others: categories it stands beside or on top of.
        bottom: height of a hung thing's lower edge, metres.
    """

    width: Range
    depth: Range
    height: Range
    place: Place
    others: tuple[str, ...]
    bottom: Range


@dataclass(frozen=True)
class Category:
    """A kind of furniture.

    Args:
        rooms: kinds of rooms it is found in.
        weight: how readily it is chosen; 0 for doors and windows, which every room has.
        most: most instances in a room.
    """

    name: str
    rooms: frozenset[str]
    weight: float
    most: int
    variants: tuple[Variant, ...]


@cache
def furniture() -> Mapping[str, Category]:
    """All categories by name; sizes follow the ProcTHOR asset database (see NOTICE)."""
    text = files("harness_plugins.scenes").joinpath("furniture.json").read_text(encoding="utf-8")
    return MappingProxyType(
        {name: _category(name, entry) for name, entry in json.loads(text)["categories"].items()}
    )


@cache
def room_kinds() -> tuple[str, ...]:
    """Kinds of rooms the file knows, in alphabetical order."""
    return tuple(sorted(set().union(*(category.rooms for category in furniture().values()))))


def _category(name: str, entry: Mapping[str, Any]) -> Category:
    variants = tuple(
        Variant(
            width=_range(variant["width"]),
            depth=_range(variant["depth"]),
            height=_range(variant["height"]),
            place=variant["place"],
            others=tuple(variant.get("near", variant.get("on", ()))),
            bottom=_range(variant.get("bottom", (0.0, 0.0))),
        )
        for variant in entry["variants"]
    )
    return Category(name, frozenset(entry["rooms"]), entry["weight"], entry["most"], variants)


def _range(values: tuple[float, float] | list[float]) -> Range:
    low, high = values
    return (low, high)
