"""Rows about rooms made by hand: right, wrong, ambiguous and beyond telling."""

from dataclasses import replace

import pytest

from harness.component import Recomputed
from harness.question import Question
from harness.scene import Box, Scene, SceneObject
from harness_plugins.questions import (
    object_abs_distance,
    object_counting,
    object_rel_direction,
    object_rel_distance,
    object_size_estimation,
    room_size_estimation,
)
from harness_plugins.questions.naming import category_named
from harness_plugins.questions.settings import (
    ObjectAbsDistanceSettings,
    ObjectCountingSettings,
    ObjectRelDirectionSettings,
    ObjectRelDistanceSettings,
    ObjectSizeEstimationSettings,
    RoomSizeEstimationSettings,
)

COUNTING = object_counting.build(ObjectCountingSettings())
SIZE = object_size_estimation.build(ObjectSizeEstimationSettings())
ROOM = room_size_estimation.build(RoomSizeEstimationSettings())
ABS = object_abs_distance.build(ObjectAbsDistanceSettings())
REL = object_rel_distance.build(ObjectRelDistanceSettings())
DIRECTION = object_rel_direction.build(ObjectRelDirectionSettings())

CLOSEST = "Measuring from the closest point of each object, "
LINE = [("bed", 0, 0), ("sink", 1, 0), ("pillow", 3, 0), ("guitar", 6, 0), ("bicycle", 10, 0)]


def row(kind: str, text: str, answer: str, options=None, style="vsi_bench") -> Question:
    return Question("1", "room", "test", kind, text, answer, options, style)


def count(name: str, answer: str) -> Question:
    return row("object_counting", f"How many {name}(s) are in this room?", answer)


def size(name: str, answer: str) -> Question:
    text = f"What is the length of the longest dimension of the {name}, measured in centimeters?"
    return row("object_size_estimation", text, answer)


def apart(first: str, second: str, answer: str, *, closest: bool = True) -> Question:
    text = f"what is the distance between the {first} and the {second} (in meters)?"
    return row("object_abs_distance", f"{CLOSEST if closest else ''}{text}", answer)


def nearest(target: str, answer: str, *listed: str, options=None, closest=True) -> Question:
    text = f"which of these objects ({', '.join(listed)}) is the closest to the {target}?"
    return row("object_rel_distance", f"{CLOSEST if closest else ''}{text}", answer, options)


def easy(a: str, b: str, c: str, answer: str, options=("left", "right")) -> Question:
    text = (
        f"If I am standing by the {a} and facing the {b}, is the {c} to the left or the right of "
    )
    return row("object_rel_direction_easy", f"{text}the {b}?", answer, options)


def hard(a: str, b: str, c: str, answer: str, options=None) -> Question:
    choice = "my front-left, front-right, back-left, or back-right?"
    text = f"If I am standing by the {a} and facing the {b}, is the {c} to {choice}"
    return row("object_rel_direction_hard", text, answer, options)


def test_counts_are_the_annotations(room):
    scene = room(("chair", 0, 0), ("chair", 1, 0), ("sofa", 2, 0), counts={"chair": 3, "sofa": 1})
    boxes = "the scene counts 3 'chair' and has boxes for 2"
    assert COUNTING.recompute(scene, count("chair", "3")) == Recomputed("3", True, None, (boxes,))
    assert COUNTING.recompute(scene, count("chair", "2")) == Recomputed("3", False, None, (boxes,))
    assert COUNTING.recompute(scene, count("chair", "3.0")).agrees is True
    assert COUNTING.recompute(scene, count("chair", "3.4")).agrees is False
    rare = "'sofa' occurs 1 times, fewer than are asked about"
    assert COUNTING.recompute(scene, count("sofa", "1")) == Recomputed("1", True, None, (rare,))
    unknown = "the scene has no category 'piano', or several it may mean"
    assert COUNTING.recompute(scene, count("piano", "2")) == Recomputed(
        None, None, None, (unknown,)
    )


@pytest.mark.parametrize(
    ("name", "category"),
    [
        ("chair", "chair"),
        ("Chairs", "chair"),
        ("coat rack", "coat hanger"),
        ("desk", "table"),
        ("recycling bins", "trash can"),
        ("mouse", "computer mouse"),
        ("bookshelves", "bookshelf"),
        ("shoe", "shoes"),
        ("tv_monitor", "tv"),
        ("Door-Frame", "door frame"),
        ("", None),
        ("piano", None),
        ("lamp", None),
    ],
)
def test_names_find_their_category(room, name, category):
    known = ["chair", "coat hanger", "table", "trash can", "computer mouse", "bookshelf", "shoes"]
    scene = room(*((label, 0, 0) for label in [*known, "tv", "door frame", "ceiling light"]))
    assert category_named(scene, name) == category


