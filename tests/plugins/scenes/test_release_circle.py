"""Procedural rooms, written as a raw ScanNet release and read back by the source `scannet`."""

from dataclasses import replace

import numpy as np
import pytest

from harness.geometry import polygon_area
from harness.layout import Drawing, render
from harness.video import probe, read_clip
from harness_plugins.scenes import procedural
from harness_plugins.scenes.release.recording import resized, walk_of
from harness_plugins.scenes.release.scan import Sizes
from harness_plugins.scenes.scannet import source as scannet
from harness_plugins.scenes.settings import ProceduralSettings, ScanNetSettings

SCANS = ("scene9000_00", "scene9001_00", "scene9002_00")
SIZES = Sizes()


@pytest.fixture(scope="module")
def rooms():
    """Three rooms as they were made."""
    return procedural.build(ProceduralSettings(scenes=len(SCANS)))


@pytest.fixture(scope="module")
def release(rooms, tmp_path_factory):
    """The release's folder."""
    folder = tmp_path_factory.mktemp("release")
    rooms.write_release(folder, lambda _done, _total: None)
    return folder


@pytest.fixture(scope="module")
def scans(release):
    """The release under the labels it was written with, every frame looked at."""
    return scannet.build(ScanNetSettings(root=release, labels="raw", posed_frames=24.0))


@pytest.fixture(scope="module", params=range(len(SCANS)), ids=SCANS)
def pair(request, rooms, scans):
    """A room as it was made and as it was read."""
    made = rooms.load(rooms.scene_ids()[request.param])
    return made, scans.load(SCANS[request.param])


def made_objects(made, read):
    """The made object of each read one; groups of floor and walls come before the objects."""
    return [made.objects[int(found.id) - 1 - len(made.floor)] for found in read.objects]


def test_the_scans_and_their_splits(scans):
    assert scans.missing() == []
    assert scans.scene_ids() == SCANS
    assert [scans.load(scan).split for scan in SCANS] == ["train", "train", "val"]


def test_the_same_objects_and_boxes(pair):
    made, read = pair
    assert dict(read.counts) == dict(made.counts)
    assert len(read.objects) == len(made.objects)
    for true, found in zip(made_objects(made, read), read.objects, strict=True):
        assert found.category == true.category
        apart = np.linalg.norm(true.box.corners[:, None] - found.box.corners[None], axis=-1)
        assert apart.min(axis=1).max() < 1e-4


def test_the_same_room(pair):
    made, read = pair
    assert read.room_area == pytest.approx(made.room_area, rel=0.02)
    assert polygon_area(read.floor) == pytest.approx(made.room_area, rel=0.05)
    assert read.height == pytest.approx(made.height, abs=1e-4)
    # The floor is drawn below the lowest object, millimetres above the room's zero.
    assert read.room_centre == pytest.approx(made.room_centre, abs=0.01)


def test_the_same_poses_but_the_lost_one(pair):
    made, read = pair
    walk = walk_of(made, SIZES.frames, *SIZES.colour)
    kept = [frame for number, frame in enumerate(walk) if number != SIZES.frames // 3]
    assert [round(frame.time * 24) for frame in read.frames] == [
        number for number in range(SIZES.frames) if number != SIZES.frames // 3
    ]
    for true, found in zip(kept, read.frames, strict=True):
        assert np.abs(true.pose - found.pose).max() < 1e-5
    assert read.faults == (f"{read.id}.sens: 1 of 60 frames have no pose, left out",)


def test_what_is_drawn_is_found_visible(pair):
    made, read = pair
    drawing = Drawing.of(made)
    place = {id(item): number for number, item in enumerate(made.objects)}
    columns = [place[id(item)] for item in made_objects(made, read)]
    drawn = np.zeros_like(read.visibility.pixels)
    for row, frame in enumerate(read.frames):
        camera = resized(frame.intrinsics, *SIZES.depth)
        shown = render(drawing, replace(frame, intrinsics=camera)).instance
        drawn[row] = np.bincount(shown[shown >= 0], minlength=len(columns))[columns]
    found = read.visibility.pixels
    assert (found[drawn >= 20] > 0).all()
    # Vertices 5 cm apart leave gaps between the pixels they fall into.
    assert 0.3 < found[drawn >= 20].sum() / drawn[drawn >= 20].sum() < 1
    # Close behind another object counts as visible: a fifth of the depth is let through.
    assert (found[drawn == 0] >= 20).mean() < 0.05


def test_the_video_and_its_poses(scans, rooms, tmp_path):
    frames = scans.export_video(SCANS[0], tmp_path / "video.mp4")
    made = rooms.load(rooms.scene_ids()[0])
    walk = walk_of(made, SIZES.frames, 640, 480)
    assert probe(tmp_path / "video.mp4") == len(frames) == SIZES.frames
    assert [number for number, frame in enumerate(frames) if frame is None] == [20]
    assert np.abs(frames[-1].pose - walk[-1].pose).max() < 1e-5
    found, true = frames[-1].intrinsics, walk[-1].intrinsics
    assert (found.width, found.height) == (640, 480)
    assert (found.fx, found.fy) == pytest.approx((true.fx, true.fy))
    shown = read_clip(tmp_path / "video.mp4", frames=2, height=240, width=320).frames
    drawn = render(Drawing.of(made), walk_of(made, SIZES.frames, 320, 240)[-1]).colour
    assert np.abs(shown[-1].astype(float) - drawn).mean() < 8


def test_the_benchmarks_labels_choose_among_the_objects(release, rooms):
    chosen = scannet.build(ScanNetSettings(root=release, visibility=False))
    for scan, room in zip(SCANS, rooms.scene_ids(), strict=True):
        made, read = rooms.load(room), chosen.load(scan)
        assert len(read.counts) > 3
        assert dict(read.counts) == {
            name: count for name, count in made.counts.items() if name in read.counts
        }
        assert {"box", "cup", "floor", "stool", "wall"}.isdisjoint(read.counts)
