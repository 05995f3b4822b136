"""ScanNet's release as scenes: what is measured, in which world, and which scans."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.component import SceneSource
from harness.errors import SceneError
from harness.scene import VideoRef
from harness_plugins.scenes.scannet.scan import MOST_POINTS, thinned
from harness_plugins.scenes.scannet.source import build
from harness_plugins.scenes.settings import ScanNetSettings

SCAN = "scene0011_00"


def turn(yaw=0.0, shift=(0.0, 0.0, 0.0)):
    matrix = np.eye(4)
    matrix[:2, :2] = [[np.cos(yaw), -np.sin(yaw)], [np.sin(yaw), np.cos(yaw)]]
    matrix[:3, 3] = shift
    return matrix


def source(release, **fields):
    return build(ScanNetSettings(root=release.root, **{"area_samples": 100_000, **fields}))


def load(release, **fields):
    return source(release, **fields).load(SCAN)


def sides(box):
    return sorted(round(side, 5) for side in box.size)


def test_a_scan_is_measured(release):
    found = source(release.write())
    assert isinstance(found, SceneSource)
    assert (found.missing(), found.scene_ids()) == ([], (SCAN,))
    scene = found.load(SCAN)
    assert (scene.id, scene.dataset, scene.split) == (SCAN, "scannet", None)
    # VSI-Bench's categories in its order: both chairs, the renamed ones last, no shower.
    assert dict(scene.counts) == {"chair": 2, "trash bin": 1, "computer mouse": 1, "table": 1}
    assert [(thing.id, thing.category) for thing in scene.objects] == [
        ("2", "chair"),
        ("4", "chair"),
        ("3", "trash bin"),
        ("0", "computer mouse"),
        ("1", "table"),
    ]
    for thing in scene.objects:
        _, centre, size = release.things[int(thing.id)]
        assert sides(thing.box) == sorted(size)
        assert thing.box.centre == pytest.approx(centre, abs=1e-6)
        assert thing.points is None
    assert scene.room_area == pytest.approx(12.0, abs=1e-5)
    assert scene.room_centre == pytest.approx([side / 2 for side in release.room], abs=1e-5)
    assert scene.height == pytest.approx(2.5, abs=1e-6)
    assert sorted(tuple(round(x, 4) for x in corner) for corner in scene.floor) == [
        (0, 0), (0, 3), (4, 0), (4, 3),
    ]  # fmt: skip
    assert (scene.frames, scene.visibility, scene.video, scene.faults) == ((), None, None, ())


@settings(derandomize=True, max_examples=15, deadline=None)
@given(
    yaw=st.floats(-3.2, 3.2),
    shift=st.tuples(*[st.floats(-20, 20)] * 3),
    boxes=st.sampled_from(["oriented", "axis_aligned"]),
)
def test_a_turned_and_shifted_scan_is_the_same_scene(new_release, yaw, shift, boxes):
    release = new_release()
    plain = load(release.write(), boxes=boxes)
    moved = load(release.write(alignment=turn(yaw, shift)), boxes=boxes)
    assert [thing.id for thing in moved.objects] == [thing.id for thing in plain.objects]
    for one, other in zip(plain.objects, moved.objects, strict=True):
        assert np.allclose(one.box.centre, other.box.centre, atol=1e-4)
        corners = [np.sort(box.corners.round(4), axis=0) for box in (one.box, other.box)]
        assert np.allclose(*corners, atol=1e-3)
    assert np.isclose(moved.room_area, plain.room_area, atol=1e-3)
    assert np.allclose(moved.room_centre, plain.room_centre, atol=1e-4)


def test_boxes_turn_with_their_objects_or_follow_the_axes(release):
    things = [("table", (0.0, 0.0, 0.0), (1.0, 0.2, 0.5)), *release.things[1:]]
    release.write(things)
    moved = release.grid(*things[0][1:]) @ turn(np.pi / 4)[:3, :3].T + (2.0, 1.5, 0.25)
    data = bytearray(release.mesh.read_bytes())
    start = data.index(b"end_header\n") + 11 + 16 * (41 * 31 + 1)
    for place, point in enumerate(moved.astype("<f4")):
        data[start + 16 * place : start + 16 * place + 12] = point.tobytes()
    release.mesh.write_bytes(bytes(data))
    tables = [load(release, boxes=kind).of("table")[0] for kind in ("oriented", "axis_aligned")]
    assert sides(tables[0].box) == [0.2, 0.5, 1.0]
    across = round(1.2 / 2**0.5, 5)
    assert sides(tables[1].box) == [0.5, across, across]


def test_without_an_alignment_the_scan_stays_as_it_is_and_that_is_noted(release):
    release.write(alignment=turn(0.3, (5, 5, 5)), key="other")
    scene = load(release)
    assert scene.faults == (f"{SCAN}.txt has no axisAlignment: not axis-aligned",)
    expected = (np.array(release.things[1][1]) - (5, 5, 5)) @ turn(0.3)[:3, :3]
    assert scene.of("table")[0].box.centre == pytest.approx(expected, abs=1e-5)
    release.path(".txt").unlink()
    assert load(release).faults == (f"{SCAN}.txt is missing: not axis-aligned",)


def test_the_floor_follows_its_settings(release):
    release.write()
    first, again, other = (
        load(release, area_samples=3000, area_seed=seed).room_area for seed in (0, 0, 1)
    )
    assert first == again != other
    with pytest.raises(SceneError, match=r"_2\.ply: vertex: no floor: .* alpha 1000 per metre"):
        load(release, alpha=1000.0)


def test_holes_in_the_floor_count_or_not(release):
    release.write([("table", (2.0, 1.5, 0.4), (0.1, 0.1, 0.8))])
    data = bytearray(release.mesh.read_bytes())
    start = data.index(b"end_header\n") + 11
    points = np.frombuffer(
        data, dtype=[("at", "<f4", 3), ("colour", "u1", 4)], count=1271, offset=start
    )
    inside = np.flatnonzero((np.abs(points["at"][:, :2] - (2.0, 1.5)) < 1.05).all(axis=1))
    del points
    for place in inside.tolist():  # the floor within 2 x 2 m moves to a corner of the room
        data[start + 16 * place : start + 16 * place + 12] = bytes(12)
    release.mesh.write_bytes(bytes(data))
    assert load(release).room_area == pytest.approx(12.0, abs=1e-3)
    assert load(release, fill_holes=False).room_area == pytest.approx(12 - 2.2 * 2.2, abs=0.3)


def test_points_keep_the_mean_of_all_of_them(release):
    release.write()
    chair = load(release, keep_points=True).of("chair")[0]
    assert chair.points.shape == (216, 3)
    assert chair.points.mean(axis=0) == pytest.approx(release.things[2][1], abs=1e-6)


@settings(derandomize=True, max_examples=30, deadline=None)
@given(count=st.integers(1, 5 * MOST_POINTS), seed=st.integers(0, 99))
def test_thinned_points_are_few_and_have_the_same_mean(count, seed):
    points = np.random.default_rng(seed).normal(size=(count, 3)) ** 3
    kept = thinned(points)
    assert min(count, MOST_POINTS // 2) <= len(kept) <= min(count, MOST_POINTS)
    assert np.allclose(kept.mean(axis=0), points.mean(axis=0), atol=1e-12)
    if count <= MOST_POINTS:
        assert np.allclose(kept, points, atol=1e-12)


def test_a_mesh_without_faces_is_noted(release):
    release.write()
    vertices = release.mesh.read_bytes().replace(b"element face 1\n", b"element face 0\n")
    release.mesh.write_bytes(vertices)
    assert load(release).faults == (f"{SCAN}_vh_clean_2.ply has no faces",)


def test_a_scan_without_known_objects_is_a_room_all_the_same(release):
    scene = load(
        release.write([("shower", *release.things[5][1:]), ("thingamabob", *release.things[4][1:])])
    )
    assert (scene.objects, dict(scene.counts)) == ((), {})
    assert scene.room_area == pytest.approx(12.0, abs=1e-5)
    assert scene.faults == (
        "labels not in scannetv2-labels.combined.tsv, kept out: thingamabob",
        "none of the 2 annotated objects is of a category of labels vsi_bench",
    )


@pytest.mark.parametrize(
    ("labels", "counts"),
    [
        ("vsi_bench", {"chair": 2, "trash bin": 1, "computer mouse": 1, "table": 1}),
        (
            "scannet200",
            {"mouse": 1, "desk": 1, "office chair": 1, "trash can": 1, "chair": 1, "shower": 1},
        ),
        ("nyu40", {"desk": 1, "chair": 2}),
        (
            "raw",
            {"mouse": 1, "desk": 1, "office chair": 1, "trash can": 1, "chair": 1, "shower": 1},
        ),
    ],
)
def test_label_maps_give_other_categories(release, labels, counts):
    release.write(
        (*release.things, ("object", (1, 1, 1), (1, 1, 1)), ("wall", (1, 1, 1), (1, 1, 1)))
    )
    found = load(release, labels=labels).counts
    assert list(found.items()) == list(counts.items())


def test_a_map_of_ones_own(release, tmp_path):
    own = tmp_path / "own.json"
    rules = [{"column": "raw", "labels": ["shower", "desk"]}]
    own.write_text(json.dumps({"about": "mine", "take": rules, "rename": {"desk": "bureau"}}))
    given = ScanNetSettings.model_validate_json(
        json.dumps({"root": str(release.write().root), "labels": str(own)})
    )
    assert dict(build(given).load(SCAN).counts) == {"bureau": 1, "shower": 1}
    assert ScanNetSettings.model_validate_json('{"labels": "raw"}').labels == "raw"


def test_scans_are_chosen(release):
    for scan in ("scene0011_01", "scene0000_00", SCAN):
        release.write(scan=scan)
    (release.root / "scans" / "notes").mkdir()
    (release.root / "scans_test" / "scene0707_00").mkdir(parents=True)
    (release.root / "scannetv2_val.txt").write_text(f"{SCAN}\nscene0011_01\nscene0900_00\n")
    (release.root / "scannetv2_train.txt").write_text("scene0000_00\n")
    everything = ("scene0000_00", "scene0011_00", "scene0011_01")
    assert source(release).scene_ids() == everything
    assert source(release, limit=2).scene_ids() == everything[:2]
    assert source(release, split="val").scene_ids() == everything[1:]
    assert source(release, split="val", only=("scene0011_01",)).scene_ids() == everything[2:]
    splits = [source(release).load(scan).split for scan in everything]
    assert splits == ["train", "val", "val"]
    with pytest.raises(SceneError, match=r"scans, split train: only: scene0011_00 not among its"):
        source(release, split="train", only=(SCAN,)).scene_ids()
    with pytest.raises(SceneError, match=r"no scene '\.\./scene0011_00' among its 3 scenes"):
        source(release).load("../scene0011_00")


def test_the_folder_of_scans_will_do_as_root(release):
    release.write()
    (release.root / "scannetv2_val.txt").write_text(f"{SCAN}\n")
    found = build(ScanNetSettings(root=release.root / "scans", split="val"))
    assert (found.missing(), found.load(SCAN).split) == ([], "val")


def test_videos_are_found_in_either_folder(release, tmp_path):
    release.write()
    videos = tmp_path / "videos"
    videos.mkdir()
    assert load(release, videos=videos).video is None
    (videos / f"{SCAN}.mp4").write_bytes(b"x")
    assert load(release, videos=videos).video == VideoRef(videos / f"{SCAN}.mp4")
    (videos / "scannet").mkdir()
    (videos / "scannet" / f"{SCAN}.mp4").write_bytes(b"x")
    assert load(release, videos=videos).video == VideoRef(videos / "scannet" / f"{SCAN}.mp4")


def test_what_is_missing_is_told_with_its_remedy(release, tmp_path):
    def missing(**fields):
        return build(ScanNetSettings(**fields)).missing()

    remedy = "give the folder of the ScanNet release, which has `scans` in it"
    (found,) = missing()
    assert found.startswith(f"root is not set: {remedy}")
    (found,) = missing(root=Path("nowhere"))
    assert found.startswith(f"root nowhere is no folder: {remedy}")
    empty = tmp_path / "empty"
    empty.mkdir()
    found = missing(root=empty, split="val", videos=tmp_path / "no")
    assert [line.split(":")[0] for line in found] == [
        f"no folder such as scene0000_00 in {empty}",
        f"{empty / 'scannetv2-labels.combined.tsv'} does not exist",
        f"{empty / 'scannetv2_val.txt'} does not exist",
        f"videos {tmp_path / 'no'} is no folder",
    ]
    with pytest.raises(SceneError, match="scannet: no folder such as scene0000_00"):
        build(ScanNetSettings(root=empty)).scene_ids()
    assert missing(root=release.write().root, labels=Path("vsi_bnch")) == [
        "labels: 'vsi_bnch' is neither a file nor a label map of ours: did you mean 'vsi_bench'?"
    ]
    (release.root / "scannetv2-labels.combined.tsv").unlink()
    assert missing(root=release.root, labels="raw") == []
