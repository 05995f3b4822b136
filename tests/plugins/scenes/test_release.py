"""Procedural rooms as a raw ScanNet release."""

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import SceneError, UsageError
from harness.fitting import upright_box
from harness.geometry import polygon_area
from harness.layout import Drawing, render
from harness_plugins.scenes.files.ply import read_mesh
from harness_plugins.scenes.files.sens import SensFile
from harness_plugins.scenes.procedural import build
from harness_plugins.scenes.release.alignment import axis_alignment
from harness_plugins.scenes.release.recording import resized, walk_of
from harness_plugins.scenes.release.scan import Sizes
from harness_plugins.scenes.release.scannet import write_scannet
from harness_plugins.scenes.release.surfaces import Surfaces
from harness_plugins.scenes.settings import ProceduralSettings

SIZES = Sizes(frames=6, colour=(64, 48), depth=(32, 24), spacing=0.2)
SCAN = "scene9000_00"


def source_of(scenes, **changed):
    return build(ProceduralSettings(scenes=scenes, min_objects=6, max_objects=9, **changed))


def put(folder, source, said=None, sizes=SIZES):
    said = [] if said is None else said
    write_scannet(source.scene_ids(), source.load, folder, lambda *step: said.append(step), sizes)


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    """The folder of a release of two L-shaped rooms, and the first scene."""
    folder = tmp_path_factory.mktemp("release")
    source = source_of(2, l_shaped=1)
    said = []
    put(folder, source, said)
    assert said == [(1, 2), (2, 2)]
    return folder, source.load(source.scene_ids()[0])


def aligned(release):
    """(4, 4) of the scan's text file."""
    text = (release[0] / "scans" / SCAN / f"{SCAN}.txt").read_text()
    facts = dict(line.split(" = ") for line in text.splitlines())
    return facts, np.array(facts["axisAlignment"].split(), dtype=float).reshape(4, 4)


def test_the_files_of_a_release(release):
    folder, _ = release
    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    endings = (
        ".sens",
        ".txt",
        ".aggregation.json",
        "_vh_clean_2.ply",
        "_vh_clean_2.labels.ply",
        "_vh_clean_2.0.010000.segs.json",
    )
    assert names == {
        "scannetv2-labels.combined.tsv",
        "scannetv2_train.txt",
        "scannetv2_val.txt",
        "scenes.json",
        *(f"scans/{s}/{s}{e}" for s in (SCAN, "scene9001_00") for e in endings),
    }
    assert (folder / "scannetv2_train.txt").read_text() == f"{SCAN}\n"
    assert (folder / "scannetv2_val.txt").read_text() == "scene9001_00\n"
    assert json.loads((folder / "scenes.json").read_text()) == {
        SCAN: "procedural_000000_s0",
        "scene9001_00": "procedural_000001_s0",
    }


def test_no_scan_has_the_number_of_a_real_one(shared_data):
    splits = shared_data("scannet-splits")
    real = {line for path in splits.glob("*.txt") for line in path.read_text().split()}
    assert max(real) < SCAN


def test_the_facts_of_a_scan(release):
    facts, alignment = aligned(release)
    assert (facts["colorWidth"], facts["depthHeight"]) == ("64", "24")
    assert (facts["numColorFrames"], facts["sceneType"]) == ("6", "Misc.")
    assert float(facts["fx_color"]) == pytest.approx(2 * float(facts["fx_depth"]))
    assert np.abs(alignment - np.eye(4)).max() > 0.5
    assert np.abs(alignment[:3, :3] @ alignment[:3, :3].T - np.eye(3)).max() < 2e-6


