"""ScanNet++: instances, rooms, labels and splits of a hand-written release, and its faults."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.component import SceneSource
from harness.errors import SceneError
from harness_plugins.scenes.files.labels import shipped_labels
from harness_plugins.scenes.scannetpp import source as module
from harness_plugins.scenes.scannetpp.source import build
from harness_plugins.scenes.settings import ScanNetPPSettings

SCENE = "036bce3393"


def extent(box):
    return (box.corners.max(axis=0) - box.corners.min(axis=0)).tolist()


def test_a_scene_is_read(release):
    source = release.write().source()
    assert isinstance(source, SceneSource)
    assert source.missing() == []
    assert source.scene_ids() == (SCENE,)
    scene = source.load(SCENE)
    assert (scene.dataset, scene.split, scene.video, scene.frames) == ("scannetpp", None, None, ())
    assert [(thing.id, thing.category) for thing in scene.objects] == [
        ("2", "table"),
        ("3", "chair"),
        ("4", "chair"),
        ("5", "computer mouse"),
    ]
    assert dict(scene.counts) == {"table": 1, "chair": 2, "computer mouse": 1}
    assert scene.objects[0].box.centre == pytest.approx((1.5, 1.3, 0.4))
    assert extent(scene.objects[0].box) == pytest.approx([1.0, 0.6, 0.8])
    assert scene.visibility is None
    # Stuff of the room is no instance class; that is not a fault worth a scene.
    assert scene.faults == ("labels that the list of labels does not have: floor (1), wall (1)",)


def test_the_room_is_measured_on_the_mesh(release):
    scene = release.write().source().load(SCENE)
    assert scene.room_area == pytest.approx(12.0, abs=0.1)
    assert scene.room_centre == pytest.approx((2.0, 1.5, 1.25), abs=1e-6)
    assert len(scene.floor) >= 4


def test_annotated_axes_are_rows(release):
    release.write()
    c, s = math.cos(0.3), math.sin(0.3)

    def turn(groups):
        groups[1]["obb"]["normalizedAxes"] = [c, s, 0, -s, c, 0, 0, 0, 1]

    release.groups(turn)
    box = release.source().load(SCENE).objects[0].box
    # The longest side, 1 m along the first row.
    tip = np.array(box.centre) + np.array([c, s, 0]) * 0.5
    assert np.abs((tip - box.centre) @ box.rotation.T).tolist() == pytest.approx([0.5, 0, 0])


@pytest.mark.parametrize("boxes", ["oriented", "axis_aligned"])
def test_boxes_can_be_fitted_to_the_mesh(release, boxes):
    release.write()

    def spoil(groups):
        for group in groups:
            del group["obb"]

    release.groups(spoil)
    scene = release.source(boxes=boxes).load(SCENE)
    assert extent(scene.objects[0].box) == pytest.approx([1.0, 0.6, 0.8], abs=1e-3)
    assert scene.objects[1].box.centre == pytest.approx((2.75, 2.25, 0.5), abs=1e-3)
    with pytest.raises(SceneError, match=r"segGroups\[1\]\.obb: expected an object"):
        release.source().load(SCENE)


def test_an_instance_may_have_many_segments_that_are_not_in_the_mesh(release):
    release.write()

    def join(groups):
        groups[1]["segments"] = [11, 12, 999, 11]
        groups[2]["segments"] = [998]

    release.groups(join)
    scene = release.source(boxes="axis_aligned").load(SCENE)
    table = scene.objects[0].box
    # Table and office chair together: x 1 to 3, y 1 to 2.5.
    assert extent(table) == pytest.approx([2.0, 1.5, 1.0], abs=1e-3)
    assert dict(scene.counts) == {"table": 1, "computer mouse": 1}
    assert scene.faults[:2] == (
        "segGroups[2] (office chair): none of its segments is in the mesh",
        "chair: all 2 left out, as 3 has no usable box",
    )


def test_a_box_that_does_not_hold_its_vertices_is_noted(release):
    """The chair's box moved by a third of its width, and the table's by a centimetre."""
    release.write().record()

    def move(groups):
        groups[1]["obb"]["centroid"][0] += 0.01
        groups[2]["obb"]["centroid"][0] += 0.17

    release.groups(move)
    scene = release.source().load(SCENE)
    # Of its six columns of vertices the first two are outside now.
    assert (
        scene.faults[0]
        == "segGroups[2] (office chair): 67 % of its vertices are in its annotated box"
    )
    assert len(scene.faults) == 2
    assert dict(scene.counts) == {"table": 1, "chair": 2, "computer mouse": 1}


def test_splits(release):
    for scene in ("c", "a", "b"):
        release.write(scene)
    release.split("nvs_sem_train.txt", "c", "a", "not-here")
    release.split("nvs_sem_val.txt", "b")
    assert release.source().scene_ids() == ("a", "b", "c")
    assert release.source(split="train").scene_ids() == ("a", "c")
    assert release.source(split="val").scene_ids() == ("b",)
    assert release.source(split="train", limit=1).scene_ids() == ("a",)
    assert release.source(only=("c", "b")).scene_ids() == ("b", "c")
    assert release.source().load("a").split == "train"
    assert release.source(split="val").load("b").split == "val"
    with pytest.raises(SceneError, match=r"only: b not among its scenes"):
        release.source(split="train", only=("b",)).scene_ids()
    with pytest.raises(SceneError, match="no scene 'b' among its 2 scenes"):
        release.source(split="train").load("b")


def test_the_official_split_names_are_taken(release, shared_data):
    """The 50 validation scenes of the official list, of which two are on disk here."""
    official = (shared_data("vlm3r-splits") / "scannetpp_nvs_sem_val.txt").read_text().split()
    assert len(official) == 50
    for scene in (official[3], official[7]):
        release.write(scene)
    release.split("nvs_sem_val.txt", *official)
    assert release.source(split="val").scene_ids() == tuple(sorted((official[3], official[7])))


def test_what_is_missing_is_told_with_a_remedy(release, tmp_path):
    assert "--set root=FOLDER" in build(ScanNetPPSettings()).missing()[0]
    assert "is no folder" in build(ScanNetPPSettings(root=tmp_path / "x")).missing()[0]
    source = release.source(split="val", labels=tmp_path / "l.json", videos=tmp_path / "v")
    assert [line.split(" ")[0] for line in source.missing()] == [
        "no",
        str(tmp_path / "splits" / "nvs_sem_val.txt"),
        "labels",
        "videos",
    ]
    with pytest.raises(SceneError, match=r"scannetpp: no data/<scene>/scans/segments_anno\.json"):
        source.scene_ids()


def test_the_list_of_labels_is_that_of_vsi_bench(shared_data):
    """84 instance classes; every category of VSI-Bench's 50 scenes comes out of them."""
    labels = shipped_labels(module.__file__, None)
    assert len(labels.known) == 84
    assert len(labels.exclude) == 35
    assert labels.vetoes == {}
    kept = {labels.category(label) for label in labels.known} - {None}
    path = shared_data("vsibench-meta-info") / "scannetpp_meta_info_val.json"
    released = {
        name for scene in json.loads(path.read_text()).values() for name in scene["object_counts"]
    }
    assert len(released) == 43
    assert released - kept == set()


