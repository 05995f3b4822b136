"""`harness run`: a recipe, or every cell of its matrix, from scenes to the report."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.assembly import Assembly, refuse_if_missing
from harness.plugins import load_catalogue
from harness.recipe import ResolvedCell, dump_recipe, load_recipe
from harness.runs import RunFolder, opened

RUNS = Path("runs")


def run(recipe: str, overrides: list[str], *, fresh: bool, out: Path | None) -> None:
    """Run a recipe; the same command resumes it.

    Raises:
        UsageError: the recipe, the machine or the run folder does not allow it.
    """
    base = out or RUNS
    catalogue = load_catalogue()
    resolved = load_recipe(recipe, overrides, catalogue)
    folders = (
        [base / resolved.name / cell.name for cell in resolved.cells]
        if resolved.matrix
        else [base / resolved.name]
    )
    refuse_if_missing(_missing(resolved.cells))
    current = folders[0]
    try:
        # Before the first cell: a grid must not fail, or be wiped, days after it was begun.
        for cell, folder in zip(resolved.cells, folders, strict=True):
            with _opened(cell, folder, fresh=fresh):
                pass
        for cell, folder in zip(resolved.cells, folders, strict=True):
            current = folder
            _run_cell(cell, folder, folders, base)
    except KeyboardInterrupt:
        _say(f"\ninterrupted; {current} keeps all finished work. To go on: {_again()}")
        raise
    if resolved.matrix:
        _compare(folders, base / resolved.name)


def _missing(cells: Sequence[ResolvedCell]) -> list[str]:
    """What the machine lacks, and what is wrong with `args`, each once for all cells."""
    problems = [
        problem for cell in cells for problem in (*Assembly.of(cell).missing(), *_wrong_args(cell))
    ]
    return list(dict.fromkeys(problems))


def _run_cell(cell: ResolvedCell, folder: Path, folders: Sequence[Path], base: Path) -> None:
    from harness.pipeline import run_pipeline

    with _opened(cell, folder) as about:
        _say(f"run folder {folder}")
        run_folder = RunFolder(folder, neighbours=folders, say=_say, versions=about["versions"])
        run_pipeline(Assembly.of(cell), run_folder, base / ".cache")
        _report(folder)


@contextmanager
def _opened(cell: ResolvedCell, folder: Path, *, fresh: bool = False) -> Iterator[dict[str, Any]]:
    from harness.provenance import record

    about = record(cell.recipe.name, cell.hash, cell.recipe.seed, cell.recipe.description)
    with opened(folder, dump_recipe(cell), about, fresh=fresh):
        yield about


def _wrong_args(cell: ResolvedCell) -> list[str]:
    """Problems in the stages' `args`; TRL is only imported where there are some."""
    stages = {name: stage for name, stage in cell.recipe.train.items() if stage.args}
    if not stages:
        return []
    from trl import DPOConfig, GRPOConfig, SFTConfig

    from harness.training.shared import check_args

    classes = {"sft": SFTConfig, "dpo": DPOConfig, "grpo": GRPOConfig}
    return [
        problem
        for name, stage in stages.items()
        for problem in check_args(f"train.{name}", stage, classes[stage.method])
    ]


def _report(folder: Path) -> None:
    from harness.commands.report import print_run
    from harness.report import write_report

    page = write_report(folder)
    print_run(folder)
    _say(f"report: {page}")


def _compare(folders: Sequence[Path], folder: Path) -> None:
    from harness.commands.report import print_comparison
    from harness.report import write_comparison

    page = write_comparison(list(folders), folder / "comparison.html")
    print_comparison(list(folders))
    _say(f"comparison: {page}")


def _again() -> str:
    import shlex

    words = [argument for argument in sys.argv[1:] if argument != "--fresh"]
    return shlex.join(["harness", *words])


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