def test_the_written_category_goes_before_its_other_names(room):
    scene = room(("table", 0, 0), ("desk", 1, 0), ("trash can", 0, 0), ("trash bin", 0, 0))
    assert [category_named(scene, name) for name in ("table", "desk", "recycling bin")] == [
        "table",
        "desk",
        None,
    ]


def test_other_names_are_told(room):
    scene = room(("coat hanger", 0, 0, 1.7), ("table", 1, 0, 0.9))
    for name, reasons in (("coat rack", ()), ("desk", ("took 'desk' for the scene's 'table'",))):
        answer = "170" if name == "coat rack" else "90"
        found = SIZE.recompute(scene, size(name, answer))
        assert (found.agrees, found.reasons) == (True, reasons)


def test_sizes_agree_to_their_rounding(room):
    scene = room(("sofa", 0, 0, 1.9625))
    found = SIZE.recompute(scene, size("sofa", "196"))
    assert (found.answer, found.agrees, found.reasons) == ("196", True, ())
    assert found.margin == pytest.approx(0.25)
    for answer, agrees in (("195", False), ("197", False), ("196.2", True), ("195.6", False)):
        assert SIZE.recompute(scene, size("sofa", answer)).agrees is agrees


def test_on_a_rounding_boundary_both_are_right(room):
    scene = room(("sofa", 0, 0, 1.125))
    for answer in ("112", "113"):
        found = SIZE.recompute(scene, size("sofa", answer))
        assert (found.agrees, found.margin) == (True, 0.0)


def test_one_of_several_sizes_cannot_be_told(room):
    scene = room(("sofa", 0, 0, 1.0), ("sofa", 3, 0, 2.0))
    twice = ("'sofa' occurs 2 times",)
    assert SIZE.recompute(scene, size("sofa", "200")) == Recomputed(None, None, None, twice)
    assert SIZE.recompute(scene, size("sofa", "300")) == Recomputed(None, False, None, twice)
    alike = room(("sofa", 0, 0, 1.0), ("sofa", 3, 0, 1.0))
    found = SIZE.recompute(alike, size("sofa", "100"))
    assert (found.answer, found.agrees, found.reasons) == ("100", True, twice)


def test_duplicate_boxes_are_one_object(room):
    scene = room(("sofa", 0, 0, 1.0), ("sofa", 0, 0, 1.0), counts={"sofa": 1})
    found = SIZE.recompute(scene, size("sofa", "100"))
    assert (found.answer, found.agrees) == ("100", True)
    assert "1 boxes of 'sofa' are exactly another's" in found.reasons


def test_faults_of_the_annotation_are_told(room):
    scene = replace(room(("sofa", 0, 0, 1.0)), faults=("object_bbox.sofa[1]: dropped", "bed: odd"))
    found = SIZE.recompute(scene, size("sofa", "100"))
    assert found.reasons == ("fault of the annotation: object_bbox.sofa[1]: dropped",)


def test_room_sizes(room):
    scene, text = (
        room(("sofa", 0, 0), area=39.26),
        "What is the size of this room (in square meters)?",
    )
    for answer, agrees in (("39.3", True), ("39.30", True), ("39.2", False), ("40", False)):
        found = ROOM.recompute(scene, row("room_size_estimation", text, answer))
        assert (found.answer, found.agrees) == ("39.3", agrees)
        assert found.margin == pytest.approx(0.01)


@pytest.mark.parametrize("answer", ["two", "", "nan", "inf"])
def test_an_answer_that_is_no_number_cannot_be_told(room, answer):
    asked = row("room_size_estimation", "What is the size of this room (in square meters)?", answer)
    found = ROOM.recompute(room(("sofa", 0, 0), area=4.0), asked)
    assert (found.answer, found.agrees) == ("4.0", None)
    assert found.reasons == (f"the row's answer {answer!r} is no number",)


def test_distances_agree_within_a_tolerance(room):
    scene = room(("sofa", 0, 0, 1.0), ("tv", 3, 0, 1.0))
    for answer, agrees in (("2.0", True), ("2.1", True), ("2.15", True), ("2.2", False)):
        found = ABS.recompute(scene, apart("sofa", "tv", answer))
        assert (found.answer, found.agrees) == ("2.0", agrees)
    near = ABS.recompute(scene, apart("tv", "sofa", "1.9"))
    assert near.reasons == ("0.10 off the true value, within the tolerance of 0.15",)
    strict = object_abs_distance.build(ObjectAbsDistanceSettings(audit_tolerance=0.0))
    assert strict.recompute(scene, apart("sofa", "tv", "2.1")).agrees is False
    sampled = object_abs_distance.build(ObjectAbsDistanceSettings(mode="vsi_bench"))
    assert sampled.recompute(scene, apart("sofa", "tv", "2.15")).agrees is False


