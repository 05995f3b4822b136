"""VSI-Bench's metadata: both spellings, known faults mended, all others named."""

import json
import math
from copy import deepcopy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.component import SceneSource
from harness.errors import SceneError
from harness_plugins.scenes.meta_record import read_scene
from harness_plugins.scenes.settings import VsiBenchMetaSettings
from harness_plugins.scenes.vsi_bench_meta import build


def box(x: float, side: float = 1.0, **more) -> dict:
    return {
        "centroid": [x, 0.0, 0.5],
        "axesLengths": [side, side, 1.0],
        "normalizedAxes": [1, 0, 0, 0, 1, 0, 0, 0, 1],
        **more,
    }


RECORD = {
    "dataset": "scannet",
    "video_path": "/somewhere/else.mp4",
    "room_size": 12.5,
    "room_center": [0.0, 0.0, 1.2],
    "object_counts": {"sofa": 1, "chair": 2},
    "object_bbox": {"chair": [box(1.0), box(3.0)], "sofa": [box(5.0)]},
}


@pytest.fixture
def source(tmp_path):
    """Make a source over some records, written as one file of the validation split."""

    def make(records=None, /, name="scannet_meta_info_val.json", **fields):
        content = {"scene0001_00": RECORD} if records is None else records
        (tmp_path / name).write_text(json.dumps(content))
        return build(VsiBenchMetaSettings(root=tmp_path, **fields))

    return make


def changed(**fields) -> dict:
    return {**deepcopy(RECORD), **fields}


def test_a_scene_is_read(source):
    found = source()
    assert isinstance(found, SceneSource)
    assert found.missing() == []
    assert found.scene_ids() == ("scene0001_00",)
    scene = found.load("scene0001_00")
    assert (scene.id, scene.dataset, scene.split) == ("scene0001_00", "scannet", "val")
    assert (scene.room_area, scene.room_centre) == (12.5, (0.0, 0.0, 1.2))
    assert dict(scene.counts) == {"sofa": 1, "chair": 2}
    # In the order of the counts, which is the order questions follow.
    assert [thing.id for thing in scene.objects] == ["sofa_0", "chair_0", "chair_1"]
    assert scene.objects[2].box.centre == (3.0, 0.0, 0.5)
    assert (scene.video, scene.frames, scene.faults) == (None, (), ())


def test_the_other_spelling_is_read_too(source):
    boxes = {
        "chair": [box(1.0, instance_id=7), box(3.0, instance_id=9)],
        "sofa": [box(5.0, instance_id=2, min_corner=[4.5, -0.5, 0.0], max_corner=[5.5, 0.5, 1.0])],
    }
    record = changed(object_bboxes=boxes)
    del record["object_bbox"]
    scene = source({"scene0001_00": record}).load("scene0001_00")
    assert [(thing.id, thing.category) for thing in scene.objects] == [
        ("2", "sofa"),
        ("7", "chair"),
        ("9", "chair"),
    ]
    assert scene.faults == ()


def test_the_split_is_in_the_files_name(source):
    assert source(name="x_meta_info_train.json").load("scene0001_00").split == "train"
    assert (
        source(name="x_meta_info_v2.json", files=("x_meta_info_v2.json",))
        .load("scene0001_00")
        .split
        is None
    )


def test_exact_duplicates_are_dropped_and_noted(source):
    record = changed(object_counts={"sofa": 1, "chair": 1})
    record["object_bbox"]["chair"] = [box(1.0), box(1.0)]
    scene = source({"s": record}).load("s")
    assert [thing.id for thing in scene.objects] == ["sofa_0", "chair_0"]
    assert scene.faults == (
        "object_bbox.chair[1]: exactly the box of an instance before it, dropped",
    )
    assert [thing.category for thing in scene.singletons] == ["sofa", "chair"]


def test_counts_that_disagree_are_kept_and_noted(source):
    record = changed(object_counts={"sofa": 1, "chair": 3, "lamp": 1})
    scene = source({"s": record}).load("s")
    assert dict(scene.counts) == {"sofa": 1, "chair": 3, "lamp": 1}
    assert scene.faults == (
        "object_counts.chair: 3 counted, 2 boxes",
        "object_counts.lamp: 1 counted, 0 boxes",
    )


