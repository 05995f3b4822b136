"""Damaged and contradictory annotations: every fault is named with its file and field."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.errors import SceneError
from harness_plugins.scenes.files import bounded
from harness_plugins.scenes.scannet import alignment, annotation
from harness_plugins.scenes.scannet.alignment import read_alignment
from harness_plugins.scenes.scannet.annotation import read_annotation
from harness_plugins.scenes.scannet.source import build
from harness_plugins.scenes.settings import ScanNetSettings

SCAN = "scene0011_00"
SEGS = r"00_vh_clean_2\.0\.010000\.segs\.json"
AGGREGATION = r"00\.aggregation\.json"


def load(release):
    return build(ScanNetSettings(root=release.root)).load(SCAN)


def read(release, vertices=None):
    return read_annotation(release.segments, release.aggregation, scan=SCAN, vertices=vertices)


def by_hand(release, segments, *groups):
    release.write()
    release.changed(release.segments, segIndices=segments)
    release.changed(
        release.aggregation,
        segGroups=[
            {"id": number, "objectId": number, "segments": list(mine), "label": label}
            for number, (label, mine) in enumerate(groups)
        ],
    )


def test_an_instance_is_every_vertex_whose_segment_is_in_its_group(release):
    by_hand(release, [5, 9, 2, 5, 0, 9], ("chair", [9, 2]), ("table", [5]))
    found = read(release, 6)
    assert [(one.id, one.label, one.vertices.tolist()) for one in found.instances] == [
        ("0", "chair", [1, 2, 5]),
        ("1", "table", [0, 3]),
    ]
    assert found.faults == ()


def test_a_segment_of_two_objects_goes_to_the_later_one(release):
    by_hand(release, [5, 9, 2], ("chair", [9, 2]), ("table", [5, 9]), ("sofa", [5]))
    found = read(release)
    assert [(one.label, one.vertices.tolist()) for one in found.instances] == [
        ("chair", [2]),
        ("table", [1]),
        ("sofa", [0]),
    ]
    assert found.faults == (
        "segGroups[1] (table): 1 of its segments are in an object before it too, taken as its own",
        "segGroups[2] (sofa): 1 of its segments are in an object before it too, taken as its own",
    )


def test_objects_without_vertices_are_left_out(release):
    by_hand(release, [5, 9, 9], ("chair", []), ("table", [7]), ("sofa", [9]))
    found = read(release)
    assert [one.id for one in found.instances] == ["2"]
    assert found.faults == (
        "segGroups[0] (chair): no vertices, kept out",
        "segGroups[1] (table): no vertices, kept out",
    )


def change_group(**fields):
    return lambda release: release.group(1, **fields)


def change(name, **fields):
    return lambda release: release.changed(getattr(release, name), **fields)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            change("segments", segIndices=[1, 2]),
            rf"{SEGS}: segIndices: 2 segment ids, but the mesh",
        ),
        (change("segments", segIndices=[]), rf"{SEGS}: segIndices: is empty"),
        (change("segments", segIndices=None), rf"{SEGS}: segIndices: expected a list of .* None"),
        (change("segments", segIndices={"0": 1}), rf"{SEGS}: segIndices: expected a list"),
        (change("segments", segIndices=[1, -2]), rf"{SEGS}: segIndices: expected whole.*found -2"),
        (change("segments", segIndices=[1, 2.5]), rf"{SEGS}: segIndices: .*found 2\.5"),
        (change("segments", segIndices=[1, True]), rf"{SEGS}: segIndices: .*found True"),
        (change("segments", segIndices=[1, "2"]), rf"{SEGS}: segIndices: .*found '2'"),
        (change("segments", segIndices=[1, 10**30]), rf"{SEGS}: segIndices: .*found 1000"),
        (change("segments", sceneId="scene0012_00"), rf"{SEGS}: sceneId: 'scene0012_00', expected"),
        (change("aggregation", sceneId=7), rf"{AGGREGATION}: sceneId: 7, expected {SCAN}"),
        (
            change("aggregation", segGroups=3),
            rf"{AGGREGATION}: segGroups: expected a list, found 3",
        ),
        (
            change("aggregation", segGroups=["chair"]),
            rf"{AGGREGATION}: segGroups\[0\]: expected an object, found 'chair'",
        ),
        (
            change_group(label=None),
            rf"{AGGREGATION}: segGroups\[1\]\.label: expected a label, found N",
        ),
        (change_group(label=" "), rf"{AGGREGATION}: segGroups\[1\]\.label: expected a label"),
        (
            change_group(objectId=None),
            r"segGroups\[1\]\.objectId: expected a whole number, found None",
        ),
        (change_group(objectId=-1), r"segGroups\[1\]\.objectId: expected a whole number, found -1"),
        (
            change_group(objectId=True),
            r"segGroups\[1\]\.objectId: expected a whole number, found T",
        ),
        (change_group(objectId=0), r"segGroups\[1\]\.objectId: 0 occurs twice"),
        (change_group(segments="all"), r"segGroups\[1\]\.segments: expected a list"),
        (change_group(segments=[100, -1]), r"segGroups\[1\]\.segments: expected whole numbers"),
        (
            change_group(segments=[100, 4000]),
            rf"segGroups\[1\]\.segments: segment 4000 is out of range: .*{SEGS} ends at 111",
        ),
        (lambda release: release.segments.unlink(), rf"{SEGS}: no such file"),
        (lambda release: release.segments.write_text("[1, 2]"), rf"{SEGS}: expected an object"),
        (
            lambda release: release.segments.write_text("[" * 99999),
            rf"{SEGS}: not readable as JSON",
        ),
        (lambda release: release.aggregation.write_bytes(b"\xff"), rf"{AGGREGATION}: not readable"),
        (lambda release: release.mesh.unlink(), r"_vh_clean_2\.ply: no such file"),
        (
            lambda release: release.mesh.write_bytes(release.mesh.read_bytes()[:5000]),
            r"_vh_clean_2\.ply: vertex: the header promises",
        ),
        (
            lambda release: release.path(".txt").write_text("axisAlignment = 1 0 0"),
            r"00\.txt: axisAlignment: expected 16 numbers once, found '1 0 0'",
        ),
    ],
)
def test_what_is_wrong_is_named(release, spoil, message):
    spoil(release.write())
    with pytest.raises(SceneError, match=message):
        load(release)


def test_all_faults_of_a_scan_are_told_at_once(release):
    release.write()
    release.mesh.unlink()
    release.group(0, label=7)
    release.group(3, segments=None)
    release.changed(release.segments, segIndices="none")
    release.path(".txt").write_text("axisAlignment = 2 " + "0 " * 15)
    with pytest.raises(SceneError) as caught:
        load(release)
    told = str(caught.value).split("; ")
    # The remedy of the missing mesh is behind a semicolon of its own.
    fields = [line for line in told if line.startswith("/")]
    assert [
        line.removeprefix(f"{release.mesh.parent}/{SCAN}").split(": ")[:2] for line in fields
    ] == [
        ["_vh_clean_2.ply", "no such file"],
        [".txt", "axisAlignment"],
        ["_vh_clean_2.0.010000.segs.json", "segIndices"],
        [".aggregation.json", "segGroups[0].label"],
        [".aggregation.json", "segGroups[3].segments"],
    ]


def test_files_beyond_their_limits_are_not_read(release, monkeypatch):
    release.write()
    monkeypatch.setattr(annotation, "MOST_BYTES", 100)
    monkeypatch.setattr(alignment, "MOST_BYTES", 50)
    with pytest.raises(
        SceneError, match=rf"00\.txt: more than 50 bytes.*{SEGS}: more than 100 bytes"
    ):
        load(release)


IDENTITY = "1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (IDENTITY[:-2], "expected 16 numbers once"),
        (f"{IDENTITY} 0", "expected 16 numbers once"),
        (IDENTITY.replace("1 0 0 0 0", "one 0 0 0 0"), "expected 16 numbers once"),
        (f"{IDENTITY}\naxisAlignment = {IDENTITY}", "expected 16 numbers once"),
        (IDENTITY.replace("1 0 0 0 0", "nan 0 0 0 0"), "no rotation and shift"),
        (IDENTITY.replace("1 0 0 0 0", "1 0 0 inf 0"), "no rotation and shift"),
        (IDENTITY.replace("1 0 0 0 0", "1 0 0 1e9 0"), "no rotation and shift"),
        (IDENTITY.replace("1 0 0 0 0", "1e200 0 0 0 0"), "no rotation and shift"),
        (IDENTITY.replace("1 0 0 0 0", "-1 0 0 0 0"), "no rotation and shift"),
        (IDENTITY.replace("1 0 0 0 0", "1.1 0 0 0 0"), "no rotation and shift"),
        (IDENTITY[:-1] + "2", "no rotation and shift"),
    ],
)
def test_an_alignment_is_a_rotation_and_a_shift(tmp_path, value, message):
    (tmp_path / "scan.txt").write_text(f"axisAlignment = {value}\n")
    with pytest.raises(SceneError, match=rf"scan\.txt: axisAlignment: {message}"):
        read_alignment(tmp_path / "scan.txt")


def test_the_published_alignment_is_read(tmp_path):
    (tmp_path / "scene0000_00.txt").write_text(
        "axisAlignment = 0.945519 0.325568 0.000000 -5.384390 -0.325568 0.945519 0.000000 -2.871780 "
        "0.000000 0.000000 1.000000 -0.064350 0.000000 0.000000 0.000000 1.000000\n"
        "colorHeight = 968\n"
    )
    found = read_alignment(tmp_path / "scene0000_00.txt")
    assert found.matrix[:3, 3].tolist() == [-5.38439, -2.87178, -0.06435]
    assert found.faults == ()


def test_a_folder_or_a_pipe_is_no_file(tmp_path):
    with pytest.raises(SceneError, match="no such file"):
        bounded.read_bytes(tmp_path, 10)


@settings(
    derandomize=True,
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_damage_is_an_error_of_ours_or_a_scene(new_release, data):
    release = new_release().write()
    path = data.draw(
        st.sampled_from([release.segments, release.aggregation, release.path(".txt"), release.mesh])
    )
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place : place + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=3))
    path.write_bytes(bytes(content))
    try:
        scene = load(release)
    except SceneError:
        return
    assert scene.room_area > 0


def test_any_json_in_place_of_a_group_is_an_error_of_ours(release):
    for value in (None, [], {}, 1, "x", [[]], {"label": {}, "objectId": [], "segments": [{}]}):
        release.write()
        release.aggregation.write_text(json.dumps({"segGroups": [value]}))
        with pytest.raises(SceneError, match=r"segGroups\[0\]"):
            load(release)