def test_without_the_closest_point_centres_are_measured(room):
    scene = room(("sofa", 0, 0, 1.0), ("tv", 3, 0, 1.0))
    assert ABS.recompute(scene, apart("sofa", "tv", "3.0", closest=False)).agrees is True
    assert ABS.recompute(scene, apart("sofa", "tv", "2.0", closest=False)).agrees is False
    marked = replace(apart("sofa", "tv", "2.0"), style="vsi_100k")
    assert ABS.recompute(scene, marked).agrees is True


def test_objects_that_overlap_or_touch_are_told(room):
    scene = room(("sofa", 0, 0, 1.0), ("pillow", 0.2, 0, 0.4))
    found = ABS.recompute(scene, apart("sofa", "pillow", "0.0"))
    assert (found.answer, found.agrees) == ("0.0", True)
    assert found.reasons == (
        "the boxes of 'sofa' and 'pillow' overlap",
        "0.00 m apart, less than min_distance 0.2",
    )


def test_the_nearest_option(room):
    listed = ("sink", "pillow", "guitar", "bicycle")
    scene = room(*LINE)
    right = nearest("bed", "sink", *listed, options=listed)
    found = REL.recompute(scene, right)
    assert (found.answer, found.agrees, found.reasons) == ("sink", True, ())
    assert found.margin == pytest.approx(2.0)
    wrong = nearest("bed", "guitar", *listed, options=listed)
    assert REL.recompute(scene, wrong).agrees is False
    shuffled = nearest("bed", "sink", *listed, options=listed[::-1])
    assert REL.recompute(scene, shuffled).agrees is True
    other = nearest("bed", "sink", *listed[:3], "lamp", options=listed)
    assert "the text lists other objects than the options" in REL.recompute(scene, other).reasons


def test_the_nearest_as_a_word_between_centres(room):
    # The rug's edge is nearest, its centre is not.
    scene = room(("bed", 0, 0), ("rug", 3, 0, 5.0), *LINE[1:4])
    listed = ("rug", "sink", "pillow", "guitar")
    word = nearest("bed", "Sink", *listed, closest=False)
    assert (REL.recompute(scene, word).answer, REL.recompute(scene, word).agrees) == ("sink", True)
    boxes = nearest("bed", "rug", *listed, options=listed)
    assert REL.recompute(scene, boxes).agrees is True
    stated = nearest("bed", "piano", *listed, closest=False)
    assert REL.recompute(scene, stated).agrees is False


def test_options_alike_few_or_twice_are_told(room):
    scene = room(*LINE[:3], ("guitar", 0, 1.05), ("chair", 8, 0), ("chair", 9, 0))
    found = REL.recompute(scene, nearest("bed", "sink", "sink", "guitar", "pillow", closest=False))
    assert (found.answer, found.agrees) == ("sink", True)
    assert found.reasons == (
        "fewer options than 4: 3",
        "'guitar' is 0.05 m farther than the closest, within the gap of 0.15",
    )
    twice = REL.recompute(scene, nearest("bed", "sink", "sink", "Sinks", "pillow", "guitar"))
    assert (twice.agrees, twice.reasons[-1]) == (None, "'sink' is named twice")
    listed = ("sink", "chair", "pillow", "guitar")
    several = REL.recompute(scene, nearest("bed", "sink", *listed, closest=False))
    assert "the option 'chair' occurs more than once" in several.reasons
    target = REL.recompute(scene, nearest("chair", "pillow", "sink", "bed", "pillow", "guitar"))
    assert (target.answer, target.agrees) == ("pillow", True)
    assert "'chair' occurs 2 times" in target.reasons


PLAN = [("bed", 0, 0), ("tv", 2, 0), ("sofa", 1, 1), ("lamp", -2, -1)]


def test_directions(room):
    scene = room(*PLAN)
    found = DIRECTION.recompute(scene, easy("bed", "tv", "sofa", "left"))
    assert (found.answer, found.agrees, found.reasons) == ("left", True, ())
    assert found.margin == pytest.approx(45.0)
    assert DIRECTION.recompute(scene, easy("bed", "tv", "sofa", "right")).agrees is False
    assert DIRECTION.recompute(scene, easy("bed", "tv", "sofa", "Left", None)).agrees is True
    quadrants = ("front-left", "front-right", "back-left", "back-right")
    assert DIRECTION.recompute(scene, hard("bed", "tv", "lamp", "back right")).agrees is True
    wrong = DIRECTION.recompute(scene, hard("bed", "tv", "lamp", "back-left", quadrants))
    assert (wrong.answer, wrong.agrees) == ("back-right", False)
    lacking = DIRECTION.recompute(scene, hard("bed", "tv", "lamp", "back-left", quadrants[:3]))
    assert (lacking.agrees, lacking.reasons) == (False, ("no option says 'back-right'",))