def test_counts_that_disagree_are_refused_if_asked_to(source):
    record = changed(object_counts={"sofa": 1, "chair": 3})
    with pytest.raises(SceneError, match=r"scene s: object_counts.chair: 3 counted, 2 boxes"):
        source({"s": record}, strict_counts=True).load("s")


def test_corners_that_contradict_the_axes_are_noted(source):
    record = changed()
    record["object_bbox"]["sofa"] = [box(5.0, min=[4.5, -0.5, 0.0], max=[5.5, 0.9, 1.0])]
    (fault,) = source({"s": record}).load("s").faults
    assert fault == "object_bbox.sofa[0]: its stored min and max are up to 0.40 m off its axes"


def with_box(**fields) -> dict:
    record = changed()
    record["object_bbox"]["sofa"] = [{**box(5.0), **fields}]
    return record


def without(*path: str) -> dict:
    record = changed()
    place = record
    for key in path[:-1]:
        place = place[key]
    del place[path[-1]]
    return record


SOFA = "object_bbox.sofa[0]"


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ([], "expected an object, found list"),
        (None, "expected an object, found NoneType"),
        (without("dataset"), "dataset: expected the name of a data set, found None"),
        (changed(dataset="../../etc"), "dataset: expected the name of a data set, found '../../etc'"),
        (without("room_size"), "room_size: expected square metres, found None"),
        (changed(room_size=0), "room_size: expected square metres, found 0"),
        (changed(room_size=-3.5), "room_size: expected square metres, found -3.5"),
        (changed(room_size=math.nan), "room_size: expected square metres, found nan"),
        (changed(room_size=10**400), "room_size: expected square metres"),
        (changed(room_size=1e9), "room_size: expected square metres, found 1000000000.0"),
        (changed(room_size="12"), "room_size: expected square metres, found '12'"),
        (without("room_center"), "room_center: expected 3 finite numbers, found None"),
        (changed(room_center=[0.0, 0.0]), "room_center: expected 3 finite numbers"),
        (without("object_counts"), "object_counts: expected an object, found None"),
        (changed(object_counts={"sofa": 1.5}), "object_counts.sofa: expected a positive whole number"),
        (changed(object_counts={"sofa": 0}), "object_counts.sofa: expected a positive whole number"),
        (changed(object_counts={"sofa": True}), "object_counts.sofa: expected a positive whole number"),
        (without("object_bbox"), "object_bbox: expected it or object_bboxes, found neither"),
        (changed(object_bboxes={}), "object_bbox: expected it or object_bboxes, found both"),
        (changed(object_bbox=[]), "object_bbox: expected an object of categories"),
        (changed(object_bbox={"sofa": box(1)}), "object_bbox.sofa: expected a list of boxes"),
        (changed(object_bbox={" ": [box(1)]}), "object_bbox. : expected a list of boxes"),
        (changed(object_bbox={"sofa": [7]}), f"{SOFA}: expected an object, found 7"),
        (with_box(centroid=[0.0, math.inf, 0.0]), f"{SOFA}.centroid: expected 3 finite numbers"),
        (with_box(centroid=[0.0, 1e7, 0.0]), f"{SOFA}.centroid: expected numbers up to 10000"),
        (with_box(axesLengths=[1.0, 0.0, 1.0]), f"{SOFA}.axesLengths: expected positive metres"),
        (with_box(axesLengths=[1.0, -2.0, 1.0]), f"{SOFA}.axesLengths: expected positive metres"),
        (with_box(axesLengths=[1.0, math.nan, 1.0]), f"{SOFA}.axesLengths: expected 3 finite numbers"),
        (with_box(axesLengths=[1.0, 500.0, 1.0]), f"{SOFA}.axesLengths: expected numbers up to 100"),
        (with_box(axesLengths=[1.0, 1.0]), f"{SOFA}.axesLengths: expected 3 finite numbers"),
        (with_box(normalizedAxes=[1, 0, 0]), f"{SOFA}.normalizedAxes: expected 9 finite numbers"),
        (with_box(normalizedAxes=[1, 0, 0, 1, 0, 0, 0, 0, 1]), f"{SOFA}: box: axes are not orthonormal"),
        (with_box(normalizedAxes="identity"), f"{SOFA}.normalizedAxes: expected 9 finite numbers"),
        (with_box(min=[0, 0]), f"{SOFA}.min: expected 3 finite numbers"),
        (with_box(instance_id="chair_0"), f"{SOFA}.instance_id: 'chair_0' occurs twice"),
    ],
)  # fmt: skip
def test_a_faulty_record_is_refused_with_file_scene_and_field(source, record, message):
    found = source({"scene0001_00": record, "good": RECORD})
    with pytest.raises(SceneError) as caught:
        found.load("scene0001_00")
    assert "scannet_meta_info_val.json: scene scene0001_00: " in str(caught.value)
    assert message in str(caught.value)
    assert found.load("good").id == "good"


