"""The wheel holds all that the checkout does, and works without the checkout."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path

import pytest
from uv import find_uv_bin

ROOT = Path(__file__).parents[2]
PACKAGES = {
    "harness": ROOT / "harness" / "harness",
    "harness_plugins": ROOT / "plugins" / "harness_plugins",
    "harness_rewards": ROOT / "rewards" / "harness_rewards",
    "harness_tasks": ROOT / "tasks" / "harness_tasks",
    "harness/recipes": ROOT / "recipes",
}
EDITABLE = Path(sys.executable).parent / "harness"
IMPORT_ALL = """
from importlib import import_module
from pkgutil import walk_packages

for root in ("harness", "harness_plugins", "harness_rewards", "harness_tasks"):
    for module in walk_packages(import_module(root).__path__, root + "."):
        import_module(module.name)
        print(module.name)
"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel"]
    _run([*command, "--directory", str(folder)], cwd=ROOT)
    (built,) = folder.iterdir()
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs' folder of a new environment with the wheel and what it requires, no extras."""
    folder = tmp_path_factory.mktemp("installed")
    uv = find_uv_bin()
    _run([uv, "venv", "--python", sys.executable, str(folder)], cwd=folder)
    python = str(folder / "bin" / "python")
    install = [uv, "pip", "install", "--python", python, "-c", str(ROOT / "constraints.txt")]
    # `make setup` has left every package in uv's cache; without that, the network is asked
    if subprocess.run(
        [*install, "--offline", str(wheel)], check=False, capture_output=True
    ).returncode:
        _run([*install, str(wheel)], cwd=folder)
    return folder / "bin"


def _run(command: list[str], cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _source_files() -> Iterator[str]:
    for name, folder in PACKAGES.items():
        for path in folder.rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                yield f"{name}/{path.relative_to(folder).as_posix()}"


def test_files(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    metadata = "vsi_harness-0.1.0.dist-info"
    assert {name.partition("/")[0] for name in names} == {
        "harness",
        "harness_plugins",
        "harness_rewards",
        "harness_tasks",
        metadata,
    }
    assert {name for name in names if not name.startswith(metadata)} == set(_source_files())
    assert {f"{metadata}/licenses/LICENSE", f"{metadata}/licenses/NOTICE"} < set(names)


def test_entry_points(wheel: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    written = ConfigParser()
    text = zipfile.ZipFile(wheel).read("vsi_harness-0.1.0.dist-info/entry_points.txt").decode()
    written.read_string(text)
    assert {name: dict(written[name]) for name in written.sections()} == {
        "console_scripts": project["scripts"],
        "harness": project["entry-points"]["harness"],
    }


def test_every_module_imports_without_extras(installed: Path, tmp_path: Path) -> None:
    imported = _run([str(installed / "python"), "-W", "ignore", "-c", IMPORT_ALL], cwd=tmp_path)
    modules = {
        name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for name in _source_files()
        if name.endswith(".py")
    }
    assert set(imported.split()) == modules - {"harness", *PACKAGES}


def test_version(installed: Path, tmp_path: Path) -> None:
    assert "0.1.0" in _run([str(installed / "harness"), "--version"], cwd=tmp_path)


def test_plugins(installed: Path, tmp_path: Path) -> None:
    from_wheel, editable = (
        json.loads(_run([str(program), "plugins", "--json"], cwd=tmp_path))
        for program in (installed / "harness", EDITABLE)
    )
    assert from_wheel == editable


def test_packaged_recipe(installed: Path, tmp_path: Path) -> None:
    show = ["recipe", "show", "quickstart"]
    from_wheel = _run([str(installed / "harness"), *show], cwd=tmp_path)
    assert "name: quickstart" in from_wheel
    assert from_wheel == _run([str(EDITABLE), *show], cwd=tmp_path)


def test_plan_finds_nothing_missing(installed: Path, tmp_path: Path) -> None:
    plan = _run([str(installed / "harness"), "plan", "quickstart"], cwd=tmp_path)
    assert plan.splitlines()[-1] == "missing on this machine: nothing"


def test_question_sets_from_the_packaged_presets(installed: Path, tmp_path: Path) -> None:
    harness = str(installed / "harness")
    for preset in sorted(path.stem for path in (ROOT / "recipes" / "presets").glob("*.yaml")):
        out = tmp_path / preset
        build = ["questions", "build", "--source", "procedural", "--set", "scenes=3"]
        _run([harness, *build, "--preset", preset, "--out", f"{out}.jsonl"], cwd=tmp_path)
        audit = ["audit", f"{out}.jsonl", "--source", "procedural", "--set", "scenes=3", "--json"]
        told = json.loads(_run([harness, "questions", *audit, "--preset", preset], cwd=tmp_path))
        assert 0 < told["agree"] == told["recomputed"]
        _run([harness, "questions", "stats", f"{out}.jsonl", "--out", f"{out}.html"], cwd=tmp_path)
        assert "</html>" in out.with_suffix(".html").read_text()
        assert "no leak" in _run([harness, "questions", "leak", f"{out}.jsonl"], cwd=tmp_path)


def test_scenes_from_a_written_release(installed: Path, tmp_path: Path) -> None:
    harness = [str(installed / "harness"), "scenes"]
    written = ["write", "procedural", "--set", "scenes=2", "--out", "release"]
    _run([*harness, *written], cwd=tmp_path)
    imported = ["import", "scannet", "--set", "root=release", "--out", "rooms", "--workers", "1"]
    _run([*harness, *imported], cwd=tmp_path)
    shown = ["show", "scene9000_00", "--source", "store", "--set", "root=rooms"]
    _run([*harness, *shown, "--out", "room.html"], cwd=tmp_path)
    assert "</html>" in (tmp_path / "room.html").read_text()
