"""`harness plan`: what a recipe would do, and what this machine lacks for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from harness.assembly import Assembly
from harness.planning.plan import Plan, SceneCount, make_plan
from harness.plugins import load_catalogue
from harness.recipe import load_recipe

GIB = 2**30
PARTS = ("weights", "reference", "gradients", "optimizer", "activations", "kv_cache")


def plan(recipe: str, overrides: list[str]) -> None:
    """Print the plan of a recipe."""
    catalogue = load_catalogue()
    resolved = load_recipe(recipe, overrides, catalogue)
    console = _console()
    cell = resolved.cells[0]
    made = make_plan(Assembly.of(cell), Path("runs"))
    console.print(f"[bold]{escape(resolved.name)}[/]: {escape(cell.recipe.description)}")
    if resolved.matrix:
        names = ", ".join(escape(c.name) for c in resolved.cells)
        console.print(f"{len(resolved.cells)} runs: {names}; the plan of the first:")
    console.print("stages: " + " → ".join(made.stages))
    _print_questions(console, made)
    _print_model(console, made)
    _print_memory(console, made)
    _print_missing(console, made.missing)


def _console() -> Console:
    # piped, the table keeps its columns instead of being cut at 80 characters
    console = Console(highlight=False, soft_wrap=True)
    return console if console.is_terminal else Console(highlight=False, soft_wrap=True, width=200)


def _print_questions(console: Console, made: Plan) -> None:
    for which in ("train", "evaluate"):
        if which not in made.scenes:
            console.print(f"{which} scenes: unknown until the scenes can be read (see below)")
            continue
        count: SceneCount = made.scenes[which]
        about = "about " if count.estimated else ""
        kinds = ", ".join(f"{kind} {n:,}" for kind, n in count.questions.items())
        total = sum(count.questions.values())
        console.print(f"{which} scenes: {count.scenes:,}; questions: {about}{total:,} ({kinds})")


def _print_model(console: Console, made: Plan) -> None:
    tokens = f"{made.video_tokens:,} video + about {made.text_tokens:,} text"
    if made.evaluation_video_tokens != made.video_tokens:
        tokens += f" ({made.evaluation_video_tokens:,} video in evaluation)"
    console.print(f"tokens a prompt: {tokens}")
    if made.shape is not None:
        size = made.shape.parameters
        written = f"{size / 1e9:.2f}B" if size >= 1e9 else f"{size / 1e6:.1f}M"
        console.print(f"model: {written} parameters, {made.dtype}, context {made.shape.context:,}")


def _print_memory(console: Console, made: Plan) -> None:
    if not made.training:
        return
    # a column a stage: a recipe has few, and eighty characters hold them
    table = Table(title="estimated memory of each training stage on one device, GiB")
    table.add_column()
    for stage in made.training:
        table.add_column(stage.name, justify="right")
    table.add_row("method", *(stage.method for stage in made.training))
    table.add_row("examples", *(_or_unknown(stage.examples) for stage in made.training))
    table.add_row("steps", *(_or_unknown(stage.steps) for stage in made.training), end_section=True)
    for part in PARTS:
        table.add_row(part.replace("_", " "), *_gib(getattr(s.memory, part) for s in made.training))
    table.add_section()
    # the rollouts' cache is gone when gradients and activations come
    table.add_row("at most at once", *_gib(stage.memory.total for stage in made.training))
    console.print(table)


def _print_missing(console: Console, missing: Sequence[str]) -> None:
    if not missing:
        console.print("missing on this machine: nothing")
        return
    console.print("[bold]missing on this machine:[/]")
    for problem in missing:
        console.print(f"  - {escape(problem)}")


def _gib(sizes: Iterable[float]) -> Iterator[str]:
    return (f"{size / GIB:,.2f}" for size in sizes)


def _or_unknown(count: int | None) -> str:
    return "unknown" if count is None else f"{count:,}"
