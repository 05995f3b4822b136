"""A whole run, unbroken and broken, through the command line: both end with the same numbers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

FIXTURES = Path(__file__).parent / "fixtures"
RECIPE = FIXTURES / "small.yaml"
STAGES = [
    "questions",
    "evaluate-base",
    "train-sft",
    "evaluate-sft",
    "train-grpo",
    "evaluate-grpo",
    "evaluate-frequency",
    "evaluate-blind",
]
# Wall-clock times: all that may differ between an unbroken run and a resumed one.
TIMED = {"seconds", "step_time"}


def run(
    folder: Path, broken_at: str = "", options: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    """Run the recipe in `folder/runs`; `broken_at` is a signal, a count and a file's pattern."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(FIXTURES / "plugins" / "fragile"),
        "OMP_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
        **({"FRAGILE": broken_at} if broken_at else {}),
    }
    return subprocess.run(
        [sys.executable, "-m", "harness.cli", "run", RECIPE, *options],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("unbroken")
    ended = run(folder)
    assert ended.returncode == 0, ended.stderr
    return folder / "runs" / "small"


def content(run_folder: Path) -> dict[str, Any]:
    """All results of a run by file, without times."""
    results: dict[str, Any] = {}
    for path in sorted(run_folder.rglob("*")):
        name = str(path.relative_to(run_folder))
        if not path.is_file() or "checkpoints" in path.parts or not name.startswith(tuple(STAGES)):
            continue
        if path.suffix == ".jsonl":
            results[name] = [untimed(json.loads(line)) for line in path.read_text().splitlines()]
        elif path.suffix == ".json":
            results[name] = untimed(json.loads(path.read_text()))
        else:
            results[name] = path.read_bytes()
    return results


def untimed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: untimed(inner) for key, inner in value.items() if key not in TIMED}
    return value


def lines(path: Path) -> int:
    return len(path.read_text().splitlines()) if path.is_file() else 0


@pytest.mark.slow
def test_an_unbroken_run_has_every_stage_and_what_it_promises(unbroken):
    found = content(unbroken)
    assert all(f"{stage}/done.json" in found for stage in STAGES)
    assert [row["step"] for row in found["train-sft/metrics.jsonl"]] == [1, 2, 3, 4, 6]
    assert [row["step"] for row in found["train-grpo/metrics.jsonl"]] == [1, 2, 3, 4]
    assert len(found["train-grpo/rollouts.jsonl"]) == 4 * 8
    assert len({row["reward"] for row in found["train-grpo/rollouts.jsonl"]}) > 1
    assert found["train-sft/model/model.safetensors"] != found["train-grpo/model/model.safetensors"]
    for stage in (stage for stage in STAGES if stage.startswith("evaluate")):
        assert len(found[f"{stage}/generated/answers.jsonl"]) == 19
    passes = found["train-grpo/summary.json"]["guard"]
    assert {kind: counts["batches"] for kind, counts in passes.items()} == {
        "generate": 4,
        "reference": 4,
        "train": 4,
    }


@pytest.mark.slow
def test_every_answer_says_what_was_seen(unbroken):
    found = content(unbroken)
    seen = {
        stage: [(row["layout"], row["frame_indices"]) for row in found[name]]
        for stage in STAGES
        if (name := f"{stage}/generated/answers.jsonl") in found and "frequency" not in stage
    }
    assert seen.pop("evaluate-blind") == [(True, [])] * 19
    assert seen == dict.fromkeys(
        ("evaluate-base", "evaluate-sft", "evaluate-grpo"), [(True, [0, 1])] * 19
    )
    rows = found["evaluate-base/generated/answers.jsonl"]
    assert {row["video"] for row in rows} == {
        f"questions/videos/procedural-{row['scene']}.mp4" for row in rows
    }
    scenes = [row["scene"] for row in rows]
    assert scenes == sorted(scenes), "a video is decoded once for all its questions"


@pytest.mark.slow
def test_models_are_set_against_the_untrained_one(unbroken):
    found = content(unbroken)
    differences = {
        name: value["against"] for name, value in found.items() if name.endswith("difference.json")
    }
    assert differences == {
        "evaluate-sft/generated/difference.json": "base",
        "evaluate-grpo/generated/difference.json": "base",
    }


@pytest.mark.slow
def test_cells_of_a_grid_go_on_from_a_shared_stage(tmp_path):
    options = [
        *("--set", "matrix={train.grpo.beta: [0, 1e-2]}"),
        *("--set", "train.sft.steps=1", "--set", "train.grpo.steps=1"),
        *("--set", "evaluate.before=false", "--set", "evaluate.each_stage=false"),
        *("--set", "evaluate.blind=false"),
    ]
    ended = run(tmp_path, options=options)
    assert ended.returncode == 0, ended.stderr
    assert "train-sft: taken from beta=0, where it is the same" in ended.stderr
    first, second = (tmp_path / "runs/small" / f"beta={beta}" for beta in ("0", "0.01"))
    shared = "train-sft/model/model.safetensors"
    assert (first / shared).stat().st_ino == (second / shared).stat().st_ino
    passes = [
        json.loads((cell / "train-grpo/summary.json").read_text())["guard"].keys()
        for cell in (first, second)
    ]
    assert passes == [{"generate", "train"}, {"generate", "reference", "train"}]
    assert (tmp_path / "runs/small/comparison.html").is_file()
    assert "Settings that differ: train.grpo.beta" in " ".join(ended.stdout.split())


@pytest.mark.slow
def test_broken_again_and_again_a_run_ends_as_an_unbroken_one(unbroken, tmp_path):
    broken = tmp_path / "runs" / "small"

    # Ctrl-C amid the questions
    ended = run(tmp_path, r"SIGINT 2 questions/videos/.*\.mp4")
    assert (ended.returncode, "Traceback" in ended.stderr) == (130, False)
    assert ended.stderr.endswith(f"To go on: harness run {RECIPE}\n")
    assert not (broken / "questions/done.json").exists()

    # killed amid an evaluation; the power cut tore a line
    ended = run(tmp_path, r"SIGKILL 22 \.cache/frames/.*\.json")
    assert ended.returncode == -9
    answers = broken / "evaluate-base/generated/answers.jsonl"
    assert 0 < lines(answers) < 19
    with answers.open("a") as file:
        file.write('{"answer": "3", "da')

    # killed while a checkpoint is saved
    ended = run(tmp_path, r"SIGKILL 1 train-sft/.*checkpoint-4/trainer_state.json")
    assert ended.returncode == -9
    assert lines(broken / "train-sft/metrics.jsonl") == 4  # one step more than is kept
    assert (broken / "train-sft/checkpoints/checkpoint-4/model.safetensors").is_file()

    # killed amid a step of GRPO, after its rollouts
    ended = run(tmp_path, r"SIGKILL 3 train-grpo/metrics.jsonl")
    assert ended.returncode == -9
    assert lines(broken / "train-grpo/rollouts.jsonl") == 3 * 8
    sft = (broken / "train-sft/done.json").stat().st_mtime_ns

    # killed after the last step, amid the saving of the model
    ended = run(tmp_path, r"SIGKILL 1 train-grpo/model.part/.*\.json")
    assert ended.returncode == -9

    ended = run(tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert "train-sft: done before" in ended.stderr
    assert (broken / "train-sft/done.json").stat().st_mtime_ns == sft

    one, other = content(unbroken), content(broken)
    assert other.keys() == one.keys()
    assert [name for name in one if other[name] != one[name]] == []
