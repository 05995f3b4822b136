"""The real apartment of Aria Digital Twin's test sequence, held against what is known of it."""

import csv
import json

import numpy as np
import pytest

from harness.component import SceneSource
from harness_plugins.scenes.aria_digital_twin.source import build
from harness_plugins.scenes.files.turning import quarter_turns, turned
from harness_plugins.scenes.settings import AriaDigitalTwinSettings


@pytest.fixture(scope="module")
def folder(shared_data):
    return shared_data("adt-apartment")


@pytest.fixture(scope="module")
def everything(folder, tmp_path_factory):
    """The apartment with every label but the building and people."""
    labels = tmp_path_factory.mktemp("labels") / "all.json"
    labels.write_text(json.dumps({"labels": None, "exclude": ["shelter"]}))
    return build(AriaDigitalTwinSettings(root=folder, labels=labels)).load("adt-apartment")


@pytest.fixture(scope="module")
def scene(folder):
    return build(AriaDigitalTwinSettings(root=folder)).load("adt-apartment")


@pytest.fixture(scope="module")
def names(folder):
    """Name of an instance -> its id."""
    found = json.loads((folder / "instances.json").read_text())
    return {entry["instance_name"]: uid for uid, entry in found.items()}


@pytest.fixture
def called(everything, names):
    by_id = {thing.id: thing for thing in everything.objects}
    return lambda name: by_id[names[name]]


def bottom(thing):
    return float(thing.box.corners[:, 2].min())


def top(thing):
    return float(thing.box.corners[:, 2].max())


def test_it_is_a_source(folder):
    source = build(AriaDigitalTwinSettings(root=folder))
    assert isinstance(source, SceneSource)
    assert source.missing() == []
    assert source.scene_ids() == ("adt-apartment",)


def test_every_object_but_the_building_and_the_two_that_are_carried(everything):
    # 349 boxes, one of them the building's; a fork and a spoon are in the wearer's hands.
    assert len(everything.objects) == 346
    assert [fault.split(" (")[1].split(")")[0] for fault in everything.faults[:2]] == [
        "fork",
        "spoon",
    ]
    assert "fork" not in everything.counts
    assert "spoon" not in everything.counts


def test_categories_are_counted_under_the_names_of_vsi_bench(scene):
    counts = {name: scene.counts[name] for name in ("sofa", "tv", "plant", "armchair", "door")}
    assert counts == {"sofa": 1, "tv": 1, "plant": 13, "armchair": 3, "door": 9}
    assert scene.counts.keys().isdisjoint({"shelter", "person", "couch", "built in"})
    assert sum(scene.counts.values()) == len(scene.objects)


def test_z_is_up_what_stands_on_the_floor_has_its_bottom_there(called):
    standing = [
        "Fridge",
        "GreySofa",
        "WhiteDressingTable",
        "ExtendableTable",
        "KitchIsland",
        "TVUnit",
        "BlackBedFrame",
        "Bookcase",
        "BlackCoffeeTable",
        "NightStand",
        "WhiteChair",
    ]
    assert [name for name in standing if abs(bottom(called(name))) > 0.02] == []


def test_nothing_hangs_upside_down(called):
    # The mattress lies in the bed frame, curtains end near the ceiling, books lie on furniture.
    assert bottom(called("HybridMattress")) == pytest.approx(0.32, abs=0.01)
    assert top(called("CurtainVarAHangingCurtain01_1")) == pytest.approx(2.79, abs=0.01)
    assert bottom(called("HybridMattress")) > bottom(called("BlackBedFrame"))


def test_almost_everything_is_above_the_floor(everything):
    lowest = sorted((bottom(thing), thing.category) for thing in everything.objects)
    # Two doors reach a little into the floor.
    assert lowest[0][0] > -0.09
    assert [category for z, category in lowest if z < -0.035] == ["door", "door"]
    assert max(top(thing) for thing in everything.objects) < 3.5


def test_sizes_are_those_of_the_things(called):
    assert sorted(called("GreySofa").box.size) == pytest.approx([0.815, 0.964, 2.088], abs=1e-3)
    assert sorted(called("Fridge").box.size) == pytest.approx([0.699, 0.745, 1.534], abs=1e-3)
    assert sorted(called("BlackBedFrame").box.size) == pytest.approx([1.0, 1.677, 2.114], abs=1e-3)


