"""What users really feed it: one clear error with the right exit code, and a folder that still works."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.video import write_video

RUN = Path("runs/light")
NAN = float("nan")


def box(x: float, side: float = 1.0) -> dict[str, Any]:
    return {
        "centroid": [x, 0.0, 0.5],
        "axesLengths": [side, side, 1.0],
        "normalizedAxes": [1, 0, 0, 0, 1, 0, 0, 0, 1],
    }


def good_scenes() -> dict[str, Any]:
    record = {
        "dataset": "scannet",
        "room_size": 12.5,
        "room_center": [0.0, 0.0, 1.2],
        "object_counts": {"sofa": 2, "chair": 2, "table": 1, "lamp": 1, "bed": 1, "desk": 1},
        "object_bbox": {
            "chair": [box(-2.0), box(2.5)],
            "sofa": [box(5.0), box(9.0)],
            **{name: [box(x, 0.5)] for name, x in (("table", 7), ("lamp", -6), ("bed", 13), ("desk", 18))},
        },
    }  # fmt: skip
    return {f"scene000{i}_00": deepcopy(record) for i in range(3)}


def write_scenes(content: Any) -> None:
    Path("meta").mkdir(exist_ok=True)
    text = content if isinstance(content, str) else json.dumps(content)
    Path("meta/scannet_meta_info_val.json").write_text(text)


def with_set(*overrides: str) -> list[str]:
    return [word for override in overrides for word in ("--set", override)]


REAL = with_set("scenes.evaluate.use=vsi_bench_meta", "scenes.evaluate.root=meta")


def refused(ended, code: int, *messages: str) -> None:
    """The command ended with this code and one error that says all of this, and nothing else."""
    assert ended.code == code, ended.err
    assert ended.out == ""
    assert ended.err.count("error: ") == 1, ended.err
    assert "Traceback" not in ended.err
    for message in messages:
        assert message in ended.err
    assert not list(Path.cwd().rglob(".writing-*"))


RECIPES = {
    "unknown key": ("nmae: x\n", "nmae: unknown key; did you mean 'name'?"),
    "unknown setting": (
        "scenes: {train: {scnees: 3}}\n",
        "bad.yaml:2: scenes.train.scnees: unknown key; did you mean 'scenes'?",
    ),
    "wrong type": (
        "evaluate: {batch_size: '4'}\n",
        'evaluate.batch_size: expected an integer; found "4"',
    ),
    "out of bounds": ("video: {frames: 0}\n", "video.frames: must be greater than or equal to 1"),
    "octal": ("seed: 010\n", "bad.yaml:2: 010"),
    "not a number": ("scenes: {train: {turned: .nan}}\n", "bad.yaml:2: .nan"),
    "duplicate key": ("seed: 1\nseed: 2\n", "bad.yaml:3: seed"),
    "tag": ("seed: !!python/object/apply:os.system ['touch stolen']\n", "bad.yaml:2: "),
    "no YAML": ("seed: [1\n", "bad.yaml:"),
    "unknown component": (
        "backbone: {use: tinny}\n",
        "no component 'tinny' of kind 'backbones'; did you mean 'tiny'?",
    ),
    "unknown task": ("evaluate: {tasks: {vsibench: {}}}\n", "did you mean 'vsi_bench'?"),
    "ranges crossed": (
        "scenes: {train: {min_side: 5.0, max_side: 4.0}}\n",
        "min_side 5.0 is more than max_side 4.0",
    ),
    "no such method": (
        "train: {a: {method: ppo, learning_rate: 1e-6}}\n",
        'train.a: "ppo" is no choice; did you mean',
    ),
}


@pytest.mark.parametrize(("text", "message"), RECIPES.values(), ids=RECIPES.keys())
def test_a_wrong_recipe_is_2_and_makes_nothing(harness_main, light, write, text, message):
    bad = write("bad.yaml", "extends: light.yaml\n" + text)
    refused(harness_main("run", bad), 2, message)
    assert sorted(path.name for path in Path.cwd().iterdir()) == ["bad.yaml", "light.yaml"]
    assert harness_main("run", light).code == 0


@pytest.mark.usefixtures("light")
def test_all_of_a_recipes_faults_are_told_at_once(harness_main, write):
    bad = write(
        "bad.yaml", "extends: light.yaml\nseed: one\nvideo: {frams: 2}\nbackbone: {use: x}\n"
    )
    refused(
        harness_main("run", bad), 2, "3 problems", "bad.yaml:2: seed", "bad.yaml:3: video.frams"
    )


@pytest.mark.usefixtures("light")
def test_a_number_in_scientific_notation_is_a_number(harness_main, write):
    small = write("small.yaml", "extends: light.yaml\nscenes: {train: {turned: 1e-6}}\n")
    assert harness_main("run", small).code == 0
    assert "turned: 1.0e-06" in (RUN / "recipe.yaml").read_text()


@pytest.mark.usefixtures("light")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "lihgt.yaml"], "no recipe file lihgt.yaml; did you mean 'light.yaml'?"),
        (["run", "quickstrat"], "did you mean 'quickstart'"),
        (["run", "light.yaml", "--set", "seed"], "--set seed: expected path=value"),
        (["run", "light.yaml", "--set", "seed=x=y"], "--set seed: expected an integer"),
        (["run", "light.yaml", "--set", "sede=1"], "did you mean 'seed'?"),
    ],
)
def test_a_wrong_command_line_is_2(harness_main, words, message):
    refused(harness_main(*words), 2, message)


def changed(**fields: Any) -> Callable[[dict[str, Any]], Any]:
    def change(scenes: dict[str, Any]) -> Any:
        scenes["scene0001_00"] |= fields
        return scenes

    return change


def boxed(**fields: Any) -> Callable[[dict[str, Any]], Any]:
    def change(scenes: dict[str, Any]) -> Any:
        scenes["scene0001_00"]["object_bbox"]["chair"][1] |= fields
        return scenes

    return change


FILES = {
    "truncated": (lambda scenes: json.dumps(scenes)[:-40], "may be truncated: download it again"),
    "empty": (lambda scenes: "", "not readable as JSON"),
    "a list": (lambda scenes: [scenes], "expected an object, found list"),
}
SCENES = {
    "NaN size": (boxed(axesLengths=[NAN, 1, 1]), "chair[1].axesLengths: expected 3 finite numbers"),
    "negative size": (boxed(axesLengths=[-1, 1, 1]), "axesLengths: expected positive metres"),
    "no rotation": (boxed(normalizedAxes=[1] * 9), "axes are not orthonormal"),
    "NaN area": (changed(room_size=NAN), "room_size: expected square metres, found nan"),
    "no counts": (changed(object_counts=None), "object_counts: expected an object, found None"),
    "no object": (lambda scenes: {**scenes, "scene0001_00": 3}, "expected an object, found int"),
}


@pytest.mark.parametrize(("change", "message"), FILES.values(), ids=FILES.keys())
def test_an_unreadable_file_of_scenes_fails_until_it_is_mended(
    harness_main, light, change, message
):
    write_scenes(change(good_scenes()))
    command = ["run", light, *REAL, *with_set("scenes.max_faulty=9")]
    refused(harness_main(*command), 1, "meta/scannet_meta_info_val.json", message)
    write_scenes(good_scenes())
    assert harness_main(*command).code == 0


@pytest.mark.parametrize(("change", "message"), SCENES.values(), ids=SCENES.keys())
def test_a_faulty_scene_fails_or_is_skipped_and_counted(harness_main, light, change, message):
    write_scenes(change(good_scenes()))
    refused(
        harness_main("run", light, *REAL),
        1,
        "1 of 3 scenes are faulty, scenes.max_faulty is 0",
        "scene0001_00",
        message,
    )
    skipping = harness_main("run", light, *REAL, *with_set("scenes.max_faulty=1"))
    assert skipping.code == 0, skipping.err
    summary = json.loads((RUN / "questions/summary.json").read_text())
    assert summary["scenes"] == {"train": 3, "evaluate": 2}
    assert [fault["scene"] for fault in summary["skipped"]] == ["scene0001_00"]
    assert message in summary["skipped"][0]["reason"]
    assert "scene0001_00" in (RUN / "report/report.html").read_text()
    write_scenes(good_scenes())
    assert harness_main("run", light, *REAL, "--fresh").code == 0


def test_counts_that_disagree_with_boxes_are_noted_or_refused(harness_main, light):
    scenes = good_scenes()
    scenes["scene0001_00"]["object_counts"]["chair"] = 5
    write_scenes(scenes)
    strict = with_set("scenes.evaluate.strict_counts=true")
    refused(
        harness_main("run", light, *REAL, *strict), 1, "object_counts.chair: 5 counted, 2 boxes"
    )
    assert harness_main("run", light, *REAL).code == 0
    faults = json.loads((RUN / "questions/summary.json").read_text())["faults"]
    assert faults == {"scene0001_00": ["object_counts.chair: 5 counted, 2 boxes"]}


def test_missing_files_are_told_together_before_anything_is_made(harness_main, light):
    command = ["run", light, *REAL, *with_set("evaluate.tasks.vsi_bench.path=rows.jsonl")]
    refused(
        harness_main(*command),
        2,
        "scenes.evaluate: root meta is no folder",
        "evaluate.tasks.vsi_bench: vsi_bench: path is rows.jsonl, which is no file",
    )
    assert not RUN.exists()


ROW = {
    "id": 7,
    "dataset": "scannet",
    "scene_name": "scene0001_00",
    "question_type": "object_counting",
    "question": "How many chair(s) are in this room?",
    "ground_truth": "2",
    "options": None,
}
ROWS = {
    "no JSON": ("{", "line 1: not JSON"),
    "empty": ("", "rows.jsonl: no rows"),
    "missing column": (
        json.dumps({**ROW, "question": None}),
        "question must be a non-empty string",
    ),
    "no number": (json.dumps({**ROW, "ground_truth": "two"}), "must be a number, found 'two'"),
    "no option": (
        json.dumps({**ROW, "options": ["A. 1", "B. 2"], "ground_truth": "C"}),
        "ground_truth 'C' is no letter of its 2 options",
    ),
    "id twice": (f"{json.dumps(ROW)}\n{json.dumps(ROW)}", "line 2: id '7' repeats that of line 1"),
    "unknown scene": (json.dumps({**ROW, "scene_name": "attic"}), "not in scenes.evaluate (attic)"),
}


@pytest.mark.parametrize(("text", "message"), ROWS.values(), ids=ROWS.keys())
def test_faulty_rows_fail_until_they_are_mended(harness_main, light, write, text, message):
    write_scenes(good_scenes())
    rows = write("rows.jsonl", text)
    command = ["run", light, *REAL, *with_set(f"evaluate.tasks={{vsi_bench: {{path: {rows}}}}}")]
    refused(harness_main(*command), 1, message)
    write("rows.jsonl", json.dumps(ROW) + "\n")
    assert harness_main(*command).code == 0


def footage(path: Path, frames: int = 90) -> None:
    rng = np.random.default_rng(0)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_video(path, rng.integers(0, 255, (frames, 64, 64, 3), dtype=np.uint8), 30)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])


VIDEOS = {
    "zero bytes": (lambda path: path.write_bytes(b""), "is empty (0 bytes)"),
    "no video": (lambda path: path.write_bytes(b"<html>not found</html>" * 99), "cannot be"),
    "cut off": (cut, "scene0001_00.mp4"),
}


@pytest.mark.parametrize(("damage", "message"), VIDEOS.values(), ids=VIDEOS.keys())
def test_an_unreadable_video_fails_or_is_skipped_and_counted(harness_main, light, damage, message):
    write_scenes(good_scenes())
    for scene in good_scenes():
        footage(Path(f"videos/scannet/{scene}.mp4"))
    damage(Path("videos/scannet/scene0001_00.mp4"))
    command = ["run", light, *REAL, *with_set("scenes.evaluate.videos=videos")]
    refused(harness_main(*command), 1, "1 of 3 videos cannot be read", message)
    skipping = harness_main(*command, *with_set("video.max_unreadable=1"))
    assert skipping.code == 0, skipping.err
    summary = json.loads((RUN / "questions/summary.json").read_text())
    assert [fault["scene"] for fault in summary["skipped"]] == ["scene0001_00"]
    asked = (RUN / "questions/tasks/generated.jsonl").read_text().splitlines()
    assert {json.loads(line)["scene_name"] for line in asked} == {"scene0000_00", "scene0002_00"}
    footage(Path("videos/scannet/scene0001_00.mp4"))
    assert harness_main(*command, "--fresh").code == 0
    videos = json.loads((RUN / "questions/videos.json").read_text())
    assert videos["scene0001_00"] == {
        "layout": False,
        "path": str(Path("videos/scannet/scene0001_00.mp4").absolute()),
    }


def test_a_run_without_any_readable_video_fails(harness_main, light):
    write_scenes(good_scenes())
    for scene in good_scenes():
        Path(f"videos/scannet/{scene}.mp4").parent.mkdir(parents=True, exist_ok=True)
        Path(f"videos/scannet/{scene}.mp4").touch()
    command = ["run", light, *REAL, *with_set("scenes.evaluate.videos=videos")]
    allowed = with_set("video.max_unreadable=9")
    refused(harness_main(*command, *allowed), 1, "no question for generated: none of their videos")


def test_a_checkpoint_without_a_processor_is_refused(harness_main, light):
    checkpoint = Path("checkpoint")
    checkpoint.mkdir()
    for name in ("config.json", "model.safetensors"):
        (checkpoint / name).touch()
    using = with_set("backbone.use=qwen2_vl", "backbone.checkpoint=./checkpoint")
    refused(
        harness_main("run", light, *using),
        2,
        "backbone: ./checkpoint: no tokenizer.json",
        "no processor (preprocessor_config.json or processor_config.json): copy it from the release",
    )
    absent = with_set("backbone.use=qwen2_vl", "backbone.checkpoint=./chekpoint")
    refused(harness_main("run", light, *absent), 2, "folder './chekpoint' does not exist")
    assert not RUN.exists()
