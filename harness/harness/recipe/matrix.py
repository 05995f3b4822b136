"""The cells of an ablation: every combination of the matrix's values, each with a name."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, product

from harness.recipe.merge import at
from harness.recipe.problem import Path, Problem
from harness.schema import Recipe
from harness.strict_yaml import Node
from harness.suggest import suggestion

MOST_CELLS = 1000
_LONGEST_NAME = 120  # as of a recipe; folders have room for 255 bytes
_NOT_IN_FOLDERS = re.compile(r"[^A-Za-z0-9.+_-]+")
_NO_AXES = ("name", "description", "matrix", "extends")


@dataclass(frozen=True)
class Axis:
    """A path in the recipe and the values it takes."""

    path: Path
    values: tuple[Node, ...]

    def overridden_by(self, leaves: Iterable[Path]) -> bool:
        """Whether a layer above the cells decides this path, so that the axis has no say."""
        return any(
            self.path[: len(leaf)] == leaf or leaf[: len(self.path)] == self.path for leaf in leaves
        )


@dataclass(frozen=True)
class Cell:
    """One run: its name, and its value on every axis."""

    name: str
    values: Mapping[Path, Node]


def read_axes(tree: Node, problems: list[Problem]) -> tuple[Axis, ...]:
    """The axes under `matrix`, in the order written; their faults go to `problems`."""
    matrix = at(tree, ("matrix",))
    if matrix is None:
        return ()
    if not isinstance(matrix.value, dict):
        problems.append(
            Problem(matrix.where, ("matrix",), "expected a map: path -> list of values")
        )
        return ()
    axes: list[Axis] = []
    for text, node in matrix.value.items():
        path = tuple(text.split("."))
        if (fault := _axis_fault(path, node)) is not None:
            problems.append(Problem(node.where, ("matrix", text), fault))
        elif isinstance(node.value, list):
            axes.append(Axis(path, tuple(node.value)))
    return tuple(axes)


def _axis_fault(path: Path, node: Node) -> str | None:
    if path[0] in _NO_AXES:
        return "cannot be an axis"
    if path[0] not in Recipe.model_fields:
        return f"is no path of a recipe; {suggestion(path[0], Recipe.model_fields)}"
    if not isinstance(node.value, list) or not node.value:
        return "expected a list of at least one value"
    if any(isinstance(value.value, dict | list) for value in node.value):
        return "the values of an axis are text, numbers, true, false or null"
    written = [json.dumps(value.value) for value in node.value]
    if twice := sorted({one for one in written if written.count(one) > 1}):
        return f"has a value twice: {', '.join(twice)}"
    return None


def cells(axes: Sequence[Axis]) -> Iterator[Cell]:
    """Every combination, the last axis fastest; without axes one cell without a name."""
    labels = _labels([axis.path for axis in axes])
    texts = [_value_texts(axis) for axis in axes]
    taken: set[str] = set()
    for choice in product(*(range(len(axis.values)) for axis in axes)):
        parts = [f"{labels[a]}={texts[a][c]}" for a, c in enumerate(choice)]
        name = _unique("-".join(parts)[:_LONGEST_NAME], taken)
        yield Cell(name, {axes[a].path: axes[a].values[c] for a, c in enumerate(choice)})


def number_of_cells(axes: Sequence[Axis]) -> int:
    """How many runs the axes make (1 without axes)."""
    return math.prod(len(axis.values) for axis in axes)


def _labels(paths: Sequence[Path]) -> list[str]:
    """The last key of each path, with as many before it as tell it from the others."""
    for length in count(1):
        labels = [_NOT_IN_FOLDERS.sub("_", ".".join(path[-length:])) for path in paths]
        if len(set(labels)) == len(labels) or length > max(map(len, paths)):
            return labels
    raise AssertionError


def _value_texts(axis: Axis) -> list[str]:
    taken: set[str] = set()
    return [_unique(_text(node.value), taken) for node in axis.values]


def _text(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return _NOT_IN_FOLDERS.sub("_", text)[:40] or "_"


def _unique(text: str, taken: set[str]) -> str:
    candidates = (text if n == 1 else f"{text}_{n}" for n in count(1))
    unique = next(candidate for candidate in candidates if candidate not in taken)
    taken.add(unique)
    return unique
