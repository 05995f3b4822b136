"""What the README and docs/ say is run: commands, recipes, plugins; links lead somewhere."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Commands that another test runs at their whole length, or that CI starts with.
ELSEWHERE = {
    "make demo": "tests/test_quickstart.py::test_the_quickstart_learns_and_says_so",
    "make test": ".ci/run",
    "make check": ".ci/run",
    "pip install .": "tests/packaging/test_wheel.py::test_every_module_imports_without_extras",
}
_LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")


def test_commands_recipes_and_files(page: Path, blocks, workspace) -> None:
    for block in blocks:
        where = f"{page.name}:{block.line}"
        if block.language in ("python", "toml", "yaml") and block.name:
            workspace.write(block.name, block.text)
        if block.language == "python" and not block.name:
            done = workspace.run([sys.executable, "-c", block.text])
            assert done.returncode == 0, f"{where}: {done.stderr}"
        elif block.language == "json":
            json.loads(block.text)
        for command in block.commands:
            check_command(workspace, command, where)
    commands = [command.words for block in blocks for command in block.commands]
    presets = {words[words.index("--preset") + 1] for words in commands if "--preset" in words}
    no_recipes = presets | {"harness.local.yaml"}
    for block in blocks:  # last, as a recipe may stand above the installation of what it names
        if block.language == "yaml" and Path(block.name or "").name not in no_recipes:
            check_recipe(workspace, block, f"{page.name}:{block.line}")


def check_recipe(workspace, block, where: str) -> None:
    """A recipe loads as it is, a part of one over the quickstart."""
    name = block.name or "snippet.yaml"
    if not block.name:
        whole = "extends:" in block.text or ("scenes:" in block.text and "backbone:" in block.text)
        workspace.write(name, block.text if whole else f"extends: quickstart\n{block.text}")
    done = workspace.run(["harness", "recipe", "show", name])
    expected = 2 if name.startswith("wrong") else 0
    assert done.returncode == expected, f"{where}: {done.stderr}"


def check_command(workspace, command, where: str) -> None:
    if command.text in ELSEWHERE:
        assert_run_by(ELSEWHERE[command.text], command.text)
        return
    done = run(workspace, command)
    said = f"{where}: $ {command.text}\n{done.stdout}{done.stderr}"
    fails = command.output.startswith("error:") or "\nleaks in " in command.output
    assert bool(done.returncode) == fails, said
    assert "Traceback" not in done.stderr, said
    outputs = (done.stdout, done.stderr, done.stderr + done.stdout)
    assert not command.output or any(shows(command.output, given) for given in outputs), said


def run(workspace, command) -> subprocess.CompletedProcess[str]:
    words = command.words
    if words[:2] == ["pip", "install"]:
        return workspace.install(words[2])
    if command.trains:
        return workspace.run_shortened(words)
    if command.measures:
        return workspace.run([sys.executable, *words[1:], "--quick", "--json", "results.json"])
    assert words[0] in ("harness", "cat", "ls", "head"), f"no test runs {command.text!r}"
    return workspace.run(words)


def shows(documented: str, given: str) -> bool:
    """Whether the output is as documented; `…` stands for anything, a line of it for any lines."""
    pattern = "".join(
        r"(?:.*\n)*" if line == "…" else re.escape(line).replace("…", ".*") + r"\n"
        for line in lines_of(documented)
    )
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in lines_of(given))) is not None


def lines_of(text: str) -> list[str]:
    # a small disk is nothing that the pages can know of
    lines = [line.rstrip() for line in text.splitlines() if not line.startswith("  - disk:")]
    return "\n".join(lines).strip("\n").split("\n")


def assert_run_by(runner: str, command: str) -> None:
    file, _, name = runner.partition("::")
    text = (ROOT / file).read_text()
    if not name:
        assert command in text
        return
    tests = {node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)}
    assert name in tests, f"{runner} is gone: what runs {command!r} now?"


@pytest.mark.parametrize(
    "target", sorted(command.removeprefix("make ") for command in ELSEWHERE if "make" in command)
)
def test_the_make_targets_exist(target: str) -> None:
    assert shutil.which("make"), "the project needs make"
    done = subprocess.run(
        ["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    own = {
        "demo": "harness run recipes/quickstart.yaml",
        "test": "-m pytest",
        "check": "ruff check",
    }
    assert own.get(target, "pip install") in done.stdout


def test_links_lead_somewhere(page: Path) -> None:
    links = [link for link in _LINK.findall(page.read_text()) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_page_is_in_the_index(page: Path) -> None:
    index = ROOT / "docs" / "README.md"
    linked = {(index.parent / link).resolve() for link in _LINK.findall(index.read_text())}
    assert page in linked | {index, ROOT / "README.md"}


@pytest.mark.parametrize(
    ("documented", "given", "expected"),
    [
        ("one\ntwo\n", "one\ntwo  \n", True),
        ("one\ntwo\n", "one\n", False),
        ("one\n…\n", "one\ntwo\nthree\n", True),
        ("…\nthree\n", "one\ntwo\n", False),
        ("hash …, yes\n", "hash 1a2b, yes\n", True),
        ("hash …, yes\n", "hash 1a2b, no\n", False),
        ("a.b\n", "axb\n", False),
    ],
)
def test_documented_output_is_compared(documented: str, given: str, expected: bool) -> None:
    assert shows(documented, given) is expected
