"""`harness run` as its users meet it: the run folder, resuming, refusals, grids, Ctrl-C."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.runs import opened

Main = Callable[..., Any]
RUN = Path("runs/light")


def snapshot(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file of finished stages, with its inode and time: neither changes unless it is made anew."""
    return {
        str(path): (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and {"questions", "evaluate-frequency"} & set(path.parts)
    }


def record(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "run.json").read_text())


def test_a_run_folder_says_what_it_was_made_with(harness_main, light):
    ended = harness_main("run", light)
    assert ended.code == 0
    made = record(RUN)
    shown = harness_main("recipe", "show", light).out
    assert made["hash"] == re.search(r"hash ([0-9a-f]{64})", shown)[1]
    assert yaml.safe_load((RUN / "recipe.yaml").read_text()) == yaml.safe_load(shown)
    assert harness_main("recipe", "show", RUN / "recipe.yaml").out == shown
    assert (made["seed"], made["warnings"]) == (0, [])
    assert made["command"] == ["harness", "run", "light.yaml"]
    assert {"vsi-harness", "torch", "transformers", "trl", "numpy"} <= made["versions"].keys()
    assert set(made["git"] or ["commit", "dirty"]) == {"commit", "dirty"}
    for file in (
        "questions/train.jsonl",
        "questions/tasks/generated.jsonl",
        "questions/done.json",
        "evaluate-frequency/generated/answers.jsonl",
        "evaluate-frequency/generated/scores.json",
        "evaluate-frequency/done.json",
        "report/report.html",
    ):
        assert (RUN / file).is_file(), file
    assert "report: runs/light/report/report.html" in ended.err


def test_only_scenes_that_are_asked_about_are_drawn(harness_main, light):
    harness_main("run", light)  # trains nothing
    drawn = {path.stem for path in (RUN / "questions/videos").glob("*.mp4")}
    assert drawn == {f"procedural-procedural_00000{i}_s2" for i in range(3)}


def test_the_same_command_makes_nothing_twice(harness_main, light):
    harness_main("run", light)
    before = snapshot(RUN)
    again = harness_main("run", light)
    assert again.code == 0
    assert "questions: done before\nevaluate-frequency: done before\n" in again.err
    assert snapshot(RUN) == before


def test_another_recipe_is_refused_and_fresh_starts_over(harness_main, light):
    harness_main("run", light)
    before = snapshot(RUN)
    (RUN / "notes.txt").write_text("mine")
    refused = harness_main("run", light, "--set", "seed=1")
    assert refused.code == 2
    assert "holds a run of another recipe or other settings" in refused.err
    assert "--fresh to start over" in refused.err
    assert snapshot(RUN) == before
    assert harness_main("run", light, "--set", "seed=1", "--fresh").code == 0
    assert not (RUN / "notes.txt").exists()
    assert record(RUN)["seed"] == 1
    assert harness_main("run", light, "--set", "seed=1").code == 0


def test_fresh_makes_the_same_run_anew(harness_main, light):
    harness_main("run", light)
    before = snapshot(RUN)
    assert harness_main("run", light, "--fresh").code == 0
    after = snapshot(RUN)
    assert before.keys() == after.keys()
    assert not set(before.values()) & set(after.values())


def test_a_run_that_failed_early_does_not_stand_in_the_way(harness_main, light):
    failed = harness_main("run", light, "--set", "scenes.evaluate.seed=1")
    assert failed.code == 1
    assert "occur in scenes.train and in scenes.evaluate" in failed.err
    assert harness_main("run", light).code == 0


def test_a_folder_of_other_files_is_refused(harness_main, light):
    RUN.mkdir(parents=True)
    (RUN / "thesis.tex").write_text("mine")
    for options in ([], ["--fresh"]):
        refused = harness_main("run", light, *options)
        assert refused.code == 2
        assert "has files in it and is no run folder" in refused.err
    assert [path.name for path in RUN.iterdir()] == ["thesis.tex"]


def test_a_file_in_the_place_of_the_run_folder_is_refused(harness_main, light):
    Path("runs").mkdir()
    RUN.write_text("mine")
    refused = harness_main("run", light)
    assert (refused.code, refused.err) == (
        2,
        "error: runs/light is a file, expected a run folder: choose another with --out\n",
    )
    refused = harness_main("run", light, "--out", RUN)
    assert refused.code == 2
    assert "runs/light/light cannot be made or written (Not a directory)" in refused.err


def test_a_damaged_record_is_told_apart_from_another_recipe(harness_main, light):
    harness_main("run", light)
    (RUN / "run.json").write_text("{")
    refused = harness_main("run", light)
    assert (refused.code, refused.err) == (
        2,
        "error: runs/light/run.json is damaged: put it back, or start over with --fresh\n",
    )
    assert harness_main("run", light, "--fresh").code == 0


def test_two_processes_cannot_use_one_run_folder(harness_main, light):
    with opened(RUN, "", {"hash": "0"}, fresh=True):
        for options in ([], ["--fresh"]):
            refused = harness_main("run", light, *options)
            assert refused.code == 2
            assert f"run folder runs/light is in use by process {os.getpid()}" in refused.err
    assert harness_main("run", light, "--fresh").code == 0


