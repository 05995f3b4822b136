"""The scene source `store`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import SceneError
from harness.scene import Scene
from harness.store import StoreRecord, table_of, write_shard
from harness_plugins.scenes.procedural import build as build_procedural
from harness_plugins.scenes.settings import ProceduralSettings, StoreSettings
from harness_plugins.scenes.store import build


@pytest.fixture
def scenes() -> list[Scene]:
    """Six scenes of two data sets: two to train on, two to validate, two of no split."""
    source = build_procedural(ProceduralSettings(scenes=6))
    return [
        replace(source.load(name), dataset=f"set{k % 2}", split=("train", "val", None)[k % 3])
        for k, name in enumerate(source.scene_ids())
    ]


@pytest.fixture
def root(tmp_path: Path, scenes: list[Scene]) -> Path:
    """A store of them, in two files."""
    for shard in range(2):
        rows = [(table_of(scene), None) for scene in scenes[3 * shard : 3 * shard + 3]]
        write_shard(tmp_path / f"scenes-{shard:05d}.parquet", rows)
    record = {"plugin": "p", "distribution": "d", "version": "1", "harness": "1", "ids": ""}
    StoreRecord(source="s", settings={}, videos=False, scenes=6, shard=3, **record).write(tmp_path)
    return tmp_path


def test_the_scenes_come_in_their_order(root: Path, scenes: list[Scene]) -> None:
    source = build(StoreSettings(root=root))
    assert source.missing() == []
    assert [source.load(name) for name in source.scene_ids()] == scenes


@pytest.mark.parametrize(
    ("settings", "places"),
    [
        ({"limit": 2}, [0, 1]),
        ({"datasets": ("set1",)}, [1, 3, 5]),
        ({"split": "train"}, [0, 3]),
        ({"split": "train", "datasets": ("set1",)}, [3]),
        ({"datasets": ("set1", "set0"), "limit": 5}, [0, 1, 2, 3, 4]),
        ({"only": ("procedural_000004_s0", "procedural_000001_s0")}, [1, 4]),
    ],
)
def test_filters(root: Path, scenes: list[Scene], settings: dict, places: list[int]) -> None:
    ids = build(StoreSettings(root=root, **settings)).scene_ids()
    assert list(ids) == [scenes[place].id for place in places]


def test_filters_that_name_what_is_not_there_are_told_all_at_once(root: Path) -> None:
    source = build(StoreSettings(root=root, only=("x",), datasets=("set2",), split="test"))
    with pytest.raises(SceneError) as caught:
        source.scene_ids()
    assert str(caught.value) == (
        f"store: only: x not in {root}; datasets: set2 not in {root}, which has set0, set1; "
        f"split: test not in {root}, which has train, val"
    )


def test_what_is_missing_is_told_with_the_remedy(tmp_path: Path, root: Path) -> None:
    remedy = (
        "make a store with `harness scenes import SOURCE --out FOLDER`, and give it with --set "
        "root=FOLDER (in a recipe: --set scenes.train.root=FOLDER)"
    )
    assert build(StoreSettings()).missing() == [f"root is not set: {remedy}"]
    gone = tmp_path / "gone"
    assert build(StoreSettings(root=gone)).missing() == [f"root {gone} is no folder: {remedy}"]
    gone.mkdir()
    (said,) = build(StoreSettings(root=gone)).missing()
    assert said.startswith(f"{gone} holds no scene store (no store.json): make one with")
    (root / "scenes-00001.parquet").unlink()
    (said,) = build(StoreSettings(root=root)).missing()
    assert said == (
        f"root {root}: 1 files are missing, scenes-00001.parquet the first: run its `harness "
        "scenes import` again to finish it"
    )
    with pytest.raises(SceneError, match="1 files are missing"):
        build(StoreSettings(root=root)).scene_ids()


def test_an_unknown_scene_is_refused(root: Path) -> None:
    with pytest.raises(SceneError, match="no scene 'x' in this store"):
        build(StoreSettings(root=root)).load("x")