def test_doubtful_directions_are_told(room):
    at_the_back = DIRECTION.recompute(room(*PLAN), easy("bed", "tv", "lamp", "right"))
    assert (at_the_back.answer, at_the_back.agrees) == ("right", True)
    assert at_the_back.margin == pytest.approx(26.565, abs=0.01)
    assert at_the_back.reasons == (
        "it is at the back, where neither left nor right is asked about",
    )
    narrow = room(("bed", 0, 0), ("tv", 2, 0), ("sofa", 2, 0.3))
    close = DIRECTION.recompute(narrow, easy("bed", "tv", "sofa", "left"))
    assert close.agrees is True
    assert close.reasons == (
        "8.5 degrees from the next direction, less than 10",
        "two are 0.10 m apart, less than 0.3",
    )
    wide = room(("bed", 0, 0), ("tv", 2, 0), ("sofa", 0.6, 2.2, 1.4))
    reaching = DIRECTION.recompute(wide, hard("bed", "tv", "sofa", "front-left"))
    assert reaching.agrees is True
    assert reaching.reasons == ("more than 2 corners of its box lie in other directions",)
    far = room(("bed", 0, 0), ("tv", 2, 0), ("sofa", 1, 9))
    assert "two are 8.84 m apart, more than 5" in (
        DIRECTION.recompute(far, easy("bed", "tv", "sofa", "left")).reasons
    )
    typed = replace(easy("bed", "tv", "sofa", "left"), question_type="object_rel_direction_hard")
    assert DIRECTION.recompute(room(*PLAN), typed).reasons == (
        "the text asks a question of the level easy",
    )


def test_a_direction_to_one_of_several(room):
    both_left = room(*PLAN[:3], ("sofa", 1.5, 1.5))
    found = DIRECTION.recompute(both_left, easy("bed", "tv", "sofa", "left"))
    assert (found.answer, found.agrees, found.reasons) == ("left", True, ("'sofa' occurs 2 times",))
    either = room(*PLAN[:3], ("sofa", 1, -1))
    found = DIRECTION.recompute(either, easy("bed", "tv", "sofa", "left"))
    assert (found.answer, found.agrees) == (None, None)


def test_nobody_faces_what_is_above(room):
    above = SceneObject("lamp_0", "lamp", Box((0.0, 0.0, 2.0), (0.2, 0.2, 0.2)))
    scene = room(*PLAN[:3])
    scene = replace(scene, objects=(*scene.objects, above), counts={**scene.counts, "lamp": 1})
    for asked in (easy("bed", "lamp", "sofa", "left"), easy("bed", "tv", "lamp", "left")):
        found = DIRECTION.recompute(scene, asked)
        assert (found.answer, found.agrees) == (None, None)
        assert found.reasons == ("one stands where the other object is, on the plan",)


def test_crowds_are_not_searched_through():
    things = [
        SceneObject(f"{name}_{i}", name, Box((float(i), y, 0.5), (0.2, 0.2, 0.2)))
        for y, name in enumerate(("chair", "table", "lamp"))
        for i in range(9)
    ]
    counts = {"chair": 9, "table": 9, "lamp": 9}
    scene = Scene("room", "test", tuple(things), 20.0, (0.0, 0.0, 0.0), counts)
    found = DIRECTION.recompute(scene, easy("chair", "table", "lamp", "left"))
    assert (found.agrees, found.reasons[-1]) == (
        None,
        "too many instances to tell which are meant",
    )


@pytest.mark.parametrize(
    ("family", "about"),
    [
        (COUNTING, "how many of a category there are"),
        (SIZE, "the longest side of an object, in centimetres"),
        (ROOM, "the size of the room, in square metres"),
        (ABS, "the distance between two objects, in metres"),
        (REL, "which of several objects is the closest to another"),
        (DIRECTION, "a direction from one object, facing another"),
    ],
)
def test_other_texts_are_not_understood(room, family, about):
    asked = row(family.question_types[0], "Where is my coat?", "3")
    expected = (f"the text is no known wording of a question about {about}",)
    found = family.recompute(room(("bed", 0, 0)), asked)
    assert found == Recomputed(None, None, None, expected)
