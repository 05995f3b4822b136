"""Categories as questions use them: some never asked about, some merged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from harness.scene import Scene

# Words that end in s and name one thing.
_SINGULAR_ENDINGS = ("ss", "us", "is")


@dataclass(frozen=True)
class Categories:
    """What is done to a scene's categories before questions are asked.

    Args:
        exclude: categories that are never asked about.
        rename: category -> the one it is merged into.
        merge_plurals: `chairs` goes to `chair` where a scene has both.
    """

    exclude: frozenset[str] = frozenset()
    rename: Mapping[str, str] = field(default_factory=dict)
    merge_plurals: bool = False

    def applied(self, scene: Scene) -> Scene:
        """The scene with its categories so; counts of merged categories are summed."""
        if not (self.exclude or self.rename or self.merge_plurals):
            return scene
        names = {name: self.rename.get(name, name) for name in scene.counts}
        names |= {o.category: self.rename.get(o.category, o.category) for o in scene.objects}
        if self.merge_plurals:
            there = set(names.values())
            names = {name: _singular(to, there) for name, to in names.items()}
        counts: dict[str, int] = {}
        for name, count in scene.counts.items():
            if names[name] not in self.exclude:
                counts[names[name]] = counts.get(names[name], 0) + count
        objects = tuple(
            replace(thing, category=names[thing.category])
            for thing in scene.objects
            if names[thing.category] not in self.exclude
        )
        return replace(scene, objects=objects, counts=counts)


def _singular(name: str, there: set[str]) -> str:
    if not name.endswith("s") or name.endswith(_SINGULAR_ENDINGS):
        return name
    for singular in (name[:-1], name.removesuffix("es"), name.removesuffix("ies") + "y"):
        if singular != name and singular in there:
            return singular
    return name
