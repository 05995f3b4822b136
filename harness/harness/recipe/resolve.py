"""From a recipe's name and `--set` options to validated runs.

Layers: defaults < preset of questions < parents < file < `harness.local.yaml` < matrix cell <
`--set`; any of them may name the preset. An axis that a `--set` decides is dropped from the matrix.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from harness.catalogue import Catalogue
from harness.errors import UsageError
from harness.recipe.document import document_of, recipe_hash
from harness.recipe.layers import read_layers
from harness.recipe.matrix import Cell, cells
from harness.recipe.problem import Problem, error_of
from harness.recipe.sources import find_recipe
from harness.recipe.validate import Checked, Part, check
from harness.schema import Recipe
from harness.strict_yaml import Scalar, dump
from harness.terminal import one_line


@dataclass(frozen=True)
class ResolvedCell:
    """One run.

    Args:
        name: `beta=0.0-seed=1` in a matrix, else the recipe's name.
        recipe: the recipe without its matrix, and with its preset's questions in place of the name.
        parts: its components by path in the recipe.
        axes: its values on the matrix's axes. document: the recipe as plain values, with defaults.
        hash: sha256 (64 hex digits) of everything in the document that affects results.
        preset: the preset that its questions started from.
    """

    name: str
    recipe: Recipe
    parts: Mapping[str, Part]
    axes: Mapping[str, Scalar]
    document: dict[str, Any]
    hash: str
    preset: str | None = None


@dataclass(frozen=True)
class ResolvedRecipe:
    """A recipe's runs.

    Args:
        name: the recipe's name. path: its file.
        files: all files read: presets, parents, the recipe, the machine's settings.
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
    layers = read_layers(find_recipe(path_or_name), overrides, local=local)
    found: list[tuple[Cell, str | None, Checked[Recipe]]] = []
    problems: list[Problem] = []
    for cell in cells(layers.axes):
        merged = layers.merged(cell)
        checked = check(Recipe, merged.tree, merged.idle, catalogue)
        if isinstance(checked, Checked):
            found.append((cell, merged.preset, checked))
        else:
            problems += checked
    if problems:
        raise error_of(problems)
    resolved = tuple(_resolved(*one) for one in found)
    _refuse_twins(resolved)
    return ResolvedRecipe(
        name=resolved[0].recipe.name,
        path=layers.path,
        files=(*layers.presets, *layers.files),
        matrix={".".join(a.path): tuple(node.plain() for node in a.values) for a in layers.axes},
        cells=resolved,
    )


def dump_recipe(cell: ResolvedCell) -> str:
    """The resolved recipe as YAML; loading it gives the same hash.

    It holds the questions themselves, so a preset's name is only a comment.
    """
    if cell.preset is None:
        return dump(cell.document)
    return f"# questions from the preset {one_line(cell.preset)}\n{dump(cell.document)}"


def _resolved(cell: Cell, preset: str | None, checked: Checked[Recipe]) -> ResolvedCell:
    document = document_of(checked.model, checked.parts)
    axes = {".".join(path): node.plain() for path, node in cell.values.items()}
    return ResolvedCell(
        name=cell.name or checked.model.name,
        recipe=checked.model,
        parts=checked.parts,
        axes=axes,
        document=document,
        hash=recipe_hash(document),
        preset=preset,
    )


def _refuse_twins(found: Sequence[ResolvedCell]) -> None:
    seen: dict[str, str] = {}
    for cell in found:
        if (twin := seen.setdefault(cell.hash, cell.name)) != cell.name:
            raise UsageError(f"matrix: the runs {twin!r} and {cell.name!r} are the same run")