def test_nothing_is_mirrored(everything):
    handedness = [float(np.linalg.det(thing.box.rotation)) for thing in everything.objects]
    assert handedness == pytest.approx([1.0] * len(handedness), abs=1e-9)


def test_a_position_by_hand(called):
    # Fridge: t = (2.56, ..., 0.92) with y up, so x stays, y is -z, z is y.
    x, y, z = called("Fridge").box.centre
    assert (x, y) == pytest.approx((2.56, -0.92), abs=0.01)
    assert z == pytest.approx((-0.0176 + 1.5308) / 2, abs=0.001)


def test_the_room_is_the_hull_of_its_objects_and_says_so(scene):
    assert scene.room_area == pytest.approx(88.1, abs=0.1)
    # The building's own box is 9.8 x 13.1 m.
    assert scene.room_area < 9.766 * 13.116
    assert any("convex hull" in fault for fault in scene.faults)
    assert (scene.height, scene.split, scene.video) == (None, None, None)


def test_the_wearer_stands_in_the_room_with_the_head_at_head_height(folder):
    source = build(AriaDigitalTwinSettings(root=folder, posed_frames=30.0))
    frames = source.load("adt-apartment").frames
    assert len(frames) == 6  # all of them: they are 33.3 ms apart
    for frame in frames:
        assert frame.pose[2, 3] == pytest.approx(1.555, abs=0.005)
        assert float(np.linalg.det(frame.pose[:3, :3])) == pytest.approx(1.0)
    assert frames[0].time == 0.0
    assert frames[-1].time == pytest.approx(0.16664, abs=1e-5)


def test_frames_are_upright(scene):
    (frame,) = scene.frames
    assert quarter_turns([frame.pose]) == 0
    assert (frame.intrinsics.width, frame.intrinsics.height) == (480, 640)
    # The wearer looks forward and down at the kitchen island.
    right, down, forward = frame.pose[:3, :3].T
    assert abs(right[2]) < 0.25
    assert down[2] < -0.9
    assert -0.5 < forward[2] < 0


def test_boxes_and_poses_agree_with_the_pictures(folder, everything):
    """Projected by the fisheye, centres of small things lie on the middle of their 2D boxes."""
    # The frame is upright; the camera's own picture lies on its side.
    frame = turned(everything.frames[0], 1)
    assert (frame.intrinsics.width, frame.intrinsics.height) == (640, 480)
    boxes = {thing.id: thing.box for thing in everything.objects}
    off = []
    with (folder / "2d_bounding_box.csv").open() as file:
        for row in csv.DictReader(file):
            left, right, top_, bottom_ = (
                float(row[f"{side}[pixel]"]) for side in ("x_min", "x_max", "y_min", "y_max")
            )
            if row["stream_id"] != "1201-1" or row["timestamp[ns]"] != "87551170910700":
                continue
            if row["object_uid"] not in boxes or right - left > 60:
                continue
            if float(row["visibility_ratio[%]"]) < 0.9:
                continue
            point = (np.array(boxes[row["object_uid"]].centre) - frame.pose[:3, 3]) @ frame.pose[
                :3, :3
            ]
            flat = float(np.hypot(point[0], point[1]))
            angle = float(np.arctan2(flat, point[2]))
            u, v = 241 * angle * point[:2] / flat + (320, 240)
            off.append(np.hypot(u - (left + right) / 2, v - (top_ + bottom_) / 2))
    assert len(off) >= 20
    # 6.7 pixels with the nominal lens of every device; a wrong axis would be hundreds off.
    assert float(np.mean(off)) < 8


def test_what_is_in_the_picture_is_visible(scene, names):
    seen = scene.visibility
    assert seen.pixels.shape == (len(scene.frames), len(scene.objects))
    shown = dict(zip(seen.objects, seen.pixels[0].tolist(), strict=True))
    # The wearer sits at the kitchen island; the sofa is in another part of the apartment.
    assert shown[names["KitchIsland"]] == max(shown.values())
    assert shown[names["GreySofa"]] == 0
    assert (seen.pixels[0] > 0).sum() == 44


def test_without_visibility_nothing_is_said_of_it(folder):
    source = build(AriaDigitalTwinSettings(root=folder, visibility=False, split="val"))
    scene = source.load("adt-apartment")
    assert (scene.visibility, scene.split) == (None, "val")
    assert len(scene.frames) == 1
