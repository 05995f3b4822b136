"""The demo as a user runs it: its claims must hold."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

RECIPE = Path(__file__).parents[1] / "recipes" / "quickstart.yaml"


@pytest.mark.slow
def test_the_quickstart_learns_and_says_so(tmp_path):
    harness = Path(sys.executable).with_name("harness")
    done = subprocess.run(
        [harness, "run", str(RECIPE)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    run = tmp_path / "runs" / "quickstart"

    difference = json.loads((run / "evaluate-grpo/generated/difference.json").read_text())
    assert difference["against"] == "base"
    assert difference["rows"]["macro"]["low"] > 0
    assert difference["rows"]["micro"]["low"] > 0

    grpo = json.loads((run / "train-grpo/summary.json").read_text())
    assert grpo["reward_last"] > grpo["reward_first"]
    # generation, reference and training saw the same videos: 64 steps of 64 rows
    assert {kind: count["videos"] for kind, count in grpo["guard"].items()} == {
        "generate": 64 * 64,
        "reference": 64 * 64,
        "train": 64 * 64,
    }

    for model in ("base", "sft", "grpo", "frequency", "blind"):
        answers = run / f"evaluate-{model}/generated/answers.jsonl"
        assert len(answers.read_text().splitlines()) == 320
        assert f"\n{model}" in done.stdout
    assert "the interval excludes zero: better" in done.stdout
    assert f"reward {grpo['reward_first']:.3f} -> {grpo['reward_last']:.3f}" in done.stdout
    assert (run / "report/report.html").stat().st_size < 5_000_000
    assert "Traceback" not in done.stderr