def test_objects_come_back_from_mesh_segments_and_groups(release):
    folder, scene = release
    place = folder / "scans" / SCAN
    mesh = read_mesh(place / f"{SCAN}_vh_clean_2.ply")
    segments = json.loads((place / f"{SCAN}_vh_clean_2.0.010000.segs.json").read_text())
    groups = json.loads((place / f"{SCAN}.aggregation.json").read_text())
    assert (segments["sceneId"], groups["sceneId"]) == (SCAN, f"scannet.{SCAN}")
    assert groups["segmentsFile"] == f"scannet.{SCAN}_vh_clean_2.0.010000.segs.json"
    of_vertex = np.array(segments["segIndices"])
    assert len(of_vertex) == len(mesh.vertices)
    _, alignment = aligned(release)
    points = mesh.vertices.astype(float) @ alignment[:3, :3].T + alignment[:3, 3]
    found = [
        (group["label"], points[np.isin(of_vertex, group["segments"])])
        for group in groups["segGroups"]
    ]
    assert [group["objectId"] for group in groups["segGroups"]] == list(range(len(found)))
    assert sorted(s for group in groups["segGroups"] for s in group["segments"]) == list(
        range(of_vertex.max() + 1)
    )
    objects = [(label, part) for label, part in found if label not in {"floor", "wall"}]
    assert [label for label, _ in objects] == [item.category for item in scene.objects]
    for (_, part), item in zip(objects, scene.objects, strict=True):
        box = upright_box(part)
        assert np.abs(np.subtract(box.centre, item.box.centre)).max() < 1e-4
        assert sorted(box.size) == pytest.approx(sorted(item.box.size), abs=1e-4)
    (floor,) = (part for label, part in found if label == "floor")
    level = Drawing.of(scene).floor
    assert np.abs(floor[:, 2] - level).max() < 1e-5
    walls = [part for label, part in found if label == "wall"]
    assert len(walls) == len(scene.floor) == 6
    assert max(part[:, 2].max() for part in walls) == pytest.approx(level + scene.height, abs=1e-5)


def test_labels_of_the_second_mesh(release):
    place = release[0] / "scans" / SCAN
    plain = read_mesh(place / f"{SCAN}_vh_clean_2.ply")
    labelled = read_mesh(place / f"{SCAN}_vh_clean_2.labels.ply")
    assert np.array_equal(plain.vertices, labelled.vertices)
    assert plain.labels is None
    assert {1, 2} < set(labelled.labels.tolist()) <= set(range(1, 41))


def test_the_table_counts_every_label(release):
    folder, _ = release
    groups = [
        group["label"]
        for path in folder.rglob("*.aggregation.json")
        for group in json.loads(path.read_text())["segGroups"]
    ]
    rows = (folder / "scannetv2-labels.combined.tsv").read_text().splitlines()[1:]
    assert {row.split("\t")[1]: int(row.split("\t")[3]) for row in rows} == Counter(groups)


def test_the_recording_shows_the_room(release):
    folder, scene = release
    recording = SensFile(folder / "scans" / SCAN / f"{SCAN}.sens")
    _, alignment = aligned(release)
    poses = recording.poses()
    assert [pose is None for pose in poses] == [False, False, True, False, False, False]
    assert [recording.entry(number).colour_time for number in (0, 3)] == [0, 100_000]
    walk = walk_of(scene, 6, 64, 48)
    drawing = Drawing.of(scene)
    for number, (frame, pose) in enumerate(zip(walk, poses, strict=True)):
        if pose is not None:
            assert np.abs(alignment @ pose - frame.pose).max() < 1e-5
        colour, depth = recording.frame(number)
        drawn = render(drawing, frame)
        assert np.abs(colour.astype(float) - drawn.colour).mean() < 12
        camera = resized(frame.intrinsics, 32, 24)
        expected = render(drawing, replace(frame, intrinsics=camera)).depth
        assert np.abs(depth - np.where(np.isfinite(expected), expected, 0)).max() <= 5.1e-4
    intrinsics = recording.header.colour.intrinsics
    assert (intrinsics.width, intrinsics.height) == (64, 48)
    assert intrinsics.fx == pytest.approx(walk[0].intrinsics.fx)


