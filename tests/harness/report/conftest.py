"""A synthetic run folder: base, SFT, GRPO and both baselines on one task, with tiny videos."""

from __future__ import annotations

import json
import math
import random
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import yaml

NUMERIC = (
    "object_counting",
    "object_abs_distance",
    "object_size_estimation",
    "room_size_estimation",
)
CHOICE = (
    "object_rel_distance",
    "object_rel_direction_easy",
    "object_rel_direction_medium",
    "object_rel_direction_hard",
    "route_planning",
    "obj_appearance_order",
)
TABLE = (
    *NUMERIC,
    "object_rel_distance",
    "object_rel_direction",
    "route_planning",
    "obj_appearance_order",
    "macro",
    "micro",
)
SKILL = {"base": 0.24, "sft": 0.31, "grpo": 0.38, "frequency": 0.29, "blind": 0.27}
TEXT = {
    "object_counting": "How many chair(s) are in this room?",
    "object_abs_distance": "Measuring from the closest point of each object, what is the distance "
    "between the stove and the sofa (in meters)?",
    "object_size_estimation": "What is the length of the longest dimension of the table, measured "
    "in centimeters?",
    "room_size_estimation": "What is the size of this room (in square meters)?",
}
PROMPT = (
    "These are frames of a video.\n{}\nPlease answer the question using a single word or phrase."
)
RECIPE: dict[str, Any] = {
    "name": "quickstart",
    "seed": 0,
    "scenes": {"train": {"use": "procedural", "rooms": 24}, "evaluate": {"use": "procedural"}},
    "video": {"frames": 16, "height": 224, "width": 224},
    "questions": {"style": "vsi_bench", "evaluate_limit": 60, "families": {"object_counting": {}}},
    "backbone": {"use": "tiny"},
    "train": {
        "sft": {"method": "sft", "learning_rate": 1.0e-5, "steps": 40},
        "grpo": {
            "method": "grpo",
            "learning_rate": 1.0e-6,
            "steps": 120,
            "beta": 0.0001,
            "rewards": {"accuracy": {"weight": 1.0}, "format": {"weight": 0.5}},
        },
    },
    "evaluate": {"tasks": {"vsi_bench": {}}, "before": True, "each_stage": True, "blind": True},
    "matrix": {},
}


