"""ARKitScenes: boxes, labels, folds and visits of a hand-written release, and its faults."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.component import SceneSource
from harness.errors import SceneError
from harness_plugins.scenes.arkitscenes import source as module
from harness_plugins.scenes.arkitscenes.source import build
from harness_plugins.scenes.arkitscenes.visits import one_of_each, read_visits
from harness_plugins.scenes.files.labels import shipped_labels
from harness_plugins.scenes.settings import ARKitScenesSettings

SCAN = "41069025"


def test_a_scan_is_read(release):
    source = release.write().source()
    assert isinstance(source, SceneSource)
    assert source.missing() == []
    assert source.scene_ids() == (SCAN,)
    scene = source.load(SCAN)
    assert (scene.dataset, scene.split, scene.video, scene.frames) == (
        "arkitscenes",
        "val",
        None,
        (),
    )
    assert [(thing.id, thing.category) for thing in scene.objects] == [
        ("uid-0", "sofa"),
        ("uid-1", "tv"),
        ("uid-2", "table"),
    ]
    assert dict(scene.counts) == {"sofa": 1, "tv": 1, "table": 1}
    assert scene.objects[0].box.centre == pytest.approx((1.5, 2.4, 0.4))
    assert scene.objects[0].box.size == pytest.approx((2.0, 0.8, 0.8))
    # Of 4 x 3 m: the alpha shape of a sample of the vertices misses some at the edge.
    assert scene.room_area == pytest.approx(12.0, abs=0.6)
    assert scene.room_centre == pytest.approx((2.0, 1.5, 0.65))
    # A cabinet is a label of the release that is not asked about: no fault.
    assert scene.faults == ()


def test_axes_are_rows(release):
    release.write()
    c, s = math.cos(0.4), math.sin(0.4)

    def turn(content):
        content["data"][0]["segments"]["obbAligned"]["normalizedAxes"] = [
            c,
            s,
            0,
            -s,
            c,
            0,
            0,
            0,
            1,
        ]

    release.edit(turn)
    box = release.source().load(SCAN).objects[0].box
    ends = box.corners[np.argsort(box.corners @ [c, s, 0])]
    # The long side, 2 m, goes along (c, s).
    assert (ends[-4:].mean(axis=0) - ends[:4].mean(axis=0)).tolist() == pytest.approx(
        [2 * c, 2 * s, 0]
    )


def test_folds_are_splits(release):
    release.write("3").write("2", fold="Training").write("1")
    assert release.source().scene_ids() == ("1", "2", "3")
    assert release.source(split="val").scene_ids() == ("1", "3")
    assert release.source(split="train").scene_ids() == ("2",)
    assert release.source(split="train").load("2").split == "train"
    assert release.source(limit=2).scene_ids() == ("1", "2")
    with pytest.raises(SceneError, match="only: 2 not among"):
        release.source(split="val", only=("2",)).scene_ids()
    release.write("1", fold="Training")
    with pytest.raises(SceneError, match="in Training and in Validation: 1"):
        release.source().scene_ids()


def test_one_scan_of_each_visit(release):
    for scan in "12345":
        release.write(scan)
    release.table(
        *((scan, visit, "Validation") for scan, visit in zip("1234", "aabN", strict=True))
    )
    assert release.source().scene_ids() == ("1", "3", "4", "5")
    assert release.source(one_per_visit=False).scene_ids() == ("1", "2", "3", "4", "5")
    # Named ones are given, several of a visit too.
    assert release.source(only=("2", "1")).scene_ids() == ("1", "2")
    # The first that is on the machine, not the first of the table.
    release.annotation("1").unlink()
    assert release.source().scene_ids() == ("2", "3", "4", "5")


def test_the_official_table(shared_data):
    """5,047 scans of 1,661 known visits; eight scans whose visit is not known all stay."""
    visits = read_visits(shared_data("arkitscenes-splits") / "3dod_train_val_splits.csv")
    assert len(visits) == 5047
    assert sum(visit is None for visit in visits.values()) == 8
    assert len(one_of_each(visits, visits)) == 1661 + 8


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("video_id,fold\n1,Training\n", "no column visit_id"),
        ("video_id,visit_id,fold\n1,a\n", "line 2: 2 values, expected 3"),
        ("video_id,visit_id,fold\n1,a,T\n1,b,T\n", "line 3: video_id: 1 is in the table twice"),
    ],
)
def test_a_faulty_table_is_named(release, text, told):
    release.write()
    path = release.root / "3dod_train_val_splits.csv"
    path.write_text(text)
    with pytest.raises(SceneError) as caught:
        release.source().scene_ids()
    assert str(caught.value).startswith(f"{path}: {told}")
    assert release.source(one_per_visit=False).scene_ids() == (SCAN,)


def test_what_is_missing_is_told_with_a_remedy(release, tmp_path):
    assert "--set root=FOLDER" in build(ARKitScenesSettings()).missing()[0]
    assert "is no folder" in build(ARKitScenesSettings(root=tmp_path / "x")).missing()[0]
    (tmp_path / "3dod_train_val_splits.csv").unlink()
    lacking = release.source(labels=tmp_path / "l.json", videos=tmp_path / "v").missing()
    assert [line.split(" ")[0] for line in lacking] == [
        "no",
        str(tmp_path / "3dod_train_val_splits.csv"),
        "labels",
        "videos",
    ]
    assert "one_per_visit=false" in lacking[1]
    with pytest.raises(SceneError, match="arkitscenes: no <fold>/<video>/<video>_3dod_annotation"):
        release.source().scene_ids()


def test_the_labels_are_those_of_vsi_bench(shared_data):
    labels = shipped_labels(module.__file__, None)
    assert len(labels.known) == 17
    path = shared_data("vsibench-meta-info") / "arkitscenes_meta_info_val.json"
    released = {
        name for scene in json.loads(path.read_text()).values() for name in scene["object_counts"]
    }
    assert {labels.category(label) for label in labels.known} - {None} == released


def test_labels_are_compared_as_the_releases_tools_do(release):
    release.write()
    release.edit(lambda content: content["data"][1].update(label="tv monitor"))
    release.edit(lambda content: content["data"][2].update(label="throne"))
    scene = release.source().load(SCAN)
    assert dict(scene.counts) == {"sofa": 1, "tv": 1}
    assert scene.faults == ("labels that the list of labels does not have: throne (1)",)


@pytest.mark.parametrize("values", [[float("nan")] * 3, [0, 1, 1], [1, -1, 1]])
def test_a_category_goes_with_a_box_that_is_none(release, values):
    release.write()

    def spoil(content):
        content["data"][0]["segments"]["obbAligned"]["axesLengths"] = values

    release.edit(spoil)
    scene = release.source().load(SCAN)
    assert dict(scene.counts) == {"tv": 1, "table": 1}
    assert scene.faults[0].startswith("data[0].segments.obbAligned: ")
    assert scene.faults[1] == "sofa: all 1 left out, as uid-0 has no usable box"


def test_all_problems_of_an_annotation_are_told(release):
    release.write()

    def spoil(content):
        data = content["data"]
        data[0] = "sofa"
        del data[1]["uid"]
        data[1]["label"] = 3
        data[2]["segments"] = None
        data.append({"uid": "x", "label": "bed", "segments": {"obb": {}}})

    release.edit(spoil)
    with pytest.raises(SceneError) as caught:
        release.source().load(SCAN)
    for problem in (
        "data[0]: expected an object, found 'sofa'",
        "data[1].uid: expected a name, found None",
        "data[1].label: expected a name, found 3",
        "data[2].segments: expected an object, found None",
        "data[4].segments.obbAligned: expected an object with centroid, found None",
    ):
        assert f"{release.annotation()}: {problem}" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"data": [], "skipped": True}, "skipped: the annotators left this scan out"),
        ({"data": {}}, "data: expected a list"),
        ({"data": []}, "none of its 0 instances"),
    ],
)
def test_scans_without_annotation_are_refused(release, content, told):
    release.write()
    release.annotation().write_text(json.dumps(content))
    with pytest.raises(SceneError) as caught:
        release.source().load(SCAN)
    assert str(caught.value).startswith(f"{release.annotation()}: {told}")


@pytest.mark.parametrize("ending", ["_3dod_annotation.json", "_3dod_mesh.ply"])
def test_truncated_files_are_named(release, ending):
    source = release.write().source()
    source.scene_ids()
    path = release.folder() / f"{SCAN}{ending}"
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(SceneError, match=str(path)):
        source.load(SCAN)


def test_exported_videos_are_found(release, tmp_path):
    release.write()
    path = tmp_path / "videos" / "arkitscenes" / f"{SCAN}.mp4"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"")
    assert release.source(videos=tmp_path / "videos").load(SCAN).video.path == path


@given(data=st.data())
@settings(derandomize=True, max_examples=40, deadline=None)
def test_damaged_files_are_scene_errors_and_nothing_else(new_release, data):
    release = new_release().write()
    release.record()
    paths = [
        release.annotation(),
        release.frames() / "lowres_wide.traj",
        next((release.frames() / "lowres_wide_intrinsics").iterdir()),
        next((release.frames() / "lowres_depth").iterdir()),
    ]
    path = data.draw(st.sampled_from(paths))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place : place + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    path.write_bytes(bytes(content))
    try:
        scene = release.source().load(SCAN)
    except SceneError:
        return
    assert scene.objects
