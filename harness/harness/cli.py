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
scenes_app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)
questions_app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)
app.add_typer(scenes_app, name="scenes", help="Import, list, show and write scenes.")
app.add_typer(questions_app, name="questions", help="Build, audit and describe question sets.")
app.add_typer(plugins_app, name="plugins", help="What a recipe can name.")
app.add_typer(recipe_app, name="recipe", help="Show recipes and their schema.")

RecipeArgument = Annotated[
    str, typer.Argument(metavar="RECIPE", help="A file, or the name of a packaged recipe.")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Change the recipe; may be repeated."),
]
SourceArgument = Annotated[str, typer.Argument(metavar="SOURCE", help="Name of a scene source.")]
SourceOption = Annotated[
    str, typer.Option("--source", metavar="NAME", help="Scene source with the scenes.")
]
SourceSetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Setting of the source; may be repeated."),
]
WithOption = Annotated[
    list[str] | None,
    typer.Option(
        "--with",
        metavar="PATH=VALUE",
        help="Change the preset, such as families.object_counting.min_count=1; may be repeated.",
    ),
]
PresetOption = Annotated[
    str, typer.Option("--preset", help="vsi_bench, vsi_100k, strict, or a YAML file.")
]
WorkersOption = Annotated[
    int | None,
    typer.Option("--workers", min=1, help="Processes (default: one for each processor)."),
]
RowsArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="Questions: .jsonl, .parquet, or a folder of them.")
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


@scenes_app.command("import")
def scenes_import(
    source: SourceArgument,
    out: Annotated[Path, typer.Option("--out", metavar="STORE", help="Folder of the store.")],
    settings: SourceSetOption = None,
    videos: Annotated[
        bool, typer.Option("--videos", help="Write each scene's footage as mp4 too.")
    ] = False,
    workers: WorkersOption = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Throw away what the store holds.")
    ] = False,
) -> None:
    """Read a release once into a compact store; the same command resumes it.

    A faulty scene is skipped and listed. The store is read with the source `store`.
    """
    from harness.commands.scenes_import import import_scenes as body

    body(source, settings or [], out, videos=videos, workers=workers, fresh=fresh)


@scenes_app.command("list")
def scenes_list(
    source: SourceArgument, settings: SourceSetOption = None, as_json: JsonOption = False
) -> None:
    """List scenes: data set, split, objects, room size, frames, video, faults."""
    from harness.commands.scenes_show import list_scenes as body

    body(source, settings or [], as_json=as_json)


@scenes_app.command("show")
def scenes_show(
    scene: Annotated[str, typer.Argument(metavar="SCENE", help="Id of the scene.")],
    source: SourceOption,
    settings: SourceSetOption = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="A .png or .html file (default: SCENE.png)."),
    ] = None,
) -> None:
    """Draw a scene: its plan from above and key frames."""
    from harness.commands.scenes_show import show_scene as body

    body(scene, source, settings or [], out)


@scenes_app.command("write")
def scenes_write(
    source: SourceArgument,
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Folder of the release.")],
    settings: SourceSetOption = None,
) -> None:
    """Write scenes in the layout of a raw release (`procedural` writes ScanNet's)."""
    from harness.commands.scenes_write import write_release as body

    body(source, settings or [], out)


@questions_app.command("build")
def questions_build(
    source: SourceOption,
    out: Annotated[
        Path, typer.Option("--out", help="A .jsonl or .parquet file, or a folder for the Hub.")
    ],
    settings: SourceSetOption = None,
    preset: PresetOption = "vsi_bench",
    changes: WithOption = None,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="jsonl, parquet, datasets, vsi_bench, sharegpt or ms_swift (default: by --out).",
        ),
    ] = None,
    candidates: Annotated[
        bool, typer.Option("--candidates", help="Every admissible question, no sampling.")
    ] = False,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="At most this many questions.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Other seeds draw others.")] = 0,
    workers: WorkersOption = None,
    engine: Annotated[
        str, typer.Option("--engine", help="local, or ray for several machines.")
    ] = "local",
    address: Annotated[
        str | None, typer.Option("--address", help="Address of a running Ray cluster.")
    ] = None,
    max_faulty: Annotated[
        int, typer.Option("--max-faulty", min=0, help="Faulty scenes that are skipped.")
    ] = 0,
    allow_leak: Annotated[
        bool,
        typer.Option("--allow-leak", help="Keep scenes that benchmarks test on; marks the file."),
    ] = False,
) -> None:
    """Make a question set from scenes; the same seed gives the same bytes."""
    from harness.commands.questions_build import BuildOptions
    from harness.commands.questions_build import build_questions as body

    body(
        source,
        settings or [],
        out,
        BuildOptions(
            preset=preset, changes=tuple(changes or ()), form=form, candidates=candidates,
            limit=limit, seed=seed, workers=workers, engine=engine, address=address,
            max_faulty=max_faulty, allow_leak=allow_leak,
        ),
    )  # fmt: skip


@questions_app.command("audit")
def questions_audit(
    rows: RowsArgument,
    source: SourceOption,
    settings: SourceSetOption = None,
    preset: PresetOption = "vsi_bench",
    changes: WithOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="A .jsonl file with the verdict on each row.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Recompute each answer of a question set from the scenes."""
    from harness.commands.questions_audit import audit_questions as body

    body(rows, source, settings or [], preset, changes or [], out, as_json=as_json)


@questions_app.command("stats")
def questions_stats(
    rows: RowsArgument,
    out: Annotated[Path | None, typer.Option("--out", help="An .html page with plots.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Describe a question set: balance, priors, what a blind guesser gets, duplicates."""
    from harness.commands.questions_stats import describe_questions as body

    body(rows, out, as_json=as_json)


@questions_app.command("leak")
def questions_leak(rows: RowsArgument, as_json: JsonOption = False) -> None:
    """Look for scenes that benchmarks test on; exits with 1 if there are any."""
    from harness.commands.questions_leak import find_leaks as body

    body(rows, as_json=as_json)


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
