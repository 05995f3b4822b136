"""Aria sequences written by hand: turning to z up, and every fault named."""

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import SceneError
from harness_plugins.scenes.aria_digital_twin.source import build
from harness_plugins.scenes.settings import AriaDigitalTwinSettings

SIDES = [f"p_local_obj_{axis}{end}[m]" for axis in "xyz" for end in ("min", "max")]
BOX_HEAD = ["object_uid", "timestamp[ns]", *SIDES]
POSE_HEAD = [
    "object_uid",
    "timestamp[ns]",
    *(f"t_wo_{axis}[m]" for axis in "xyz"),
    *(f"q_wo_{axis}" for axis in "wxyz"),
]
LOOK_HEAD = [
    "graph_uid",
    "tracking_timestamp_us",
    *(f"t{axis}_world_device" for axis in "xyz"),
    *(f"q{axis}_world_device" for axis in "xyzw"),
]
SEEN_HEAD = [
    "stream_id",
    "object_uid",
    "timestamp[ns]",
    "x_min[pixel]",
    "x_max[pixel]",
    "y_min[pixel]",
    "y_max[pixel]",
    "visibility_ratio[%]",
]
# A table 2 m wide, 0.8 m high and 1 m deep; a chair; the building around them.
BOXES = [
    ["1", -1, -1.0, 1.0, 0.0, 0.8, -0.5, 0.5],
    ["2", -1, -0.25, 0.25, 0.0, 1.0, -0.25, 0.25],
    ["3", -1, -5.0, 5.0, 0.0, 3.0, -5.0, 5.0],
]
QUARTER = math.sqrt(0.5)
POSES = [
    ["1", -1, 1.0, 0.0, 2.0, 1, 0, 0, 0],
    ["2", -1, 3.0, 0.0, -1.0, QUARTER, 0, QUARTER, 0],
    ["3", -1, 0.0, 0.0, 0.0, 1, 0, 0, 0],
]
NAMES = {
    "1": {"category": "table", "instance_type": "object"},
    "2": {"category": "couch", "instance_type": "object"},
    "3": {"category": "shelter", "instance_type": "object"},
    "9": {"category": "person", "instance_type": "human"},
}


def table(path, head, rows):
    path.write_text("\n".join(",".join(map(str, row)) for row in [head, *rows]) + "\n")


@pytest.fixture
def sequence(tmp_path):
    """Write a sequence and give its source; tables may be replaced, and settings given."""

    def make(name="room", /, boxes=BOXES, poses=POSES, names=NAMES, **fields):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        table(folder / "3d_bounding_box.csv", BOX_HEAD, boxes)
        table(folder / "scene_objects.csv", POSE_HEAD, poses)
        (folder / "instances.json").write_text(json.dumps(names))
        return build(AriaDigitalTwinSettings(root=tmp_path, **fields))

    return make


def test_y_up_becomes_z_up(sequence):
    scene = sequence().load("room")
    found = {thing.category: thing.box for thing in scene.objects}
    assert list(found) == ["table", "sofa"]
    # (x, y, z) = (1, 0.4, 2) becomes (1, -2, 0.4).
    assert found["table"].centre == pytest.approx((1.0, -2.0, 0.4))
    assert found["table"].corners[:, 2].min() == pytest.approx(0.0)
    assert found["table"].corners[:, 2].max() == pytest.approx(0.8)
    low, high = found["table"].corners.min(axis=0), found["table"].corners.max(axis=0)
    assert (high - low).tolist() == pytest.approx([2.0, 1.0, 0.8])
    assert (scene.dataset, dict(scene.counts)) == (
        "aria_digital_twin",
        {"table": 1, "sofa": 1},
    )


def test_a_turn_about_the_upright_axis_turns_the_same_way(sequence):
    # A quarter about y takes x to -z, which is +y here: counter-clockwise from above.
    scene = sequence(boxes=[BOXES[0], ["2", -1, 0.0, 1.0, 0.0, 1.0, -0.1, 0.1], BOXES[2]]).load(
        "room"
    )
    sofa = scene.objects[1].box
    assert sofa.centre == pytest.approx((3.0, 1.5, 0.5))
    assert (sofa.corners.max(axis=0) - sofa.corners.min(axis=0)).tolist() == pytest.approx(
        [0.2, 1.0, 1.0]
    )


