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
        exclude: categories that are never asked about, by their names after `rename`.
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
        names = self._names({*scene.counts, *(thing.category for thing in scene.objects)})
        counts: dict[str, int] = {}
        for name, count in scene.counts.items():
            if name in names:
                counts[names[name]] = counts.get(names[name], 0) + count
        objects = tuple(
            replace(thing, category=names[thing.category])
            for thing in scene.objects
            if thing.category in names
        )
        return replace(scene, objects=objects, counts=counts)

    def _names(self, there: set[str]) -> dict[str, str]:
        """Category -> the one it becomes, for those that are asked about."""
        names = {name: self.rename.get(name, name) for name in there}
        renamed = set(names.values())
        found: dict[str, str] = {}
        for name, to in names.items():
            one = to
            if self.merge_plurals:
                # `desks` goes where `desk` goes, though no desk is left after `desk: table`.
                if name not in self.rename:
                    one = names[_singular(name, there)]
                one = _singular(one, renamed)
            if not self.exclude & {to, one}:
                found[name] = one
        return found


def _singular(name: str, there: set[str]) -> str:
    if not name.endswith("s") or name.endswith(_SINGULAR_ENDINGS):
        return name
    for plural, singular in (("s", ""), ("es", ""), ("ies", "y")):
        one = name.removesuffix(plural) + singular
        if name.endswith(plural) and one in there:
            return one
    return name
