"""`harness plan`: every packaged recipe, on a machine that has nothing and on one that has all."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.cli import main
from harness.planning import hardware

RECIPES = Path(__file__).parents[3] / "recipes"
NAMES = sorted(path.name for path in RECIPES.glob("*.yaml") if path.name != "harness.local.yaml")
PAPER = [name for name in NAMES if not name.startswith("quickstart")]
Plan = Callable[..., str]


@pytest.fixture
def no_gpu(monkeypatch):
    monkeypatch.setattr(hardware, "DRIVERS", ())


@pytest.fixture
def gpu_of(monkeypatch):
    """Puts a GPU of some GiB into the machine."""
    import torch

    def put(gib: float) -> None:
        card = SimpleNamespace(total_memory=int(gib * 2**30))
        monkeypatch.setattr(hardware, "DRIVERS", ("null",))
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _index: card)

    return put


@pytest.fixture
def plan(monkeypatch, capsys, tmp_path) -> Plan:
    """Runs the command on the packaged recipes, without this user's own settings."""
    recipes = tmp_path / "recipes"
    shutil.copytree(RECIPES, recipes, ignore=shutil.ignore_patterns("harness.local.yaml"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # typer sets its own

    def run(name: str, *words: str) -> str:
        monkeypatch.setattr(sys, "argv", ["harness", "plan", str(recipes / name), *words])
        with pytest.raises(SystemExit) as left:
            main()
        said = capsys.readouterr()
        assert (left.value.code or 0, said.err) == (0, "")
        return said.out

    return run


def cells(text: str, row: str) -> list[str]:
    """The numbers of one row of the table."""
    (line,) = (line for line in text.splitlines() if line.startswith(f"│ {row} "))
    return [cell.strip() for cell in line.strip("│").split("│")][1:]


@pytest.mark.usefixtures("no_gpu")
@pytest.mark.parametrize("name", NAMES)
def test_every_recipe_has_a_plan(plan, name):
    text = plan(name)
    assert text.startswith(f"{name.removesuffix('.yaml')}: ")
    assert "\nstages: questions → evaluate-base → train-" in text
    assert "tokens a prompt: " in text
    total = cells(text, "at most at once")
    assert all(float(size) > 0.1 for size in total)
    assert "…" not in text, "nothing is cut off"


@pytest.mark.usefixtures("no_gpu")
@pytest.mark.parametrize("name", PAPER)
def test_what_is_missing_comes_with_its_words(plan, name):
    text = plan(name)
    missing = text.partition("missing on this machine:\n")[2].splitlines()
    assert [line.split(":")[0] for line in missing] == [
        "  - scenes.train",
        "  - scenes.evaluate",
        "  - backbone",
        "  - evaluate.tasks.vsi_bench",
        "  - GPU",
    ]
    assert "--set scenes.train.root=FOLDER" in missing[0]
    assert "--set scenes.evaluate.root=FOLDER" in missing[1]
    assert "--set backbone.checkpoint=FOLDER" in missing[2]
    assert "evaluate.tasks.vsi_bench.path" in missing[3]
    assert "train scenes: unknown until the scenes can be read (see below)" in text


@pytest.mark.usefixtures("no_gpu")
def test_the_plan_of_the_paper(plan):
    text = plan("vsgrpo_7b.yaml")
    # 16 frames of 252 x 336 in training, 32 in evaluation
    assert "tokens a prompt: 864 video + about" in text
    assert "(1,728 video in evaluation)" in text
    assert "model: 8.29B parameters, bfloat16, context 32,768" in text
    assert cells(text, "weights") == ["15.44"]  # 8.29e9 numbers of two bytes
    assert cells(text, "reference") == ["0.00"]  # LoRA
    assert cells(text, "examples") == ["unknown"]
    assert cells(text, "steps") == ["3,000"]
    assert "8.3B parameters are not trained on a CPU in useful time" in text


@pytest.mark.usefixtures("no_gpu")
def test_the_quickstart_needs_nothing(plan):
    text = plan("quickstart.yaml", "--set", "scenes.train.scenes=5", "--set", "train.sft.limit=20")
    assert text.endswith("missing on this machine: nothing\n")
    assert "train scenes: 5; questions: " in text
    assert "evaluate scenes: 24; questions: " in text
    assert cells(text, "method") == ["sft", "grpo"]
    assert cells(text, "examples")[0] == "20"


@pytest.mark.usefixtures("no_gpu")
def test_questions_of_many_scenes_are_scaled_up(plan):
    few, many = (plan("quickstart.yaml", "--set", f"scenes.train.scenes={n}") for n in (100, 1000))
    counted, estimated = (
        int(
            text.partition("train scenes: ")[2].split("questions: ")[1].split()[at].replace(",", "")
        )
        for text, at in ((few, 0), (many, 1))
    )
    assert "questions: about" not in few.splitlines()[2]
    assert "questions: about" in many.splitlines()[2]
    assert 8 * counted < estimated < 12 * counted


@pytest.mark.usefixtures("no_gpu")
def test_a_matrix_shows_its_first_run(plan):
    text = plan("quickstart_matrix.yaml", "--set", "scenes.train.scenes=2")
    assert "4 runs: " in text
    assert "the plan of the first:" in text


@pytest.mark.usefixtures("no_gpu")
def test_steps_follow_from_questions_and_epochs(plan):
    changes = ("train.sft.steps=null", "train.sft.limit=100", "train.sft.epochs=2.5")
    text = plan("quickstart.yaml", *(word for change in changes for word in ("--set", change)))
    assert cells(text, "steps")[0] == "16"  # 250 examples in batches of 16


def test_a_gpu_that_is_large_enough_is_not_missing(plan, gpu_of):
    gpu_of(80)
    assert "GPU" not in plan("vsgrpo_7b.yaml").partition("missing on this machine:")[2]


def test_a_gpu_that_is_too_small_is_named(plan, gpu_of):
    gpu_of(16)
    text = plan("vsgrpo_7b.yaml")
    assert "GPU memory: about 25 GiB are needed, the GPU has 16: lower train.*.batch_size" in text


@pytest.mark.usefixtures("no_gpu")
def test_a_full_disk_is_named(plan, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=2**30))
    text = plan("vsgrpo_7b.yaml")
    assert "disk: models of about 15 GiB will be written, 1 GiB are free under runs" in text


@pytest.mark.usefixtures("no_gpu")
def test_sizes_of_an_unknown_checkpoint_are_missing(plan, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    text = plan("sft_2b.yaml", "--set", f"backbone.checkpoint={folder}")
    assert f"backbone: the sizes of '{folder}' are unknown" in text
    assert "at most at once" not in text


def test_a_plan_starts_no_torch(tmp_path):
    """It answers in a second: what it reckons with needs neither torch nor transformers."""
    code = (
        "import json, sys\n"
        "from harness.planning import hardware\n"
        "hardware.DRIVERS = ()\n"
        "from harness.cli import main\n"
        "try:\n    main()\n"
        "except SystemExit as left:\n"
        "    heavy = {'torch', 'transformers', 'trl', 'peft', 'datasets'} & set(sys.modules)\n"
        "    print(json.dumps([left.code or 0, sorted(heavy)]), file=sys.stderr)\n"
    )
    environment = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path), "COLUMNS": "80"}
    done = subprocess.run(
        [sys.executable, "-c", code, "plan", str(RECIPES / "vsgrpo_7b.yaml")],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
        cwd=tmp_path,
    )
    assert json.loads(done.stderr) == [0, []]
    assert "…" not in done.stdout


def test_questions_are_counted_as_the_run_draws_them(plan):
    drawn = plan("quickstart.yaml")
    # 320 of eight types, drawn evenly; 24 rooms have 24 sizes, and the others share the rest
    assert (
        "evaluate scenes: 24; questions: 320 (object_abs_distance 43, object_counting 42" in drawn
    )
    assert "room_size_estimation 24)" in drawn


def test_a_large_source_is_scaled_up_and_keeps_the_limits_of_families(plan):
    text = plan(
        "quickstart.yaml",
        "--set", "scenes.train.scenes=1000",
        "--set", "questions.families.room_size_estimation.limit=77",
    )  # fmt: skip
    assert "train scenes: 1,000; questions: about " in text
    assert "room_size_estimation 77)" in text