def test_a_list_of_ones_own_and_vetoes(release, tmp_path):
    release.write()
    own = tmp_path / "own.json"
    own.write_text(json.dumps({"labels": ["wall", "table"], "vetoes": {SCENE: ["table"]}}))
    scene = release.source(labels=own).load(SCENE)
    assert dict(scene.counts) == {"wall": 1}
    own.write_text(json.dumps({"labels": ["wall", "table"], "vetoes": {"other": ["table"]}}))
    assert dict(release.source(labels=own).load(SCENE).counts) == {"table": 1, "wall": 1}


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"axesLengths": [1, 0, 1]}, "side lengths must be positive"),
        ({"centroid": [float("nan"), 0, 0]}, "has numbers that are not finite"),
        ({"normalizedAxes": [0] * 9}, "axes are not orthonormal rows"),
    ],
)
def test_a_category_goes_with_a_box_that_is_none(release, changed, fault):
    release.write()
    release.groups(lambda groups: groups[2]["obb"].update(changed))
    scene = release.source().load(SCENE)
    assert dict(scene.counts) == {"table": 1, "computer mouse": 1}
    assert scene.faults[0].startswith("segGroups[2].obb: ")
    assert fault in scene.faults[0]
    assert scene.faults[1] == "chair: all 2 left out, as 3 has no usable box"


