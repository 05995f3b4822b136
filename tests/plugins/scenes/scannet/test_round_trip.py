"""Procedural rooms written as a raw release come back as the rooms they were."""

import json

import pytest

from harness_plugins.scenes import procedural
from harness_plugins.scenes.release.scannet import write_scannet
from harness_plugins.scenes.scannet.source import build
from harness_plugins.scenes.settings import ProceduralSettings, ScanNetSettings


@pytest.fixture(scope="module")
def rooms(tmp_path_factory):
    folder = tmp_path_factory.mktemp("release")
    source = procedural.build(ProceduralSettings(scenes=2, seed=5, turned=1.0, l_shaped=0.5))
    write_scannet(source.scene_ids(), source.load, folder, lambda *_: None)
    names = json.loads((folder / "scenes.json").read_text())
    found = build(ScanNetSettings(root=folder, labels="raw", keep_points=True))
    assert list(found.scene_ids()) == list(names)
    return [(source.load(names[scan]), found.load(scan)) for scan in names]


def test_rooms_come_back(rooms):
    for written, read in rooms:
        assert dict(read.counts) == dict(written.counts)
        assert read.room_area == pytest.approx(written.room_area, rel=0.01)
        assert read.room_centre == pytest.approx(written.room_centre, abs=0.02)
        assert read.height == pytest.approx(written.height, abs=0.02)
        assert read.faults == ()


def test_boxes_come_back(rooms):
    for written, read in rooms:
        for category in written.counts:
            for one, other in zip(written.of(category), read.of(category), strict=True):
                assert other.box.centre == pytest.approx(one.box.centre, abs=0.02)
                assert sorted(other.box.size) == pytest.approx(sorted(one.box.size), abs=0.04)


def test_every_frame_shows_something(rooms):
    for _, read in rooms:
        assert len(read.frames) > 1
        assert (read.visibility.pixels.sum(axis=1) > 0).all()