def write_json(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


def write_jsonl(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def write_video(path: Path, frames: int = 24, hue: int = 0) -> None:
    """A room-coloured square that walks to the right, 64 x 48."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=8)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for index in range(frames):
            picture = np.full((48, 64, 3), (200, 205, 215), np.uint8)
            picture[28:] = (150, 140, 130)
            left = 2 * index
            picture[16:36, left : left + 14] = (60 + hue % 160, 90, 220 - hue % 160)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


def interval(value: float, n: int, half: float = 0.04) -> dict[str, Any]:
    return {"value": value, "low": max(0.0, value - half), "high": min(1.0, value + half), "n": n}


def scores(model: str, *, partial: bool = False) -> dict[str, Any]:
    rng = random.Random(model)
    rows = {name: interval(max(0.0, SKILL[model] + rng.uniform(-0.15, 0.15)), 6) for name in TABLE}
    tasks = [rows[name]["value"] for name in TABLE[:-2]]
    rows["macro"] = interval(sum(tasks) / len(tasks), 60, 0.02)
    rows["micro"] = interval(rows["macro"]["value"] + 0.011, 60, 0.02)
    listed = [{"name": name, **row} for name, row in rows.items()]
    missing = ["route_planning"] if partial else []
    return {"n": 60, "scenes": 6, "partial": partial, "missing": missing, "rows": listed}


def by_name(model: str) -> dict[str, Any]:
    return {row["name"]: row for row in scores(model)["rows"]}


def difference(model: str) -> dict[str, Any]:
    after, before = by_name(model), by_name("base")
    rows = {}
    for name in TABLE:
        value = after[name]["value"] - before[name]["value"]
        half = 0.03 if name in ("macro", "micro") else 0.09
        rows[name] = {"value": value, "low": value - half, "high": value + half, "n": 60}
    return {"against": "base", "rows": rows}


def video_seen(room: int, *, blind: bool) -> dict[str, Any]:
    indices = [] if blind else list(range(0, 24, 2))
    video = f"questions/videos/room_{room}.mp4"
    return {"video": video, "layout": True, "frame_indices": indices}


def answers(model: str) -> list[dict[str, Any]]:
    rng = random.Random(model)
    rows = []
    for number in range(60):
        kind = (*NUMERIC, *CHOICE)[number % 10]
        options = None
        gold, answer, score = "4", str(rng.randint(2, 6)), 0.0
        if kind in CHOICE:
            options = ["A. left", "B. right", "C. back"]
            gold, answer = "B", rng.choice("ABC") if rng.random() > SKILL[model] else "B"
            score = float(answer == gold)
        else:
            score = {"4": 1.0, "5": 0.5, "3": 0.5}.get(answer, 0.0)
        text = TEXT.get(
            kind, "If I am standing by the stove and facing the sofa, is the table to my?"
        )
        rows.append(
            {
                "id": f"q{number:03}",
                "scene": f"room_{number % 6}",
                "dataset": "procedural",
                "question_type": kind,
                "question": text,
                "options": options,
                "gold": gold,
                "prompt": PROMPT.format(text),
                "answer": answer,
                "parsed": answer if options else float(answer),
                "score": score,
            }
            | ({} if model == "frequency" else video_seen(number % 6, blind=model == "blind"))
        )
    return rows


def metrics(stage: str) -> list[dict[str, Any]]:
    rng = random.Random(stage)
    rows = []
    for step in range(2, 41 if stage == "sft" else 121, 2):
        rise = 1 - math.exp(-step / 40)
        row: dict[str, Any] = {"step": step, "epoch": step / 60, "grad_norm": rng.uniform(0.6, 1.4)}
        row["learning_rate"] = 1e-6 * (1 - step / 121)
        if stage == "sft":
            row |= {"loss": 2.4 * math.exp(-step / 20) + rng.uniform(0, 0.2)}
            row |= {"mean_token_accuracy": 0.4 + 0.5 * rise}
        else:
            row |= {"loss": rng.gauss(0.0, 0.01), "kl": 4e-4 * rise, "entropy": 1.6 - rise}
            row |= {"reward": 0.2 + 0.9 * rise + rng.gauss(0, 0.05), "reward_std": 0.4 - 0.2 * rise}
            row |= {"completions/mean_length": 40 + 20 * rise, "frac_reward_zero_std": 0.5 * rise}
            row |= {"rewards/accuracy/mean": 0.1 + 0.5 * rise, "rewards/format/mean": rise}
            row |= {"clip_ratio/region_mean": rng.uniform(0, 0.02)}
        rows.append(row)
    rows.append({"step": rows[-1]["step"], "epoch": 1.0, "train_runtime": 93.1, "train_loss": 0.4})
    return rows


def rollouts() -> list[dict[str, Any]]:
    rng = random.Random(0)
    rows = []
    for step in range(2, 121, 2):
        for question in range(2):
            for _ in range(8):
                right = float(rng.random() < step / 160)
                rows.append(
                    {
                        "step": step,
                        "id": f"t{step}_{question}",
                        "scene": "room_9",
                        "question_type": "object_counting",
                        "prompt": PROMPT.format(TEXT["object_counting"]),
                        "gold": "4",
                        "completion": f"<think>I count them.</think><answer>{3 + int(right)}</answer>",
                        "rewards": {"accuracy": right, "format": 1.0},
                        "reward": right + 0.5,
                        "advantage": right - 0.4,
                    }
                )
    return rows


def write_run(folder: Path, recipe: Mapping[str, Any] = RECIPE) -> Path:
    """A whole finished run."""
    folder.mkdir(parents=True)
    (folder / "recipe.yaml").write_text(yaml.safe_dump(dict(recipe), sort_keys=False))
    write_json(
        folder / "run.json",
        {
            "name": recipe["name"],
            "hash": "5f1c0de5",
            "created": "2026-09-01T10:00:00Z",
            "versions": {"torch": "2.13.0", "transformers": "5.17.0", "trl": "1.16.0"},
            "git": {"commit": "0123abc", "dirty": True},
            "seed": recipe["seed"],
            "warnings": ["the learning rate is outside the range that was tried"],
            "command": ["harness", "run", "quickstart"],
            "python": "3.11.4",
            "platform": "Linux",
            "environment": {"numpy": "2.3.1"},
            "recipe_description": "Train a tiny model on procedural rooms, in minutes on a laptop.",
        },
    )
    counts = dict.fromkeys((*NUMERIC, *CHOICE), 40)
    write_json(
        folder / "questions" / "summary.json",
        {
            "scenes": {"train": 24, "evaluate": 6},
            "skipped": [{"scene": "room_13", "reason": "box: side lengths must be positive"}],
            "questions": {"train": counts, "evaluate": dict.fromkeys((*NUMERIC, *CHOICE), 6)},
            "tasks": {"vsi_bench": dict.fromkeys((*NUMERIC, *CHOICE), 6)},
            "faults": {"room_3": ["two boxes named chair_1; the second was renamed"]},
            "layout_video": True,
        },
    )
    for stage, steps in (("sft", 40), ("grpo", 120)):
        place = folder / f"train-{stage}"
        write_jsonl(place / "metrics.jsonl", metrics(stage))
        summary: dict[str, Any] = {"method": stage, "steps": steps, "seconds": 93.1}
        if stage == "grpo":
            write_jsonl(place / "rollouts.jsonl", rollouts())
            summary |= {"reward_first": 0.21, "reward_last": 1.05, "peak_memory_gb": 3.4}
            summary["guard"] = {
                "generation": {"passes": 120, "videos": 960},
                "policy": {"passes": 120},
            }
        write_json(place / "summary.json", summary)
    for model in SKILL:
        place = folder / f"evaluate-{model}" / "vsi_bench"
        write_jsonl(place / "answers.jsonl", answers(model))
        write_json(place / "scores.json", scores(model))
        if model in ("sft", "grpo"):
            write_json(place / "difference.json", difference(model))
    for number in range(6):
        write_video(folder / "questions" / "videos" / f"room_{number}.mp4", hue=40 * number)
    return folder


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run; read only."""
    return write_run(tmp_path_factory.mktemp("runs") / "quickstart")


@pytest.fixture
def run_folder(finished_run: Path, tmp_path: Path) -> Path:
    """A copy of the finished run to spoil."""
    return Path(shutil.copytree(finished_run, tmp_path / "quickstart"))


@pytest.fixture(name="write_video")
def write_video_fixture() -> Callable[..., None]:
    return write_video


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Path]:
    """Writes a small finished run without videos: `make_run(name, seed=1, beta=0.1)`."""

    def make(name: str, *, seed: int = 0, beta: float = 0.0001, macro: float = 0.3) -> Path:
        folder = tmp_path / name
        train = {"grpo": RECIPE["train"]["grpo"] | {"beta": beta}}
        recipe = RECIPE | {"name": name, "seed": seed, "train": train}
        folder.mkdir()
        (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe, sort_keys=False))
        write_json(folder / "run.json", {"name": name, "seed": seed})
        write_json(
            folder / "train-grpo" / "summary.json",
            {"method": "grpo", "steps": 2, "reward_first": 0.1, "reward_last": macro},
        )
        write_json(
            folder / "evaluate-grpo" / "vsi_bench" / "scores.json",
            {
                "n": 60,
                "scenes": 6,
                "partial": False,
                "rows": [{"name": "macro", **interval(macro, 60, 0.02)}],
            },
        )
        return folder

    return make
