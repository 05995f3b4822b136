"""A plugin that makes a mistake amid a run: exit code 3, and who made which mistake."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

FIXTURES = Path(__file__).parent / "fixtures"
PLUGIN = "of plugin 'clumsy' (clumsy 2.1)"
RUN = Path("runs/light")


def using(path: str, fault: str = "") -> list[str]:
    """The options that put the clumsy component in a place of the recipe."""
    fault = f"{path}={{use: clumsy, fault: {fault}}}" if fault else f"{path}.use=clumsy"
    return ["--set", fault]


SCENES, FAMILY, TASK = "scenes.evaluate", "questions.families.counting", "evaluate.tasks.mine"
FAULTS = [
    (
        SCENES,
        "ids raise",
        "'clumsy' (scenes)",
        "listing its scenes: RuntimeError: the index is gone",
    ),
    (SCENES, "ids twice", "'clumsy' (scenes)", "gives these scene ids twice: procedural_000000_s2"),
    (SCENES, "ids no text", "'clumsy' (scenes)", "its scene ids must each be a str, found 1"),
    (SCENES, "raise", "'clumsy' (scenes)", "loading scene procedural_000001_s2: KeyError: 'walls'"),
    (SCENES, "other id", "'clumsy' (scenes)", "scene procedural_000001_s2 and gave attic"),
    (SCENES, "no scene", "'clumsy' (scenes)", "procedural_000001_s2 and gave a NoneType"),
    (FAMILY, "raise", "'clumsy' (questions)", "asking about scene procedural_000000_s1: ZeroDiv"),
    (FAMILY, "no question", "'clumsy' (questions)", "must each be a Question, found 'how many?'"),
    (TASK, "questions raise", "'clumsy' (tasks)", "giving its questions: AttributeError: rows"),
    (TASK, "prompt raise", "'clumsy' (tasks)", "IndexError: list index out of range"),
    (TASK, "prompt no text", "'clumsy' (tasks)", "gave None, expected a str"),
    (TASK, "score raise", "'clumsy' (tasks)", "ValueError: could not convert string to float"),
    (TASK, "score nought", "'clumsy' (tasks)", "gave the score nan, expected a finite number"),
    ("backbone", "missing raise", "'clumsy' (backbones)", "asking what is missing: TypeError"),
]


@pytest.mark.parametrize(("path", "fault", "component", "message"), FAULTS)
def test_a_plugins_mistake_is_3_and_names_it(
    harness_main, light, install, path, fault, component, message
):
    install("clumsy")
    ended = harness_main("run", light, *using(path, fault))
    assert (ended.code, ended.out) == (3, "")
    assert "Traceback" not in ended.err
    error = ended.err.splitlines()[-1]
    assert error.startswith(f"error: {component} {PLUGIN}")
    assert message in error
    mended = harness_main("run", light, *using(path), "--fresh")
    assert mended.code == 0, mended.err


def test_the_place_of_the_mistake_is_told(harness_main, light, install):
    install("clumsy")
    ended = harness_main("run", light, *using(SCENES, "raise"))
    assert "plugins/clumsy/clumsy.py:" in ended.err


def test_what_a_plugin_reports_itself_is_no_mistake(harness_main, light, install):
    install("clumsy")
    faulty = using(SCENES, "report")
    ended = harness_main("run", light, *faulty)
    assert ended.code == 1
    assert "procedural_000001_s2: no walls" in ended.err
    skipping = harness_main("run", light, *faulty, "--set", "scenes.max_faulty=1")
    assert skipping.code == 0
    skipped = json.loads((RUN / "questions/summary.json").read_text())["skipped"]
    assert [fault["scene"] for fault in skipped] == ["procedural_000001_s2"]


@pytest.mark.slow
def test_a_plugins_mistake_amid_training_is_3_and_names_it(tmp_path):
    def run(*overrides: str):
        return subprocess.run(
            [sys.executable, "-m", "harness.cli", "run", FIXTURES / "small.yaml", *overrides],
            cwd=tmp_path,
            env={
                **os.environ,
                "PYTHONPATH": f"{FIXTURES / 'plugins/clumsy'}:{FIXTURES / 'plugins/fragile'}",
                "OMP_NUM_THREADS": "1",
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    for path, fault, message in (
        ("backbone", "model raise", "RuntimeError: shape '[2, 3]' is invalid"),
        ("train.grpo.rewards.clumsy", "nought", "gave nan for the completion"),
    ):
        before = f"evaluate.before={json.dumps(path == 'backbone')}"
        short = ["--set", before, "--set", "train.sft=null", "--set", "train.grpo.beta=0"]
        ended = run("--fresh", *short, *using(path, fault))
        assert ended.returncode == 3, ended.stderr
        error = ended.stderr.splitlines()[-1]
        assert error.startswith("error: 'clumsy' (")
        assert PLUGIN in error
        assert message in error
        assert "Traceback" not in ended.stderr