def test_the_room_is_the_hull_of_the_boxes_without_the_building(sequence):
    scene = sequence().load("room")
    # Table: x 0..2, y -2.5..-1.5; sofa: x 2.75..3.25, y 0.75..1.25.
    assert scene.room_area == pytest.approx(6.375)
    assert len(scene.floor) == 6
    area = sum(
        x * v - u * y
        for (x, y), (u, v) in zip(scene.floor, (*scene.floor[1:], *scene.floor[:1]), strict=True)
    )
    assert area / 2 == pytest.approx(scene.room_area)  # counter-clockwise


def test_sequences_of_a_folder_are_found_sorted_and_chosen(sequence, tmp_path):
    for name in ("room_c", "room_a", "room_b"):
        source = sequence(name)
    assert source.scene_ids() == ("room_a", "room_b", "room_c")
    chosen = AriaDigitalTwinSettings(root=tmp_path, only=("room_c", "room_b"), limit=1)
    assert build(chosen).scene_ids() == ("room_b",)
    with pytest.raises(SceneError, match=r"only: room_x not among its scenes"):
        build(AriaDigitalTwinSettings(root=tmp_path, only=("room_x",))).scene_ids()
    with pytest.raises(SceneError, match="no scene 'room_x' among its 3 scenes"):
        source.load("room_x")


def test_what_is_missing_is_told_with_a_remedy(tmp_path, sequence):
    assert "--set root=FOLDER" in build(AriaDigitalTwinSettings()).missing()[0]
    assert "is no folder" in build(AriaDigitalTwinSettings(root=tmp_path / "x")).missing()[0]
    assert "no 3d_bounding_box.csv" in build(AriaDigitalTwinSettings(root=tmp_path)).missing()[0]
    source = sequence(labels=tmp_path / "none.json")
    (tmp_path / "room" / "instances.json").unlink()
    lacking = build(source.settings).missing()
    assert [line.split(" ")[0] for line in lacking] == [
        str(tmp_path / "room" / "instances.json"),
        "labels",
    ]
    with pytest.raises(SceneError, match=r"instances\.json does not exist"):
        build(source.settings).scene_ids()


def test_an_object_that_stays_in_place_is_taken_where_it_is_first(sequence):
    still = [["2", 10 * n, 3.0 + 0.004 * n, 0.0, -1.0, 1, 0, 0, 0] for n in range(5)]
    scene = sequence(poses=[POSES[0], *still, POSES[2]]).load("room")
    assert scene.objects[1].box.centre == pytest.approx((3.0, 1.0, 0.5))


def test_an_object_that_is_carried_has_no_place(sequence):
    carried = [["2", n, 3.0 + n, 0.0, -1.0, 1, 0, 0, 0] for n in range(3)]
    scene = sequence(poses=[POSES[0], *carried, POSES[2]]).load("room")
    assert dict(scene.counts) == {"table": 1}
    assert "object 2 (couch): is moved by up to 2.00 m" in scene.faults[0]
    assert scene.faults[1] == "sofa: all 1 left out, as 2 has no usable box"


def test_an_object_that_is_only_turned_has_no_place_either(sequence):
    turned = [POSES[1], ["2", 5, 3.0, 0.0, -1.0, 1, 0, 0, 0]]
    assert "table" in sequence(poses=[POSES[0], *turned, POSES[2]]).load("room").counts
    box = ["2", -1, -0.25, 2.0, 0.0, 1.0, -0.25, 0.25]
    scene = sequence(boxes=[BOXES[0], box, BOXES[2]], poses=[POSES[0], *turned, POSES[2]]).load(
        "room"
    )
    assert dict(scene.counts) == {"table": 1}


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (["2", -1, "nan", 0.25, 0, 1, 0, 1], "has numbers that are not finite or beyond 10000 m"),
        (["2", -1, 0.25, 0.25, 0, 1, 0, 1], "has the sides [0.0, 1.0, 1.0] m"),
        (["2", -1, 0.5, 0.25, 0, 1, 0, 1], "has the sides [-0.25, 1.0, 1.0] m"),
        (["2", -1, 0, 900, 0, 1, 0, 1], "has the sides [900.0, 1.0, 1.0] m"),
    ],
)
def test_a_box_that_is_none_is_left_out_and_noted(sequence, row, fault):
    scene = sequence(boxes=[BOXES[0], row, BOXES[2]]).load("room")
    assert [thing.category for thing in scene.objects] == ["table"]
    assert scene.faults[0] == f"3d_bounding_box.csv: object 2 (couch): {fault}"


