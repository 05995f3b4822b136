"""What a run says of the code and the machine that made it."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

import pytest

from harness.provenance import DECISIVE, git_state, record


@pytest.fixture
def git(tmp_path):
    """Runs git in a new checkout with one committed file in `package`."""
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "code.py").write_text("1\n")

    def run(*words: str) -> str:
        who = ("-c", "user.name=Test", "-c", "user.email=test@example.org")
        command = ["git", "-C", str(tmp_path), *who, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    run("init", "--quiet")
    run("add", "package")
    run("commit", "--quiet", "--message", "first")
    return run


def test_a_record_is_json_and_names_what_made_the_run(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["harness", "run", "mine"])
    made = record("mine", "abc123", 7, "a test")
    assert json.loads(json.dumps(made, allow_nan=False)) == made
    assert (made["name"], made["hash"], made["seed"]) == ("mine", "abc123", 7)
    assert made["recipe_description"] == "a test"
    assert made["command"] == ["harness", "run", "mine"]
    assert made["python"] == platform.python_version()
    assert made["warnings"] == []
    age = datetime.now(UTC) - datetime.fromisoformat(made["created"])
    assert timedelta(seconds=-1) < age < timedelta(minutes=1)


def test_versions_are_those_installed():
    made = record("mine", "", 0, "")
    assert made["versions"]["vsi-harness"] == version("vsi-harness")
    assert made["versions"]["torch"] == version("torch")
    assert set(made["versions"]) <= set(DECISIVE)
    assert made["versions"].items() <= {**made["environment"], **made["versions"]}.items()
    assert made["environment"]["pydantic"] == version("pydantic")
    assert list(made["environment"]) == sorted(made["environment"])


def test_a_package_that_is_not_installed_has_no_version(monkeypatch):
    monkeypatch.setattr("harness.provenance.DECISIVE", ("numpy", "no-such-package"))
    assert list(record("mine", "", 0, "")["versions"]) == ["numpy"]


def test_a_clean_and_a_changed_checkout(git, tmp_path):
    commit = git("rev-parse", "HEAD")
    assert git_state(tmp_path / "package") == {"commit": commit, "dirty": False}
    (tmp_path / "package" / "code.py").write_text("2\n")
    assert git_state(tmp_path / "package") == {"commit": commit, "dirty": True}


@pytest.mark.usefixtures("git")
def test_an_environment_inside_another_checkout_is_not_that_checkout(tmp_path):
    (tmp_path / ".gitignore").write_text(".venv\n")
    installed = tmp_path / ".venv" / "harness"
    installed.mkdir(parents=True)
    (installed / "provenance.py").write_text("")
    assert git_state(installed) is None


@pytest.mark.usefixtures("git")
def test_outside_a_checkout_and_without_git(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    outside.mkdir()
    assert git_state(outside) is None
    assert git_state(tmp_path / "package") is not None
    monkeypatch.setenv("PATH", str(outside))
    assert git_state(tmp_path / "package") is None


def test_a_checkout_without_a_commit(tmp_path):
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    (Path(tmp_path) / "new.py").write_text("")
    assert git_state(tmp_path) is None