def test_all_faults_of_a_record_come_at_once(source):
    record = changed(room_size=-1, dataset=3)
    record["object_bbox"]["sofa"] = [box(5.0, side=0.0)]
    with pytest.raises(SceneError) as caught:
        source({"s": record}).load("s")
    for field in ("room_size", "dataset", "object_bbox.sofa[0].axesLengths"):
        assert f"scene s: {field}" in str(caught.value)


@pytest.mark.parametrize("name", ["../outside", ".hidden", "a/b", "", "a" * 200])
def test_an_id_that_is_no_file_name_is_refused(source, name):
    with pytest.raises(SceneError, match="the id may hold letters"):
        source({name: RECORD}).load(name)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"scene0001_00": {"dataset": "scann', "not readable as JSON"),
        ("", "not readable as JSON"),
        ("[1, 2]", "expected an object, found list"),
        ("[" * 100_000, "not readable as JSON"),
        ("\udcff", "not readable as JSON"),
    ],
)
def test_a_broken_file_is_refused(tmp_path, text, message):
    path = tmp_path / "scannet_meta_info_val.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(SceneError, match=message) as caught:
        build(VsiBenchMetaSettings(root=tmp_path)).scene_ids()
    assert str(path) in str(caught.value)


def test_all_broken_files_and_repeated_scenes_come_at_once(tmp_path):
    (tmp_path / "a_meta_info_val.json").write_text("{")
    (tmp_path / "b_meta_info_val.json").write_text(json.dumps({"s": RECORD}))
    (tmp_path / "c_meta_info_val.json").write_text(json.dumps({"s": RECORD}))
    with pytest.raises(SceneError) as caught:
        build(VsiBenchMetaSettings(root=tmp_path)).scene_ids()
    assert "a_meta_info_val.json: not readable" in str(caught.value)
    assert "c_meta_info_val.json: scene 's' is in b_meta_info_val.json too" in str(caught.value)


def test_filters(source):
    scenes = {f"s{i}": changed(dataset="scannet" if i % 2 else "arkitscenes") for i in range(6)}
    assert source(scenes).scene_ids() == ("s0", "s1", "s2", "s3", "s4", "s5")
    assert source(scenes, datasets=("arkitscenes",)).scene_ids() == ("s0", "s2", "s4")
    assert source(scenes, datasets=("arkitscenes",), limit=2).scene_ids() == ("s0", "s2")
    assert source(scenes, only=("s4", "s1")).scene_ids() == ("s1", "s4")


def test_filters_that_name_what_is_not_there(source):
    with pytest.raises(SceneError, match="only: s7, s8 not in"):
        source(only=("s8", "scene0001_00", "s7")).scene_ids()
    with pytest.raises(SceneError, match=r"datasets: scanet not in .*, which has scannet"):
        source(datasets=("scanet",)).scene_ids()


def test_a_faulty_record_is_not_hidden_by_a_filter(source):
    found = source({"good": RECORD, "bad": []}, datasets=("scannet",))
    assert found.scene_ids() == ("good", "bad")