def test_all_problems_are_told_at_once(sequence, tmp_path):
    source = sequence(
        boxes=[BOXES[0], ["2", -1, "wide", 1, 0, 1, 0, 1]],
        poses=[POSES[0], ["2", -1, 0, 0, 0, 0.5, 0, 0, 0]],
        names={**NAMES, "4": {"instance_type": "object"}},
    )
    with pytest.raises(SceneError) as caught:
        source.load("room")
    told = str(caught.value)
    folder = tmp_path / "room"
    assert f"{folder / 'instances.json'}: '4'.category: expected a name, found None" in told
    assert (
        f"{folder / '3d_bounding_box.csv'}: line 3: p_local_obj_xmin[m]: expected a number, "
        "found 'wide'"
    ) in told
    assert (
        f"{folder / 'scene_objects.csv'}: line 3: q_wo: expected a quaternion of length 1" in told
    )


def test_objects_in_one_table_only_are_left_out_and_noted(sequence):
    rows = [*POSES[:1], POSES[2], ["7", -1, 0, 0, 0, 1, 0, 0, 0]]
    scene = sequence(poses=rows).load("room")
    assert dict(scene.counts) == {"table": 1}
    assert scene.faults[:3] == (
        "scene_objects.csv: no row for object 2",
        "scene_objects.csv: 7 not in instances.json",
        "sofa: all 1 left out, as 2 has no usable box",
    )


def test_tables_of_different_sequences_are_refused(sequence):
    with pytest.raises(SceneError, match=r"3d_bounding_box\.csv: no row for 2 of the 3 objects of"):
        sequence(boxes=BOXES[:1]).load("room")


def test_a_missing_column_is_named(sequence, tmp_path):
    source = sequence()
    table(tmp_path / "room" / "scene_objects.csv", POSE_HEAD[:-1], [row[:-1] for row in POSES])
    with pytest.raises(SceneError, match=r"scene_objects\.csv: no column q_wo_z; its columns are"):
        source.load("room")


@pytest.mark.parametrize("name", ["3d_bounding_box.csv", "scene_objects.csv", "instances.json"])
def test_a_truncated_file_is_named(sequence, tmp_path, name):
    source = sequence()
    path = tmp_path / "room" / name
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(SceneError, match=rf"{name}: .*truncated"):
        source.load("room")


def test_a_scene_with_nothing_to_ask_about_is_refused(sequence):
    people = {**NAMES, "1": {"category": "shelter"}, "2": {"category": "person"}}
    with pytest.raises(SceneError, match="none of its 3 instances has a label that is asked"):
        sequence(names=people).load("room")


LOOKS = [
    # Seconds 0, 0.5 and 1; the device upright: x right, y down, z along the world's -z.
    ["g", 1_000_000, 1.0, 1.6, 2.0, 1, 0, 0, 0],
    ["g", 1_500_000, 1.0, 1.6, 1.5, 1, 0, 0, 0],
    ["g", 2_000_000, 1.0, 1.6, 1.0, 1, 0, 0, 0],
]


def test_poses_are_turned_with_the_world(sequence, tmp_path):
    source = sequence(posed_frames=1.0)
    table(tmp_path / "room" / "aria_trajectory.csv", LOOK_HEAD, LOOKS)
    scene = source.load("room")
    assert [frame.time for frame in scene.frames] == [0.0, 1.0]
    pose = scene.frames[1].pose
    assert pose[:3, 3].tolist() == pytest.approx([1.0, -1.0, 1.6])
    assert pose[:3, 0].tolist() == pytest.approx([1.0, 0.0, 0.0])  # right
    assert pose[:3, 1].tolist() == pytest.approx([0.0, 0.0, -1.0])  # down
    assert pose[:3, 2].tolist() == pytest.approx([0.0, 1.0, 0.0])  # forward
    assert scene.visibility is None