def test_other_software_in_a_resumed_run_is_noted(harness_main, light):
    harness_main("run", light)
    (RUN / "evaluate-frequency/done.json").unlink()
    made = record(RUN)
    made["versions"]["numpy"] = "1.0"
    (RUN / "run.json").write_text(json.dumps(made))
    resumed = harness_main("run", light)
    warning = r"evaluate-frequency was made with numpy [\d.]+ \(the run was begun with 1\.0\)"
    assert re.search(warning, resumed.err)
    assert [re.fullmatch(warning, found) is not None for found in record(RUN)["warnings"]] == [True]
    assert (
        "Warning of the run: evaluate-frequency was made with numpy"
        in (RUN / "report/report.html").read_text()
    )


GRID = ["--set", "name=grid", "--set", "matrix={evaluate.resamples: [100, 200], seed: [0, 1]}"]
CELLS = [f"runs/grid/resamples={n}-seed={seed}" for n in (100, 200) for seed in (0, 1)]


def test_a_grid_shares_stages_and_ends_in_a_comparison(harness_main, light):
    ended = harness_main("run", light, *GRID)
    assert ended.code == 0
    assert sorted(map(str, Path("runs/grid").glob("*=*"))) == CELLS
    assert re.findall(r"questions: taken from (\S+),", ended.err) == [
        "resamples=100-seed=0",
        "resamples=100-seed=1",
    ]
    shared = [Path(cell, "questions/train.jsonl").stat().st_ino for cell in CELLS]
    assert shared[0] == shared[2] != shared[1] == shared[3]
    assert "comparison of final models" in ended.out
    assert "seed=0" in Path("runs/grid/comparison.html").read_text()
    assert all(Path(cell, "report/report.html").is_file() for cell in CELLS)


def test_a_grid_goes_on_where_it_stopped(harness_main, light):
    harness_main("run", light, *GRID)
    before = snapshot(Path("runs/grid"))
    third = Path(CELLS[2], "evaluate-frequency")
    (third / "done.json").unlink()
    Path("runs/grid/comparison.html").unlink()
    again = harness_main("run", light, *GRID)
    assert again.code == 0
    assert again.err.count("done before") == 7
    changed = {path for path, made in snapshot(Path("runs/grid")).items() if before[path] != made}
    assert changed == {
        str(third / name)
        for name in ("begun.json", "done.json", "generated/answers.jsonl", "generated/scores.json")
    }
    assert Path("runs/grid/comparison.html").is_file()


def test_a_fresh_grid_takes_nothing_from_the_old_one(harness_main, light):
    harness_main("run", light, *GRID)
    before = snapshot(Path("runs/grid"))
    assert harness_main("run", light, *GRID, "--fresh").code == 0
    assert not set(before.values()) & set(snapshot(Path("runs/grid")).values())


def test_a_grid_is_checked_before_its_first_cell(harness_main, light):
    harness_main("run", light, "--set", "name=seed=1", "--out", "runs/grid", "--set", "seed=7")
    refused = harness_main("run", light, "--set", "name=grid", "--set", "matrix={seed: [0, 1]}")
    assert refused.code == 2
    assert "runs/grid/seed=1 holds a run of another recipe" in refused.err
    assert not Path("runs/grid/seed=0/questions").exists()


def test_what_all_cells_lack_is_said_once(harness_main, light):
    lacking = harness_main("run", light, *GRID, "--set", "scenes.evaluate.use=vsi_bench_meta")
    assert lacking.code == 2
    assert lacking.err.count("scenes.evaluate: root is not set") == 1
    assert not Path("runs").exists()


@pytest.mark.parametrize("options", [[], GRID])
def test_an_interrupt_ends_with_the_command_to_go_on(harness_process, harness_main, light, options):
    begun = harness_process(
        "run", light, "--fresh", *options, plugins="fragile", FRAGILE=r"SIGINT 2 questions/.*\.mp4"
    )
    out, err = begun.communicate(timeout=60)
    assert begun.returncode == 130
    assert (out, "Traceback" in err) == ("", False)
    folder = CELLS[0] if options else "runs/light"
    again = " ".join(["harness run light.yaml", *(f"'{o}'" if " " in o else o for o in options)])
    assert err.endswith(f"interrupted; {folder} keeps all finished work. To go on: {again}\n")
    assert harness_main("run", light, *options).code == 0


def test_an_interrupt_of_many_drawing_processes_leaves_none(harness_process, light):
    # a terminal sends Ctrl-C to all of them
    many = ["--set", "scenes.evaluate.scenes=64", "--set", "video.layout.seconds=60"]
    begun = harness_process("run", light, *many)
    while not list(RUN.glob("questions/videos/*.mp4")):
        assert begun.poll() is None, begun.communicate()
        time.sleep(0.01)
    os.killpg(begun.pid, signal.SIGINT)
    _, err = begun.communicate(timeout=60)
    assert begun.returncode == 130
    assert "Traceback" not in err
    assert "To go on: harness run light.yaml --set scenes.evaluate.scenes=64" in err
    assert ends_within(10, begun.pid)


def ends_within(seconds: float, group: int) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False