def test_footage_is_found_where_it_is(source, tmp_path):
    videos = tmp_path / "videos"
    (videos / "scannet").mkdir(parents=True)
    (videos / "scannet" / "a.mp4").write_bytes(b"")
    found = source({"a": RECORD, "b": RECORD}, videos=videos)
    assert found.load("a").video.path == videos / "scannet" / "a.mp4"
    assert found.load("a").video.layout is False
    assert found.load("b").video is None


def test_what_is_missing_is_said_with_a_remedy(tmp_path):
    (unset,) = build(VsiBenchMetaSettings()).missing()
    assert "root is not set" in unset
    assert "--set scenes." in unset
    (nowhere,) = build(VsiBenchMetaSettings(root=tmp_path / "no")).missing()
    assert "is no folder" in nowhere
    (empty,) = build(VsiBenchMetaSettings(root=tmp_path)).missing()
    assert "no *_meta_info_*.json in" in empty
    absent, outside = build(
        VsiBenchMetaSettings(root=tmp_path, files=("a.json", "../b.json"))
    ).missing()
    assert "a.json does not exist" in absent
    assert "'../b.json' must be the name of a file in root" in outside


def test_missing_footage_folder_is_said(source, tmp_path):
    (lacking,) = source(videos=tmp_path / "no").missing()
    assert "is no folder: give the folder with <dataset>/<scene>.mp4" in lacking


def test_a_source_that_lacks_its_files_refuses_to_list():
    with pytest.raises(SceneError, match="root is not set"):
        build(VsiBenchMetaSettings()).scene_ids()


def test_an_unknown_scene_is_refused(source):
    with pytest.raises(SceneError, match="no scene 'scene0002_00'"):
        source().load("scene0002_00")


def test_the_released_files_are_read_whole(shared_data):
    found = build(VsiBenchMetaSettings(root=shared_data("vsibench-meta-info")))
    scenes = [found.load(scene_id) for scene_id in found.scene_ids()]
    assert len(scenes) == 288
    assert {d: sum(s.dataset == d for s in scenes) for d in {s.dataset for s in scenes}} == {
        "scannet": 88,
        "scannetpp": 50,
        "arkitscenes": 150,
    }
    assert {scene.split for scene in scenes} == {"val"}
    # 3,197 boxes, of which 12 are exact duplicates of printers.
    assert sum(len(scene.objects) for scene in scenes) == 3185
    faults = {scene.id: scene.faults for scene in scenes if scene.faults}
    duplicated = [scene for scene, found in faults.items() if all("printer" in f for f in found)]
    assert sorted(duplicated) == [
        "scene0050_01", "scene0077_01", "scene0144_00", "scene0207_02", "scene0378_01",
        "scene0462_00", "scene0565_00", "scene0593_00", "scene0704_01",
    ]  # fmt: skip
    assert {scene: faults[scene] for scene in faults.keys() - set(duplicated)} == {
        "scene0474_04": ("object_counts.chair: 3 counted, 4 boxes",),
        "scene0500_00": (
            "object_counts.chair: 38 counted, 39 boxes",
            "object_counts.window: 7 counted, 5 boxes",
        ),
    }


def paths(value, path=()):
    """Every place in a JSON value."""
    yield path
    parts = value.items() if isinstance(value, dict) else enumerate(value)
    for key, part in parts:
        yield (*path, key)
        if isinstance(part, dict | list):
            yield from list(paths(part, (*path, key)))[1:]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.sampled_from(list(paths(RECORD))[1:]), json_values)
def test_whatever_stands_in_a_record_it_is_a_scene_or_a_scene_error(path, value):
    record = deepcopy(RECORD)
    place = record
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    refused, scene = "", None
    try:
        scene = read_scene("s", record, where="file", split=None, strict_counts=False)
    except SceneError as error:
        refused = str(error)
    assert refused.startswith("file: ") == (scene is None)
    assert scene is None or all(min(thing.box.size) > 0 for thing in scene.objects)
