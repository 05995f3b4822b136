"""The sections of a recipe that name a plugin's component."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.component import Kind
from harness.recipe.merge import at
from harness.recipe.problem import Path
from harness.schema import FamilyRef, NamedRef, PluginRef, RewardRef
from harness.strict_yaml import Node

ANY = "*"


@dataclass(frozen=True)
class Slot:
    """A place where components of a kind go; `*` in its path stands for any key."""

    kind: Kind
    path: Path
    ref: type[PluginRef]


SLOTS = (
    Slot("scenes", ("scenes", "train"), PluginRef),
    Slot("scenes", ("scenes", "evaluate"), PluginRef),
    Slot("questions", ("questions", "families", ANY), FamilyRef),
    Slot("backbones", ("backbone",), PluginRef),
    Slot("rewards", ("train", ANY, "rewards", ANY), RewardRef),
    Slot("tasks", ("evaluate", "tasks", ANY), NamedRef),
)


@dataclass(frozen=True)
class Section:
    """One section of one recipe."""

    slot: Slot
    path: Path
    node: Node

    @property
    def name(self) -> str | None:
        """The component's name, or None if the section does not give one as text."""
        use = at(self.node, ("use",))
        name = "" if use is None else use.value
        if name == "" and issubclass(self.slot.ref, NamedRef):
            return self.path[-1]
        return name if isinstance(name, str) and name else None

    @property
    def settings(self) -> Node:
        """What belongs to the component."""
        assert isinstance(self.node.value, dict)
        own = self.slot.ref.model_fields
        inner = {key: node for key, node in self.node.value.items() if key not in own}
        return Node(inner, self.node.where)


def sections(tree: Node) -> Iterator[Section]:
    """Every section of a recipe that is a map, in the order of `SLOTS`."""
    for slot in SLOTS:
        for path, node in _matching(tree, slot.path, ()):
            if isinstance(node.value, dict):
                yield Section(slot, path, node)


def _matching(node: Node, pattern: Path, path: Path) -> Iterator[tuple[Path, Node]]:
    if not pattern:
        yield path, node
    elif isinstance(node.value, dict):
        keys = (
            node.value if pattern[0] == ANY else [key for key in pattern[:1] if key in node.value]
        )
        for key in keys:
            yield from _matching(node.value[key], pattern[1:], (*path, key))
