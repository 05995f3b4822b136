"""Runs on real scenes and real questions of VSI-Bench, as the documentation tells a user to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

QUICKSTART = Path(__file__).parents[2] / "recipes" / "quickstart.yaml"
# Fewer rooms, frames and steps than the quickstart's; what is asked stays as it is.
SMALLER = [
    "scenes.train.scenes=4",
    "video.frames=2",
    "video.layout={seconds: 2, fps: 2}",
    "train.sft.steps=4",
    "train.grpo=null",
]
ROWS = {
    "object_counting": 5,
    "object_abs_distance": 7,
    "object_size_estimation": 9,
    "room_size_estimation": 1,
    "object_rel_distance": 6,
    "object_rel_direction_hard": 6,
    "route_planning": 1,
    "obj_appearance_order": 16,
}


def with_set(*overrides: str) -> list[str]:
    return [word for override in overrides for word in ("--set", override)]


def official_score(row: dict) -> float:
    """thinking-in-space @ 51e089c, lmms_eval/tasks/vsibench/utils.py, in its own words."""
    prediction = row["answer"].split(" ")[0].rstrip(".").strip()
    if row["options"]:
        return float(prediction.lower() == row["gold"].lower())
    try:
        found, true = float(prediction), float(row["gold"])
    except ValueError:
        return 0.0
    thresholds = np.linspace(0.5, 0.95, int((0.95 - 0.5) / 0.05 + 2))
    return float((abs(found - true) / true <= 1 - thresholds).mean())


def answers(run: Path, label: str) -> list[dict]:
    text = (run / f"evaluate-{label}" / "vsi_bench" / "answers.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.slow
def test_the_quickstart_is_evaluated_on_real_rows_about_real_scenes(shared_data, tmp_path):
    rows = shared_data("vsibench-questions-subset") / "vsibench_subset.jsonl"
    ended = subprocess.run(
        [
            sys.executable,
            *("-m", "harness.cli", "run", QUICKSTART),
            *with_set(
                "scenes.evaluate.use=vsi_bench_meta",
                f"scenes.evaluate.root={shared_data('vsibench-meta-info')}",
                "evaluate.tasks.generated=null",
                f"evaluate.tasks.vsi_bench.path={rows}",
                *SMALLER,
            ),
        ],
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1", "XDG_CONFIG_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stderr
    run = tmp_path / "runs" / "quickstart"

    asked = answers(run, "sft")
    assert Counter(row["question_type"] for row in asked) == ROWS
    assert {(row["dataset"], row["scene"]) for row in asked} == {("scannet", "scene0231_00")}
    for label in ("base", "sft", "blind", "frequency"):
        found = answers(run, label)
        assert [row["id"] for row in found] == [row["id"] for row in asked]
        assert [row["score"] for row in found] == [official_score(row) for row in found]
    assert sum(row["score"] for row in answers(run, "frequency")) > 0

    means = {kind: [] for kind in ROWS}
    for row in answers(run, "frequency"):
        means[row["question_type"]].append(row["score"])
    table = json.loads((run / "evaluate-frequency/vsi_bench/scores.json").read_text())
    scores = {row["name"]: row["value"] for row in table["rows"]}
    assert scores["macro"] == pytest.approx(np.mean([np.mean(found) for found in means.values()]))
    assert table["missing"] == ["object_rel_direction_easy", "object_rel_direction_medium"]

    videos = json.loads((run / "questions/videos.json").read_text())
    assert videos["scene0231_00"]["layout"] is True
    assert sum(name.startswith("scene") for name in videos) == 1, "the others are not asked about"
    notice = "frames were drawn from 3D boxes, not filmed, so these scores cannot be compared"
    assert notice in " ".join(ended.stdout.split())
    assert notice in " ".join((run / "report/report.html").read_text().split())


def test_real_scenes_on_both_sides(shared_data, harness_main, light):
    root = shared_data("vsibench-meta-info")
    sides = [
        f"scenes.{side}.{setting}"
        for side, dataset in (("train", "arkitscenes"), ("evaluate", "scannet"))
        for setting in (f"root={root}", f"datasets=[{dataset}]", "limit=3", "use=vsi_bench_meta")
    ]
    ended = harness_main("run", light, *with_set(*sides))
    assert ended.code == 0, ended.err
    for name, dataset in (("train", "arkitscenes"), ("evaluate", "scannet")):
        lines = Path(f"runs/light/questions/{name}.jsonl").read_text().splitlines()
        assert {json.loads(line)["dataset"] for line in lines} == {dataset}


def test_scenes_that_a_task_asks_about_must_be_held_out(shared_data, harness_main, light):
    root, rows = shared_data("vsibench-meta-info"), shared_data("vsibench-questions-subset")
    held_out = ["scenes.evaluate.use=vsi_bench_meta", f"scenes.evaluate.root={root}"]
    task = [f"evaluate.tasks={{vsi_bench: {{path: {rows / 'vsibench_subset.jsonl'}}}}}"]
    task += ["evaluate.tasks.generated=null"]
    other = harness_main(
        "run", light, *with_set(*held_out, *task, "scenes.evaluate.datasets=[scannetpp]")
    )
    assert other.code == 1
    assert (
        "1 scene(s) that a task asks about are not in scenes.evaluate (scene0231_00)" in other.err
    )
    swapped = [override.replace("evaluate.", "train.", 1) for override in held_out]
    trained_on = harness_main("run", light, *with_set(*swapped, *task))
    assert trained_on.code == 1
    assert "not in scenes.evaluate (scene0231_00)" in trained_on.err
    assert harness_main("run", light, *with_set(*held_out, *task)).code == 0
