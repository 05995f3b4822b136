"""The command line. Bodies live in `harness.commands` and are imported when they run.

Read on in `harness.commands.run`, then `recipe`, `runs` and the stages.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from harness.errors import HarnessError

TRACEBACK = "HARNESS_TRACEBACK"  # set to 1, it shows where an error was raised

# No rich in help texts: it would take three times as long to show them.
app = typer.Typer(
    name="harness",
    help="Benchmark and training harness for visual-spatial reasoning in video language models.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
plugins_app = typer.Typer(rich_markup_mode=None, invoke_without_command=True)
recipe_app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)
app.add_typer(plugins_app, name="plugins", help="What a recipe can name.")
app.add_typer(recipe_app, name="recipe", help="Show recipes and their schema.")

RecipeArgument = Annotated[
    str, typer.Argument(metavar="RECIPE", help="A file, or the name of a packaged recipe.")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Change the recipe; may be repeated."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib import metadata

        typer.echo(f"vsi-harness {metadata.version('vsi-harness')}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None: ...


@app.command()
def run(
    recipe: RecipeArgument,
    overrides: SetOption = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Throw away what the run folder holds.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder of the run folders (default: runs).")
    ] = None,
) -> None:
    """Run a recipe, or resume it.

    Questions, training, scores, report; what is finished already is kept.
    """
    from harness.commands.run import run as body

    body(recipe, overrides or [], fresh=fresh, out=out)


@app.command()
def plan(recipe: RecipeArgument, overrides: SetOption = None) -> None:
    """Tell what a recipe would do and need.

    Nothing is run: counts, token numbers, memory, and what this machine lacks.
    """
    from harness.commands.plan import plan as body

    body(recipe, overrides or [])


@app.command()
def report(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Run folders.")],
) -> None:
    """Write reports again, and compare runs."""
    from harness.commands.report import report as body

    body(runs)


@app.command()
def doctor(as_json: JsonOption = False) -> None:
    """Check versions, GPU, video, disk, plugins."""
    from harness.commands.doctor import doctor as body

    body(as_json=as_json)


@plugins_app.callback()
def plugins(
    context: typer.Context,
    as_json: JsonOption = False,
    strict: Annotated[bool, typer.Option("--strict", help="Fail if any plugin is broken.")] = False,
) -> None:
    """List what is installed that a recipe can name."""
    if context.invoked_subcommand is None:
        from harness.commands.plugins import list_plugins

        list_plugins(as_json=as_json, strict=strict)


@plugins_app.command("show")
def plugins_show(
    kind: Annotated[str, typer.Argument(help="scenes, questions, rewards, backbones or tasks.")],
    name: Annotated[str, typer.Argument(help="Name of the component.")],
) -> None:
    """Show a component's settings with their types, defaults and meaning."""
    from harness.commands.plugins import show_component

    show_component(kind, name)


@recipe_app.command("schema")
def recipe_schema() -> None:
    """Print the JSON Schema of recipe files, made from the installed plugins."""
    from harness.commands.recipe import print_schema

    print_schema()


@recipe_app.command("show")
def recipe_show(recipe: RecipeArgument, overrides: SetOption = None) -> None:
    """Print what a recipe resolves to, with all defaults, for every cell of its matrix."""
    from harness.commands.recipe import show_recipe

    show_recipe(recipe, overrides or [])


def main() -> None:
    """The `harness` command: 0 ok, 1 the run failed, 2 wrong recipe or command line, 3 broken plugin."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")  # file names need not be text
    try:
        try:
            app(prog_name="harness")
        finally:
            sys.stdout.flush()  # a full disk must show here, not while Python ends
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # `harness plugins | head`
        _discard_output()
        sys.exit(1)
    except Exception as error:
        from harness.failure import explain

        explained = explain(error)
        if explained is None or os.environ.get(TRACEBACK) == "1":
            raise
        _discard_output()
        typer.echo(f"error: {explained}", err=True)
        sys.exit(error.exit_code if isinstance(error, HarnessError) else 1)


def _discard_output() -> None:
    """What a full disk or a closed pipe did not take must not be tried again when Python ends."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
