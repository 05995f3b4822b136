"""The leak check, against the official lists where they lie beside the checkout."""

from __future__ import annotations

import csv
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from harness.errors import UsageError
from harness.leak import leaked, refuse_leaks, space_of

ROOT = Path(__file__).parents[2]
BENCH = "VSI-Bench"
SCANNET_VAL = "ScanNet v2 validation split"


def lines(path: Path) -> list[str]:
    return path.read_text().split()


@pytest.fixture
def bench(shared_data) -> dict[str, set[str]]:
    folder = shared_data("vsibench-meta-info")
    names = ("scannet", "scannetpp", "arkitscenes")
    return {n: set(json.loads((folder / f"{n}_meta_info_val.json").read_text())) for n in names}


@pytest.fixture
def videos(shared_data) -> list[dict[str, str]]:
    path = shared_data("arkitscenes-splits") / "3dod_train_val_splits.csv"
    return list(csv.DictReader(path.read_text().splitlines()))


def test_every_scene_of_the_benchmark_is_leaked(bench):
    assert {n: len(scenes) for n, scenes in bench.items()} == {
        "scannet": 88, "scannetpp": 50, "arkitscenes": 150,
    }  # fmt: skip
    assert {leaked(n, scene) for n, scenes in bench.items() for scene in scenes} == {BENCH}


def test_scannet_splits(shared_data, bench):
    folder = shared_data("scannet-splits")
    train, val, test = (lines(folder / f"scannetv2_{s}.txt") for s in ("train", "val", "test"))
    assert {leaked("scannet", scene) for scene in train} == {None}
    assert {leaked("scannet", scene) for scene in test} == {"ScanNet v2 test split"}
    in_bench = {space_of("scannet", scene) for scene in bench["scannet"]}
    assert {scene: leaked("scannet", scene) for scene in val} == {
        scene: BENCH if space_of("scannet", scene) in in_bench else SCANNET_VAL for scene in val
    }
    spaces = [{space_of("scannet", scene) for scene in split} for split in (train, val, test)]
    assert [len(s) for s in spaces] == [565, 142, 100]
    assert len(train) + len(val) == 1513
    assert len(spaces[0] | spaces[1]) == 707
    assert not spaces[0] & spaces[1]
    assert not (spaces[0] | spaces[1]) & spaces[2]


def test_scans_of_a_space_leak_with_it_though_no_list_names_them(shared_data):
    folder = shared_data("scannet-splits")
    for split, held_out in (("train", False), ("val", True), ("test", True)):
        for space in {scene[:9] for scene in lines(folder / f"scannetv2_{split}.txt")}:
            assert (leaked("scannet", f"{space}_99") is not None) == held_out


def test_scannetpp_splits(shared_data):
    folder = shared_data("vlm3r-splits")
    val, train = (lines(folder / f"scannetpp_nvs_sem_{s}.txt") for s in ("val", "train"))
    assert {leaked("scannetpp", scene) for scene in val} == {BENCH}
    assert {leaked("scannetpp", scene) for scene in train} == {None}


def test_arkitscenes_splits(videos, bench):
    said = {row["video_id"]: leaked("arkitscenes", row["video_id"]) for row in videos}
    val = [row["video_id"] for row in videos if row["fold"] == "Validation"]
    train = [row["video_id"] for row in videos if row["fold"] == "Training"]
    assert len(val) == 549
    assert {said[video] for video in val} == {BENCH, "ARKitScenes validation split"}
    assert bench["arkitscenes"] <= {video for video in val if said[video] == BENCH}
    # The official folds share one visit, whose validation video 41159525 is in VSI-Bench.
    assert {v: said[v] for v in train if said[v]} == {"41159521": BENCH, "41159526": BENCH}


def test_arkitscenes_spaces_are_visits(videos):
    visit_of = {row["video_id"]: row["visit_id"] for row in videos}
    spaces = {video: space_of("arkitscenes", video) for video in visit_of}
    by_space = {}
    for video, space in spaces.items():
        by_space.setdefault(space, set()).add(visit_of[video])
    assert all(len(visits) == 1 for visits in by_space.values())
    known = {visit for visit in visit_of.values() if visit != "NA"}
    unknown = [video for video, visit in visit_of.items() if visit == "NA"]
    assert len(by_space) == len(known) + len(unknown)
    assert {space_of("arkitscenes", video) for video in unknown} == set(unknown)


def test_vlm3r_trains_on_one_flat_of_the_benchmark(shared_data):
    train = lines(shared_data("vlm3r-splits") / "arkitscenes_scenes_train.txt")
    assert [video for video in train if leaked("arkitscenes", video)] == ["41159526"]


def test_other_data_sets_hold_nothing_out(bench):
    assert not any(
        leaked(name, scene)
        for name in ("procedural", "aria", "", "scannet200/x")
        for scenes in bench.values()
        for scene in scenes
    )


@pytest.mark.parametrize(
    ("dataset", "scene", "split"),
    [
        ("scannet", "scene0231_00", BENCH),
        ("ScanNet", "scene0231_02", BENCH),
        ("scannet", "scene0231", BENCH),
        ("scannet++", "7b6477cb95", BENCH),
        ("arkitscenes", "41069025", BENCH),
        ("scannet", "scene0707_00", "ScanNet v2 test split"),
        ("scannet", "scene0000_00", None),
        ("scannetpp", "scene0231_00", None),
        ("procedural", "scene0231_00", None),
        ("scannet", "\ud800", None),
        ("scannet", "", None),
    ],
)
def test_spellings(dataset, scene, split):
    assert leaked(dataset, scene) == split