def test_a_broken_box_that_nobody_asks_about_is_no_fault(release):
    release.write()
    release.groups(lambda groups: groups[0].update(obb=None))
    assert dict(release.source().load(SCENE).counts) == {
        "table": 1,
        "chair": 2,
        "computer mouse": 1,
    }


def test_all_problems_of_an_annotation_are_told(release):
    release.write()

    def spoil(groups):
        groups[0] = 7
        groups[1].update(label=None, segments=["x"])
        groups[2].update(objectId=True)
        groups[3]["obb"]["centroid"] = [1, 2]
        del groups[4]["obb"]["axesLengths"]

    release.groups(spoil)
    with pytest.raises(SceneError) as caught:
        release.source().load(SCENE)
    path = release.scans() / "segments_anno.json"
    told = str(caught.value)
    for problem in (
        "segGroups[0]: expected an object, found 7",
        "segGroups[1].label: expected a name, found None",
        "segGroups[1].segments: expected whole numbers, found ['x']",
        "segGroups[2].objectId: expected a number, found True",
        "segGroups[3].obb.centroid: expected 3 numbers, found [1, 2]",
        "segGroups[4].obb.axesLengths: expected 3 numbers, found None",
    ):
        assert f"{path}: {problem}" in told


def test_twins_and_empty_annotations_are_refused(release):
    release.write()
    release.groups(lambda groups: groups[2].update(objectId=2))
    with pytest.raises(
        SceneError, match=r"segments_anno\.json: these instances' ids occur twice: 2"
    ):
        release.source().load(SCENE)
    release.json(release.scans() / "segments_anno.json", segGroups=[])
    with pytest.raises(SceneError, match="none of its 0 instances has a label"):
        release.source().load(SCENE)
    release.json(release.scans() / "segments_anno.json", segGroups={})
    with pytest.raises(SceneError, match=r"segGroups: expected a list, found \{\}"):
        release.source().load(SCENE)


@pytest.mark.parametrize(
    ("indices", "told"),
    [
        ([1, 2, 3], "segIndices: 3 of them for the mesh's"),
        ("10", "segIndices: expected whole numbers, found '10'"),
        ([1.5], "segIndices: expected whole numbers"),
        (None, "segIndices: expected whole numbers, found None"),
    ],
)
def test_segments_must_fit_the_mesh(release, indices, told):
    release.write()
    release.json(release.scans() / "segments.json", segIndices=indices)
    with pytest.raises(SceneError) as caught:
        release.source(boxes="oriented").load(SCENE)
    assert f"{release.scans() / 'segments.json'}: {told}" in str(caught.value)


def test_huge_segments_are_named(release):
    release.write()
    content = json.loads((release.scans() / "segments.json").read_text())
    content["segIndices"][0] = 2**70
    release.json(release.scans() / "segments.json", **content)
    with pytest.raises(SceneError, match=r"a number is beyond 2\*\*63"):
        release.source(boxes="oriented").load(SCENE)


@pytest.mark.parametrize("name", ["segments_anno.json", "mesh_aligned_0.05.ply"])
def test_missing_and_truncated_files_are_named(release, name):
    source = release.write().source()
    assert source.scene_ids() == (SCENE,)
    path = release.scans() / name
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(SceneError, match=str(path)):
        source.load(SCENE)
    path.unlink()
    with pytest.raises(SceneError, match=f"{path}: no such file"):
        source.load(SCENE)


def test_a_mesh_without_a_floor_is_named(release):
    release.write()
    release.mesh([[0, 0, 0], [9, 0, 0], [0, 9, 0]])
    with pytest.raises(SceneError, match=r"mesh_aligned_0\.05\.ply: its 3 vertices are too few"):
        release.source().load(SCENE)


@given(data=st.data())
@settings(derandomize=True, max_examples=40, deadline=None)
def test_damaged_json_is_a_scene_error_and_nothing_else(new_release, data):
    release = new_release().write()
    path = release.scans() / data.draw(st.sampled_from(["segments_anno.json", "segments.json"]))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place : place + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    path.write_bytes(bytes(content))
    try:
        scene = release.source(boxes="oriented").load(SCENE)
    except SceneError:
        return
    assert scene.objects
