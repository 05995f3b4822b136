"""From a recipe's name and `--set` options to validated runs.

Layers: defaults < parents < file < `harness.local.yaml` < matrix cell < `--set`. An axis that a
`--set` decides is dropped from the matrix.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from harness.catalogue import Catalogue, guard
from harness.component import KINDS
from harness.errors import UsageError
from harness.recipe.matrix import MOST_CELLS, Axis, Cell, cells, number_of_cells, read_axes
from harness.recipe.merge import Removal, at, leaves, merge, nested, override
from harness.recipe.problem import Path, Problem, error_of
from harness.recipe.sections import sections
from harness.recipe.sources import find_recipe, read_chain, read_local
from harness.recipe.validate import Checked, Part, check
from harness.schema import Recipe
from harness.strict_yaml import Node, Scalar, dump
from harness.suggest import suggestion

# What tells runs apart for the reader, but changes no result.
_NO_EFFECT = ("name", "description", "matrix")


@dataclass(frozen=True)
class ResolvedCell:
    """One run.

    Args:
        name: `beta=0.0-seed=1` in a matrix, else the recipe's name.
        recipe: the recipe without its matrix. parts: its components by path in the recipe.
        axes: its values on the matrix's axes. document: the recipe as plain values, with defaults.
        hash: sha256 (64 hex digits) of everything in the document that affects results.
    """

    name: str
    recipe: Recipe
    parts: Mapping[str, Part]
    axes: Mapping[str, Scalar]
    document: dict[str, Any]
    hash: str


@dataclass(frozen=True)
class ResolvedRecipe:
    """A recipe's runs.

    Args:
        name: the recipe's name. path: its file.
        files: all files read, parents first, the machine's settings last.
        matrix: the axes' values by path; empty for a single run.
        cells: the runs, the last axis fastest.
    """

    name: str
    path: FilePath
    files: tuple[FilePath, ...]
    matrix: Mapping[str, tuple[Scalar, ...]]
    cells: tuple[ResolvedCell, ...]


def load_recipe(
    path_or_name: str | FilePath,
    overrides: Sequence[str],
    catalogue: Catalogue,
    *,
    local: bool = True,
) -> ResolvedRecipe:
    """Read, merge and check a recipe.

    Args:
        path_or_name: a file (with suffix), or the name of a packaged recipe.
        overrides: `path=value` each, later ones win.
        catalogue: the installed plugins.
        local: take the machine's settings from `harness.local.yaml`.

    Raises:
        UsageError: anything wrong with the recipe, all of it at once.
        PluginError: the recipe needs what a broken plugin may have offered.
    """
    layers = _read_layers(find_recipe(path_or_name), overrides, local=local)
    found: list[tuple[Cell, Checked]] = []
    problems: list[Problem] = []
    for cell in cells(layers.axes):
        tree, idle = layers.merged(cell)
        checked = check(tree, idle, catalogue)
        if isinstance(checked, Checked):
            found.append((cell, checked))
        else:
            problems += checked
    if problems:
        raise error_of(problems)
    resolved = tuple(_resolved(cell, checked) for cell, checked in found)
    _refuse_twins(resolved)
    return ResolvedRecipe(
        name=resolved[0].recipe.name,
        path=layers.path,
        files=tuple(layers.files),
        matrix={".".join(a.path): tuple(node.plain() for node in a.values) for a in layers.axes},
        cells=resolved,
    )


def dump_recipe(cell: ResolvedCell) -> str:
    """The resolved recipe as YAML; loading it gives the same hash."""
    return dump(cell.document)


def recipe_hash(document: Mapping[str, Any]) -> str:
    """sha256 of a resolved document's canonical JSON, without its name and description.

    The order of keys has no effect, except of training stages, which run in it.
    """
    content = {key: value for key, value in document.items() if key not in _NO_EFFECT}
    content["train"] = list(content.get("train", {}).items())
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


@dataclass(frozen=True)
class _Layers:
    path: FilePath
    files: list[FilePath]
    base: Node
    machine: Node
    axes: tuple[Axis, ...]
    sets: tuple[Node, ...]
    idle: tuple[Removal, ...]

    def merged(self, cell: Cell) -> tuple[Node, list[Removal]]:
        """All layers of a cell, and the nulls that removed nothing."""
        first, _ = self._over(self.base, cell)
        base = self.base
        # The machine's settings of a component apply wherever the final recipe uses it.
        for section in sections(first):
            settings = at(self.machine, (section.slot.kind, section.name or ""))
            if settings is not None:
                base = merge(base, nested(section.path, settings), [])
        tree, idle = self._over(base, cell)
        return tree, [*self.idle, *idle]

    def _over(self, tree: Node, cell: Cell) -> tuple[Node, list[Removal]]:
        idle: list[Removal] = []
        for path, value in cell.values.items():
            tree = merge(tree, nested(path, value), idle)
        for layer in self.sets:
            tree = merge(tree, layer, idle)
        return tree, idle


def _read_layers(path: FilePath, overrides: Sequence[str], *, local: bool) -> _Layers:
    idle: list[Removal] = []
    base, files = read_chain(path, idle)
    machine = Node({}, base.where)
    if local:
        own, local_files = read_local(path, idle)
        machine, own = _split_machine(own)
        base = merge(base, own, idle)
        files += local_files
    sets = _overrides(overrides)
    for layer in sets:
        if at(layer, ("matrix",)) is not None:
            base = merge(base, layer, idle)
    sets = [layer for layer in sets if at(layer, ("matrix",)) is None]
    problems: list[Problem] = []
    decided = [leaf for layer in sets for leaf in leaves(layer)]
    axes = [axis for axis in read_axes(base, problems) if not axis.overridden_by(decided)]
    if number_of_cells(axes) > MOST_CELLS:
        matrix = at(base, ("matrix",)) or base
        message = f"makes {number_of_cells(axes)} runs; {MOST_CELLS} is the most"
        problems.append(Problem(matrix.where, ("matrix",), message))
    if problems:
        raise error_of(problems)
    assert isinstance(base.value, dict)
    base.value.pop("matrix", None)
    return _Layers(path, files, base, machine, tuple(axes), tuple(sets), tuple(idle))


def _overrides(texts: Sequence[str]) -> list[Node]:
    layers: list[Node] = []
    problems: list[str] = []
    for text in texts:
        try:
            layers.append(override(text))
        except UsageError as error:
            problems.append(str(error))
    if problems:
        raise UsageError("\n".join(problems))
    return layers


def _split_machine(local: Node) -> tuple[Node, Node]:
    """`components` (kind -> component -> settings) apart from what is shaped like a recipe."""
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
    return components, local


def _resolved(cell: Cell, checked: Checked) -> ResolvedCell:
    document = _document(checked)
    axes = {".".join(path): node.plain() for path, node in cell.values.items()}
    return ResolvedCell(
        name=cell.name or checked.recipe.name,
        recipe=checked.recipe,
        parts=checked.parts,
        axes=axes,
        document=document,
        hash=recipe_hash(document),
    )


def _document(checked: Checked) -> dict[str, Any]:
    document: dict[str, Any] = checked.recipe.model_dump(mode="json", exclude={"matrix"})
    for part in checked.parts.values():
        section = document
        for key in part.path.split("."):
            section = section[key]
        with guard(part.registered, "writing its settings"):
            settings = _without_nothing(part.settings.model_dump(mode="json", by_alias=True))
            json.dumps(settings, allow_nan=False)
        section |= {"use": part.registered.name, **settings}
    cleaned: dict[str, Any] = _without_nothing(document)
    return cleaned


def _without_nothing(value: Any) -> Any:
    """Drop what YAML cannot say: None and infinity are only ever defaults, and `null` removes."""
    if isinstance(value, dict):
        return {k: _without_nothing(v) for k, v in value.items() if not _is_nothing(v)}
    return [_without_nothing(v) for v in value] if isinstance(value, list) else value


def _is_nothing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and not math.isfinite(value))


def _refuse_twins(found: Sequence[ResolvedCell]) -> None:
    seen: dict[str, str] = {}
    for cell in found:
        if (twin := seen.setdefault(cell.hash, cell.name)) != cell.name:
            raise UsageError(f"matrix: the runs {twin!r} and {cell.name!r} are the same run")
