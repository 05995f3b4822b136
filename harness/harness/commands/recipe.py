"""`harness recipe`: the schema, and what a recipe resolves to."""

from __future__ import annotations

import json

import typer

from harness.plugins import load_catalogue
from harness.recipe import dump_recipe, load_recipe, recipe_schema
from harness.terminal import one_line


def print_schema() -> None:
    """Print the JSON Schema of recipe files."""
    typer.echo(json.dumps(recipe_schema(load_catalogue()), indent=1))


def show_recipe(recipe: str, overrides: list[str]) -> None:
    """Print every cell as YAML, each a document that loads to the same hash."""
    resolved = load_recipe(recipe, overrides, load_catalogue())
    for number, cell in enumerate(resolved.cells):
        if number:
            typer.echo("---")
        typer.echo(f"# {one_line(cell.name)}, hash {cell.hash}")
        typer.echo(dump_recipe(cell), nl=False)