def test_refusing_names_the_splits_and_the_way_out():
    asked = [
        ("scannet", "scene0000_00"),
        *(("scannet", f"scene0231_0{scan}") for scan in range(7)),
        ("scannet", "scene0707_00"),
        ("scannet", "scene0707_00"),
        ("procedural", "room-1"),
    ]
    with pytest.raises(UsageError) as refused:
        refuse_leaks(asked, allowed=False, setting="--allow-leak")
    assert str(refused.value) == (
        "8 of 10 scenes show spaces that benchmarks test on: 7 of VSI-Bench (scannet/scene0231_00, "
        "scannet/scene0231_01, scannet/scene0231_02, scannet/scene0231_03, scannet/scene0231_04, "
        "and 2 more); 1 of ScanNet v2 test split (scannet/scene0707_00). Scores on those benchmarks "
        "would mean nothing after training on them. Use scenes of the training splits, or say "
        "--allow-leak if that is what you want"
    )


def test_leaks_that_are_allowed_are_told():
    asked = [("scannet", "scene0000_00"), ("scannet", "scene0231_05")]
    assert refuse_leaks(asked, allowed=True, setting="") == {("scannet", "scene0231_05"): BENCH}
    assert refuse_leaks(asked[:1], allowed=False, setting="") == {}


def test_a_look_up_imports_nothing_heavy():
    code = (
        "import sys\nfrom harness.leak import leaked\nleaked('scannet', 'scene0000_00')\n"
        "print([n for n in ('numpy', 'pydantic', 'torch') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.fixture
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("leak_digests", ROOT / "tools/leak_digests.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_packaged_file_is_what_the_official_lists_give(shared_data, tool):
    scannet, meta = shared_data("scannet-splits"), shared_data("vsibench-meta-info")
    made = tool.make_digests(
        scannet_val=scannet / "scannetv2_val.txt",
        scannet_test=scannet / "scannetv2_test.txt",
        scannetpp_val=shared_data("vlm3r-splits") / "scannetpp_nvs_sem_val.txt",
        arkitscenes=shared_data("arkitscenes-splits") / "3dod_train_val_splits.csv",
        vsi_bench=sorted(meta.glob("*_val.json")),
    )
    assert tool.PACKAGED.read_text() == tool.as_text(made)
    assert not set(lines(scannet / "scannetv2_val.txt")) & set(tool.PACKAGED.read_text().split('"'))


def test_the_tool_takes_lists_of_its_user(tmp_path, tool):
    for name, text in {
        "val": "scene0001_00 scene0001_01\n",
        "test": "scene0002_00\n",
        "pp": "00aa\n",
        "pp_test": "00bb\n",
        "visits.csv": "video_id,visit_id,fold\n1,7,Validation\n2,7,Training\n3,NA,Validation\n",
        "bench.json": '{"scene0001_00": {"dataset": "scannet"}, "1": {"dataset": "arkitscenes"}}',
    }.items():
        (tmp_path / name).write_text(text)
    lists = {
        "scannet_val": tmp_path / "val",
        "scannet_test": tmp_path / "test",
        "scannetpp_val": tmp_path / "pp",
        "scannetpp_test": [tmp_path / "pp_test"],
        "arkitscenes": tmp_path / "visits.csv",
        "vsi_bench": [tmp_path / "bench.json"],
    }
    made = tool.make_digests(**lists)
    assert {s["name"]: len(s["spaces"]) for s in made["splits"]} == {
        "VSI-Bench": 2,
        SCANNET_VAL: 1,
        "ScanNet v2 test split": 1,
        "ScanNet++ validation split": 1,
        "ScanNet++ test split": 1,
        "ARKitScenes validation split": 2,
    }
    assert [len(videos.split()) for videos in made["visits"].values()] == [2]
    (tmp_path / "val").write_text("\n")
    with pytest.raises(ValueError, match="val: no ids"):
        tool.make_digests(**lists)


def test_the_tool_checks_the_packaged_file(shared_data):
    scannet, meta = shared_data("scannet-splits"), shared_data("vsibench-meta-info")
    arguments = [
        "--check",
        f"--scannet-val={scannet / 'scannetv2_val.txt'}",
        f"--scannet-test={scannet / 'scannetv2_test.txt'}",
        f"--scannetpp-val={shared_data('vlm3r-splits') / 'scannetpp_nvs_sem_val.txt'}",
        f"--arkitscenes={shared_data('arkitscenes-splits') / '3dod_train_val_splits.csv'}",
        "--vsi-bench",
        *map(str, sorted(meta.glob("*_val.json"))),
    ]
    command = [sys.executable, str(ROOT / "tools/leak_digests.py"), *arguments]
    same = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (same.returncode, same.stdout) == (0, "leak_digests.json is up to date\n")
    other = [*command[:-3], command[-1]]
    differs = subprocess.run(other, capture_output=True, text=True, check=False)
    assert (differs.returncode, differs.stdout) == (1, "leak_digests.json differs\n")
