"""Rooms furnished at random from real sizes: scenes without any download.

Scene i of seed s depends on i, s and the settings of the rooms, not on the other scenes.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from random import Random
from typing import ClassVar

from harness.errors import SceneError, UsageError
from harness.geometry import polygon_area
from harness.scene import Box, Scene, SceneObject
from harness.suggest import suggestion
from harness_plugins.scenes.furniture import Category, furniture, room_kinds
from harness_plugins.scenes.layout import Layout, Room, Solid
from harness_plugins.scenes.settings import ProceduralSettings

_LAYOUTS = 30
_STAGES = ("hung", "wall", "free", "beside", "top", "ceiling")


def build(settings: ProceduralSettings) -> Procedural:
    """The source.

    Raises:
        UsageError: `categories` names some that are not in the furniture file.
    """
    unknown = sorted(set(settings.categories or ()) - furniture().keys())
    if unknown:
        raise UsageError(
            "procedural: categories: "
            + "; ".join(
                f"{name!r} is not in the furniture file, {suggestion(name, furniture())}"
                for name in unknown
            )
        )
    return Procedural(settings)


@dataclass(frozen=True)
class Procedural:
    """A scene source that makes its scenes."""

    settings: ProceduralSettings
    drawn: ClassVar[bool] = True

    def scene_ids(self) -> Sequence[str]:
        """`procedural_000123_s0`: number and seed."""
        return [self._id(number) for number in range(self.settings.scenes)]

    def load(self, scene_id: str) -> Scene:
        """One scene, the same whenever it is asked for.

        Raises:
            SceneError: the id is not of this source, or the settings leave no room for
                `min_objects`.
        """
        number = scene_id.removeprefix("procedural_").partition("_s")[0]
        known = number.isdecimal() and int(number) < self.settings.scenes
        if not known or scene_id != self._id(int(number)):
            raise SceneError(
                f"procedural: no scene {scene_id!r}; there are {self.settings.scenes} of seed "
                f"{self.settings.seed}, from {self._id(0)} on"
            )
        for attempt in range(_LAYOUTS):
            random = Random(f"{scene_id}/{attempt}")
            layout = self._furnish(random)
            if len(layout.placed) >= self.settings.min_objects:
                return _scene(scene_id, layout)
        raise SceneError(
            f"procedural: {scene_id}: no layout in {_LAYOUTS} holds min_objects = "
            f"{self.settings.min_objects}: lower it, or raise max_side or the number of categories"
        )

    def write_release(self, folder: Path, progress: Callable[[int, int], object]) -> None:
        """Write the scenes as a raw ScanNet release: `scans/scene9000_00` and on, as meshes,
        annotations and recordings. Scans that are there already are kept.

        Raises:
            UsageError: there are more than 1,000 scenes.
        """
        from harness_plugins.scenes.release.scannet import write_scannet

        write_scannet(self.scene_ids(), self.load, folder, progress)

    def _id(self, number: int) -> str:
        return f"procedural_{number:06d}_s{self.settings.seed}"

    def _furnish(self, random: Random) -> Layout:
        rules = self.settings
        room = self._room(random)
        layout = Layout(room, rules.turned, random)
        wanted = _between(random, rules.min_objects, rules.max_objects)
        kind = room_kinds()[int(random.random() * len(room_kinds()))]
        queue = self._shuffled(kind, random)
        # Rounds: what found no place is made up for by categories that were not drawn yet.
        while queue and len(layout.placed) < wanted:
            drawn: list[tuple[Category, int]] = []
            planned = len(layout.placed)
            while queue and planned < wanted:
                category = queue.pop()
                instances = self._instances(category, random, wanted - planned)
                drawn.append((category, instances))
                planned += instances
            for category, instances in sorted(drawn, key=_stage):
                layout.put(category, instances)
        return layout

    def _room(self, random: Random) -> Room:
        rules = self.settings
        width = _uniform(random, rules.min_side, rules.max_side)
        depth = _uniform(random, rules.min_side, rules.max_side)
        height = _uniform(random, rules.min_height, rules.max_height)
        notch = (0.0, 0.0)
        if random.random() < rules.l_shaped:
            notch = (width * _uniform(random, 0.25, 0.5), depth * _uniform(random, 0.25, 0.5))
        return Room(width, depth, height, notch)

    def _shuffled(self, kind: str, random: Random) -> list[Category]:
        """Categories of such a room; the last comes first, heavier ones sooner, openings at once."""
        keyed = [
            (random.random() ** (1 / category.weight) if category.weight else 2.0, category)
            for category in self._categories
            if kind in category.rooms
        ]
        return [category for _, category in sorted(keyed, key=_first)]

    @cached_property
    def _categories(self) -> tuple[Category, ...]:
        names = self.settings.categories
        return tuple(c for c in furniture().values() if names is None or c.name in names)

    def _instances(self, category: Category, random: Random, at_most: int) -> int:
        if category.most == 1 or random.random() >= self.settings.repeated:
            return 1
        return min(_between(random, 2, category.most), at_most)


def _scene(scene_id: str, layout: Layout) -> Scene:
    counts = Counter(name for name, _ in layout.placed)
    objects, seen = [], Counter[str]()
    for name, solid in layout.placed:
        objects.append(SceneObject(f"{name.replace(' ', '_')}_{seen[name]}", name, _box(solid)))
        seen[name] += 1
    room = layout.room
    return Scene(
        id=scene_id,
        dataset="procedural",
        objects=tuple(objects),
        room_area=polygon_area(room.outline),
        room_centre=(room.width / 2, room.depth / 2, room.height / 2),
        counts=counts,
        floor=room.outline,
        height=room.height,
    )


def _box(solid: Solid) -> Box:
    return Box.upright(
        (solid.x, solid.y, solid.z),
        (2 * solid.half_width, 2 * solid.half_depth, 2 * solid.half_height),
        math.atan2(solid.sin, solid.cos),
    )


def _stage(drawn: tuple[Category, int]) -> tuple[int, float]:
    """What may stand on or beside others comes last, and small things after large ones."""
    variants = drawn[0].variants
    volume = max(v.width[1] * v.depth[1] * v.height[1] for v in variants)
    return max(_STAGES.index(variant.place) for variant in variants), -volume


def _first(keyed: tuple[float, Category]) -> float:
    return keyed[0]


def _uniform(random: Random, low: float, high: float) -> float:
    return low + (high - low) * random.random()


def _between(random: Random, low: int, high: int) -> int:
    return low + int(random.random() * (high - low + 1))
