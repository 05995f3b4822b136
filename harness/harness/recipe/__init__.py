"""Recipes: from YAML files and `--set` to validated runs.

Defaults < preset of questions < parent < file < `harness.local.yaml` < matrix cell < `--set`. Maps
merge, everything else replaces, `null` removes.
"""

from __future__ import annotations

from harness.recipe.alone import component_alone
from harness.recipe.document import recipe_hash
from harness.recipe.json_schema import recipe_schema
from harness.recipe.presets import Preset, load_preset
from harness.recipe.resolve import (
    ResolvedCell,
    ResolvedRecipe,
    dump_recipe,
    load_recipe,
)
from harness.recipe.sources import find_recipe, packaged_preset_names, packaged_recipes
from harness.recipe.validate import Part

__all__ = [
    "Part",
    "Preset",
    "ResolvedCell",
    "ResolvedRecipe",
    "component_alone",
    "dump_recipe",
    "find_recipe",
    "load_preset",
    "load_recipe",
    "packaged_preset_names",
    "packaged_recipes",
    "recipe_hash",
    "recipe_schema",
]
