"""The layers of a recipe: preset < parents < file < the machine's settings < matrix cell < `--set`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path as FilePath

from harness.component import KINDS
from harness.errors import UsageError
from harness.recipe.matrix import MOST_CELLS, Axis, Cell, number_of_cells, read_axes
from harness.recipe.merge import EXAMPLE, SET, Removal, at, leaves, merge, merged, nested, override
from harness.recipe.preset_files import preset_file, preset_named, read_preset, without_name
from harness.recipe.problem import Path, Problem, error_of
from harness.recipe.sections import sections
from harness.recipe.sources import read_chain, read_local
from harness.strict_yaml import Node, Where
from harness.suggest import suggestion


@dataclass(frozen=True)
class Merged:
    """All layers of a cell, the nulls that removed nothing, and the preset at the bottom."""

    tree: Node
    idle: list[Removal]
    preset: str | None


@dataclass(frozen=True)
class Layers:
    """What a recipe is merged from; which preset lies below the rest, the rest says.

    Args:
        path: the recipe's file. where: its top. files: all files read.
        below: parents, file and the machine's settings, the lowest first. machine: its components.
        axes: of the matrix. sets: of the command line.
        presets: those that were named, by file, each with its nulls that removed nothing.
    """

    path: FilePath
    where: Where
    files: list[FilePath]
    below: list[Node]
    machine: Node
    axes: tuple[Axis, ...]
    sets: tuple[Node, ...]
    presets: dict[FilePath, tuple[Node, list[Removal]]] = field(default_factory=dict)

    def merged(self, cell: Cell) -> Merged:
        """All layers of a cell.

        Raises:
            UsageError: its preset is not there or unreadable.
        """
        above = [*(nested(path, value) for path, value in cell.values.items()), *self.sets]
        named = preset_named(self._over([*self.below, *above], []))
        preset, nulls = (None, []) if named is None else self._read(named)
        idle = list(nulls)
        base = self._over([*([] if preset is None else [preset]), *self.below], idle)
        # The machine's settings of a component apply wherever the final recipe uses it.
        for section in sections(self._over([base, *above], [])):
            settings = at(self.machine, (section.slot.kind, section.name or ""))
            if settings is not None:
                base = merge(base, nested(section.path, settings), [])
        tree = without_name(self._over([base, *above], idle))
        return Merged(tree, idle, None if named is None else str(named.value))

    def _over(self, layers: Sequence[Node], idle: list[Removal]) -> Node:
        """Later layers over earlier ones, without the matrix."""
        tree = merged(layers, self.where, idle)
        assert isinstance(tree.value, dict)
        kept = {key: node for key, node in tree.value.items() if key != "matrix"}
        return Node(kept, self.where)

    def _read(self, named: Node) -> tuple[Node, list[Removal]]:
        try:
            file = preset_file(named.value, named.where)
        except UsageError as error:
            problem = Problem(named.where, ("questions", "preset"), str(error))
            raise error_of([problem]) from error
        if file not in self.presets:
            nulls: list[Removal] = []
            self.presets[file] = read_preset(file, nulls), nulls
        return self.presets[file]


def read_layers(path: FilePath, overrides: Sequence[str], *, local: bool) -> Layers:
    """Read a recipe file, its parents and the machine's settings; presets are read where named.

    Raises:
        UsageError: a file or an override cannot be read, or the matrix is none.
    """
    below, files = read_chain(path)
    where = below[-1].where
    machine = Node({}, where)
    if local:
        own, local_files = read_local(path)
        for layer in own:
            machine = merge(machine, _taken_components(layer), [])
        below += own
        files += local_files
    sets = override_layers(overrides)
    below += [layer for layer in sets if at(layer, ("matrix",)) is not None]
    sets = [layer for layer in sets if at(layer, ("matrix",)) is None]
    axes = _axes(below, sets)
    return Layers(path, where, files, below, machine, axes, tuple(sets))


def _axes(below: Sequence[Node], sets: Sequence[Node]) -> tuple[Axis, ...]:
    """The axes that no `--set` decides."""
    tree = merged(below, below[0].where, [])
    problems: list[Problem] = []
    decided = [leaf for layer in sets for leaf in leaves(layer)]
    axes = tuple(axis for axis in read_axes(tree, problems) if not axis.overridden_by(decided))
    if number_of_cells(axes) > MOST_CELLS:
        matrix = at(tree, ("matrix",)) or tree
        message = f"makes {number_of_cells(axes)} runs; {MOST_CELLS} is the most"
        problems.append(Problem(matrix.where, ("matrix",), message))
    if problems:
        raise error_of(problems)
    return axes


def override_layers(
    texts: Sequence[str], *, option: str = SET, example: str = EXAMPLE
) -> list[Node]:
    """The layers of `path=value` options, or all of their faults at once."""
    layers: list[Node] = []
    problems: list[str] = []
    for text in texts:
        try:
            layers.append(override(text, option=option, example=example))
        except UsageError as error:
            problems.append(str(error))
    if problems:
        raise UsageError("\n".join(problems))
    return layers


def _taken_components(local: Node) -> Node:
    """Takes `components` (kind -> component -> settings) from what is shaped like a recipe."""
    assert isinstance(local.value, dict)
    components = local.value.pop("components", Node({}, local.where))
    problems: list[Problem] = []
    if not isinstance(components.value, dict):
        problems.append(Problem(components.where, ("components",), "expected a map of kinds"))
        raise error_of(problems)
    for kind, named in components.value.items():
        path: Path = ("components", kind)
        if kind not in KINDS:
            problems.append(Problem(named.where, path, f"is no kind; {suggestion(kind, KINDS)}"))
        elif not isinstance(named.value, dict):
            problems.append(Problem(named.where, path, "expected a map: component -> settings"))
        else:
            problems += [
                Problem(settings.where, (*path, name), "expected a map of settings")
                for name, settings in named.value.items()
                if not isinstance(settings.value, dict)
            ]
    if problems:
        raise error_of(problems)
    return components