def test_what_is_written_is_kept_and_what_is_begun_is_made_again(tmp_path):
    source = source_of(2)
    put(tmp_path, source)
    first, second = (tmp_path / "scans" / name for name in (SCAN, "scene9001_00"))
    (first / "note").touch()
    second.rename(second.with_name(".writing-scene9001_00"))
    (tmp_path / "scans" / ".writing-scene9001_00" / f"{SCAN}.sens").touch()
    before = {path: path.stat().st_mtime_ns for path in first.iterdir()}
    put(tmp_path, source)
    assert before == {path: path.stat().st_mtime_ns for path in first.iterdir()}
    assert sorted(path.name for path in (tmp_path / "scans").iterdir()) == [SCAN, "scene9001_00"]
    assert not (second / f"{SCAN}.sens").exists()


@pytest.mark.parametrize("floor", [(), ((0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (1.0, 4.0))])
def test_a_scene_without_a_floor_of_right_angles_leaves_nothing(tmp_path, floor):
    def load(scene_id):
        return replace(source_of(1).load(scene_id), floor=floor)

    with pytest.raises(SceneError, match="scene procedural_000000_s0: the floor's outline has"):
        write_scannet(["procedural_000000_s0"], load, tmp_path, print, SIZES)
    assert list((tmp_path / "scans").iterdir()) == []


def test_the_same_scenes_give_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        put(tmp_path / name, source_of(1))
    files = [path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*.*")]
    for path in (path for path in files if (tmp_path / "one" / path).is_file()):
        assert (tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes()


def test_a_release_of_one_scene_holds_none_out(tmp_path):
    put(tmp_path, source_of(1))
    assert (tmp_path / "scannetv2_val.txt").read_text() == ""


def test_more_scenes_than_ids(tmp_path):
    with pytest.raises(UsageError, match="ids for 1000 scenes at most, found 1001"):
        source_of(1001).write_release(tmp_path / "release", print)
    assert not (tmp_path / "release").exists()


@settings(derandomize=True, max_examples=20, deadline=None)
@given(number=st.integers(0, 10_000), spacing=st.floats(0.1, 1))
def test_surfaces_cover_floor_walls_and_boxes(number, spacing):
    source = source_of(10_001)
    scene = source.load(source.scene_ids()[number])
    surfaces = Surfaces.of(scene, spacing)
    corners = surfaces.vertices[surfaces.faces]
    edges = corners - np.roll(corners, 1, axis=1)
    # The long side of a triangle is the diagonal of its cell.
    assert np.linalg.norm(edges, axis=-1).max() <= spacing * 2**0.5 + 1e-9
    areas = np.linalg.norm(np.cross(edges[:, 0], edges[:, 1]), axis=-1) / 2
    group_of = np.empty(surfaces.segments.max() + 1, dtype=int)
    for place, group in enumerate(surfaces.groups):
        group_of[list(group.segments)] = place
    found = np.bincount(group_of[surfaces.segments[surfaces.faces[:, 0]]], areas)
    outline = np.array(scene.floor)
    lengths = np.linalg.norm(np.roll(outline, -1, axis=0) - outline, axis=1)
    sides = [item.box.size for item in scene.objects]
    expected = [
        polygon_area(scene.floor),
        *(lengths * scene.height),
        *(2 * (w * d + d * h + h * w) for w, d, h in sides),
    ]
    assert found == pytest.approx(expected)


@settings(derandomize=True, max_examples=50)
@given(st.text(max_size=20))
def test_alignments_are_rigid_turns_about_z(scene_id):
    matrix = axis_alignment(scene_id)
    assert np.array_equal(matrix, axis_alignment(scene_id))
    assert np.array_equal(matrix, matrix.round(6))
    assert np.array_equal(matrix[2, :3], (0, 0, 1))
    assert np.linalg.det(matrix[:3, :3]) == pytest.approx(1, abs=1e-5)
    assert np.abs(matrix[:3, 3]).max() <= 5
