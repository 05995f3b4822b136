"""What starting the command costs: heavy packages are imported by the stages that use them."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {
    "torch",
    "transformers",
    "trl",
    "datasets",
    "scipy",
    "av",
    "PIL",
    "vllm",
    "deepspeed",
    "ray",
}
COMMAND = "import sys; sys.argv = ['harness', *{arguments}]; from harness.cli import main"
LOADED = """
import sys
try:
    {code}
except SystemExit as done:
    assert not done.code, done.code
sys.stderr.write(" ".join(sorted({{name.partition(".")[0] for name in sys.modules}})))
"""


def _top_level_modules(code: str) -> set[str]:
    """The top-level modules in memory after running one line of Python in a new interpreter."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED.format(code=code)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split())


def _command(*arguments: str) -> str:
    return COMMAND.format(arguments=list(arguments)) + "; main()"


def test_import_harness() -> None:
    modules = _top_level_modules("import harness")
    assert "harness" in modules
    assert modules & (HEAVY | {"numpy", "pydantic", "pluggy", "yaml", "rich"}) == set()


def test_help() -> None:
    modules = _top_level_modules(_command("--help"))
    assert "typer" in modules
    assert modules & (HEAVY | {"numpy", "pydantic"}) == set()


def test_version() -> None:
    assert _top_level_modules(_command("--version")) & (HEAVY | {"numpy", "pydantic"}) == set()


@pytest.mark.parametrize("arguments", [("plugins",), ("plugins", "--json")])
def test_plugins(arguments: tuple[str, ...]) -> None:
    modules = _top_level_modules(_command(*arguments))
    assert {"harness_plugins", "harness_rewards", "harness_tasks"} <= modules
    assert modules & (HEAVY | {"numpy"}) == set()