def test_visible_pixels_are_the_rectangle_times_what_is_not_hidden(sequence, tmp_path):
    source = sequence()
    table(tmp_path / "room" / "aria_trajectory.csv", LOOK_HEAD, LOOKS)
    seen = [
        ["1201-1", "1", 1_000_000_700, 100, 200, 50, 100, 0.5],
        ["1201-1", "2", 1_500_000_700, 600, 700, 400, 500, 1.0],
        ["1201-1", "3", 1_000_000_700, 0, 600, 0, 400, 1.0],
        ["214-1", "2", 1_000_000_700, 0, 600, 0, 400, 1.0],
        ["1201-1", "2", 9_000_000_000, 0, 600, 0, 400, 1.0],
    ]
    table(tmp_path / "room" / "2d_bounding_box.csv", SEEN_HEAD, seen)
    found = source.load("room").visibility
    assert found.objects == ("1", "2")
    # The second rectangle reaches beyond the 640 x 480 picture.
    assert found.pixels.tolist() == [[2500, 0], [0, 3200], [0, 0]]


@pytest.mark.parametrize(
    ("name", "head", "row", "told"),
    [
        (
            "aria_trajectory.csv",
            LOOK_HEAD,
            ["g", 5, 1, 1, 1, 1, 1, 0, 0],
            "line 2: expected a pose",
        ),
        (
            "aria_trajectory.csv",
            LOOK_HEAD,
            ["g", 10**400, 1, 1, 1, 1, 0, 0, 0],
            "line 2: tracking_timestamp_us: '1000000",
        ),
        ("aria_trajectory.csv", LOOK_HEAD, ["g", "x", 1, 1, 1, 1, 0, 0, 0], "line 2: expected a t"),
        ("2d_bounding_box.csv", SEEN_HEAD, ["1201-1", "1", 5, 9, 1, 0, 1, 1], "line 2: expected a"),
        ("2d_bounding_box.csv", SEEN_HEAD, ["1201-1", "1", 5, 0, 1, 0, 1, 7], "line 2: expected a"),
        ("2d_bounding_box.csv", SEEN_HEAD, ["1201-1", "1", 5, 0, 1, 0, 1, "?"], "line 2: expected"),
    ],
)
def test_faulty_looks_are_told(sequence, tmp_path, name, head, row, told):
    source = sequence()
    table(tmp_path / "room" / "aria_trajectory.csv", LOOK_HEAD, LOOKS)
    table(tmp_path / "room" / name, head, [row])
    with pytest.raises(SceneError, match=rf"{name}: {told}"):
        source.load("room")


def test_times_that_go_back_are_told(sequence, tmp_path):
    source = sequence()
    table(tmp_path / "room" / "aria_trajectory.csv", LOOK_HEAD, [LOOKS[1], LOOKS[0]])
    with pytest.raises(SceneError, match="1000000 does not come after the last"):
        source.load("room")
    table(tmp_path / "room" / "aria_trajectory.csv", LOOK_HEAD, [])
    with pytest.raises(SceneError, match=r"aria_trajectory\.csv: has no rows"):
        source.load("room")


@given(data=st.data())
@settings(derandomize=True, max_examples=60, deadline=None)
def test_damaged_files_are_scene_errors_and_nothing_else(tmp_path_factory, data):
    root = tmp_path_factory.mktemp("fuzz")
    folder = root / "room"
    folder.mkdir()
    table(folder / "3d_bounding_box.csv", BOX_HEAD, BOXES)
    table(folder / "scene_objects.csv", POSE_HEAD, POSES)
    table(folder / "aria_trajectory.csv", LOOK_HEAD, LOOKS)
    (folder / "instances.json").write_text(json.dumps(NAMES))
    names = ["3d_bounding_box.csv", "scene_objects.csv", "aria_trajectory.csv", "instances.json"]
    path = folder / data.draw(st.sampled_from(names))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    path.write_bytes(bytes(content))
    try:
        scene = build(AriaDigitalTwinSettings(root=root)).load("room")
    except SceneError:
        return
    assert scene.objects
