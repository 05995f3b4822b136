"""How one layer of a recipe goes over another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from harness.errors import UsageError
from harness.recipe.problem import Path
from harness.strict_yaml import Node, Where, parse_value

SET = "--set"
EXAMPLE = "train.grpo.beta=0.01"


@dataclass(frozen=True)
class Removal:
    """A `null` that found nothing to remove: a field's default asked for, or a slip of the pen."""

    path: Path
    where: Where


def merge(base: Node, over: Node, idle: list[Removal], path: Path = ()) -> Node:
    """`over` over `base`: maps merge, everything else replaces, `null` removes.

    Where `over` names another component (`use`), the settings below are marked as those of the
    component before; `check` drops the ones that the new component does not know.

    Args:
        base: the lower layer. over: the upper one. path: where both stand.
        idle: takes every `null` that removed nothing.
    """
    if not isinstance(over.value, dict):
        return over
    below = base.value if isinstance(base.value, dict) else {}
    merged = _of_another(below) if _names_another(below, over.value) else dict(below)
    for key, node in over.value.items():
        if node.value is None:
            if merged.pop(key, None) is None:
                idle.append(Removal((*path, key), node.where))
        else:
            lower = below.get(key, Node({}, node.where))
            merged[key] = merge(lower, node, idle, (*path, key))
    return Node(merged, base.where if isinstance(base.value, dict) else over.where)


def merged(layers: Sequence[Node], where: Where, idle: list[Removal]) -> Node:
    """Layers as one, later ones over earlier ones; `where` is the place of the whole."""
    tree = Node({}, where)
    for layer in layers:
        tree = merge(tree, layer, idle)
    return tree


def _names_another(below: dict[str, Node], over: dict[str, Node]) -> bool:
    return "use" in below and "use" in over and below["use"].value != over["use"].value


def _of_another(settings: dict[str, Node]) -> dict[str, Node]:
    return {
        # what the same command line sets is meant for the component it names
        key: node if node.where.on_command_line else replace(node, of_another=True)
        for key, node in settings.items()
    }


def nested(path: Sequence[str], node: Node) -> Node:
    """A layer that holds one value at a path."""
    for key in reversed(path):
        node = Node({key: node}, node.where)
    return node


def at(tree: Node, path: Sequence[str | int]) -> Node | None:
    """The value at a path of keys and positions, or None."""
    found: Node | None = tree
    for key in path:
        value = None if found is None else found.value
        if isinstance(value, dict):
            found = value.get(str(key))
        elif isinstance(value, list) and str(key).isdecimal() and int(key) < len(value):
            found = value[int(key)]
        else:
            return None
    return found


def leaves(node: Node, path: Path = ()) -> Iterator[Path]:
    """The paths a layer sets or removes."""
    if not isinstance(node.value, dict):
        yield path
        return
    for key, inner in node.value.items():
        yield from leaves(inner, (*path, key))


def split_path(text: str) -> Path:
    """`a.b.c` as keys; the keys of `matrix` are paths themselves and stay whole."""
    first, dot, rest = text.partition(".")
    return (first, rest) if first == "matrix" and dot else tuple(text.split("."))


def override(text: str, *, option: str = SET, example: str = EXAMPLE) -> Node:
    """The layer of one `--set path=value`.

    Args:
        option: what the command line calls it. example: shown where there is no path or value.

    Raises:
        UsageError: no path, no `=`, a value outside the YAML subset, or a key that only files have.
    """
    name, equals, value = text.partition("=")
    path = split_path(name)
    if not equals or not all(path) or name != "".join(name.split()):
        raise UsageError(f"{option} {text}: expected path=value, such as {example}")
    if path[0] == "extends":
        raise UsageError(
            f"{option} extends: only a file can extend another; name that file instead"
        )
    return nested(path, parse_value(value, f"{option} {name}"))
