"""Recipes: from YAML files and `--set` to validated runs.

Defaults < parent < file < `harness.local.yaml` < matrix cell < `--set`. Maps merge, everything else
replaces, `null` removes.
"""

from __future__ import annotations

from harness.recipe.alone import component_alone
from harness.recipe.json_schema import recipe_schema
from harness.recipe.resolve import (
    ResolvedCell,
    ResolvedRecipe,
    dump_recipe,
    load_recipe,
    recipe_hash,
)
from harness.recipe.sources import find_recipe, packaged_recipes
from harness.recipe.validate import Part

__all__ = [
    "Part",
    "ResolvedCell",
    "ResolvedRecipe",
    "component_alone",
    "dump_recipe",
    "find_recipe",
    "load_recipe",
    "packaged_recipes",
    "recipe_hash",
    "recipe_schema",
]
