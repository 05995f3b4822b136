"""Questions read back: whatever the spelling, the objects come out, and nothing out of other texts."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness_plugins.questions import wording
from harness_plugins.questions.wording import Direction, Nearest

names = st.lists(
    st.text("abcdefghijklmnopqrstuvwxyz", min_size=2, max_size=8), min_size=1, max_size=3
).map(" ".join)
READERS = (
    wording.counted,
    wording.measured,
    wording.asks_room_size,
    wording.apart,
    wording.nearest,
    wording.direction,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("How many trash can(s) are in this room?", "trash can"),
        ("How many trash can(s)in the room?", "trash can"),
        ("  how  many\nTRASH can (s) ARE in  this room ?", "trash can"),
        ("How many chairs are there in the room?", "chairs"),
        ("How many table(s) are in this scene? Answer with one number.", "table"),
        ("How many l-shaped sofa(s) are in this room?", "l shaped sofa"),
        ("How many (s) are in this room?", "( s )"),
        ("How many in this room?", None),
        ("How large is this room?", None),
    ],
)
def test_what_is_counted(text, expected):
    assert wording.counted(text) == expected


@pytest.mark.parametrize(
    "dimensions",
    ["(length, width, or height)", "(length,width, or height)", "(length width or height)"],
)
@pytest.mark.parametrize(
    "end", [", measured in centimeters?", " in centimetres?", " (in centimeters)?"]
)
def test_what_is_measured(dimensions, end):
    opening = f"What is the length of the longest dimension {dimensions} of the "
    assert wording.measured(f"{opening}Coffee  Table{end}") == "coffee table"
    assert wording.measured(f"{opening}sofa, measured in meters?") is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("What is the size of this room (in square meters)?", True),
        (
            (
                "What is the size of this room (in square meters)? \nIf multiple rooms are shown, "
                "estimate the size of the combined space."
            ),
            True,
        ),
        ("what is the size of the room(in square metres) ?", True),
        ("What is the size of this room (in square feet)?", False),
        ("What is the size of this sofa (in square meters)?", False),
    ],
)
def test_room_size(text, expected):
    assert wording.asks_room_size(text) == expected


@pytest.mark.parametrize(
    ("text", "closest"),
    [
        (
            (
                "Measuring from the closest point of each object, what is the distance between the bed "
                "and the tv (in meters)?"
            ),
            True,
        ),
        (
            (
                "Measuring from the closest point of each object, what is the direct distance between "
                "the bed and the tv (in meters)? Measure the nearest instances."
            ),
            True,
        ),
        ("What is the distance between the bed and the tv (in meters)?", False),
        ("what is the direct distance between the BED and the  TV(in metres) ?", False),
    ],
)
def test_whose_distance_is_asked(text, closest):
    assert wording.apart(text) == ("bed", "tv")
    assert wording.says_closest_points(text) == closest


@pytest.mark.parametrize(
    "text",
    [
        (
            "Measuring from the closest point of each object, which of these objects (sink, bed, guitar "
            "case, tv) is the closest to the bicycle?"
        ),
        (
            "Measuring from the closest point of each object, which of these objects (sink, bed, guitar "
            "case, tv) is the closest to the bicycle? If there are multiple instances of an object "
            "category, measure to the closest."
        ),
        "Which of these objects (sink, bed, guitar case, tv)is the closest to the bicycle?",
        "which of these objects (sink,bed ,guitar  case,tv) is closest to the bicycle?",
    ],
)
def test_which_is_the_nearest(text):
    assert wording.nearest(text) == Nearest(("sink", "bed", "guitar case", "tv"), "bicycle")


STAND = "If I am standing by the bed and facing the tv"


@pytest.mark.parametrize(
    ("text", "level"),
    [
        (f"{STAND}, is the sofa to the left or the right of the tv?", "easy"),
        (f"{STAND} is the sofa to the left or the right of the tv?", "easy"),
        (f"{STAND}, is the sofa to my left, right, or back?\nAn object is to my back if", "medium"),
        (f"{STAND}, is the sofa to my left, back or right?", "medium"),
        (f"{STAND}, is the sofa to my front-left, front-right, back-left, or back-right?", "hard"),
        (f"{STAND}, is the sofa to my front left, front right, back left or back right?", "hard"),
        (f"{STAND}, is the sofa to the left or the right of the bed?", None),
        (f"{STAND}, is the sofa to my front or back?", None),
        (f"{STAND}, is the sofa big?", None),
    ],
)
def test_directions(text, level):
    expected = None if level is None else Direction(level, "bed", "tv", "sofa")
    assert wording.direction(text) == expected


@settings(derandomize=True, max_examples=60, deadline=None)
@given(names, names, names)
def test_any_names_come_out(a, b, c):
    assert wording.counted(f"How many {a}(s) are in this room?") == a
    assert wording.counted(f"How many {a}(s)in the room?") == a
    assert wording.apart(f"What is the distance between the {a} and the {b} (in meters)?") == (a, b)
    listed = f"Which of these objects ({a}, {b}, {a}, {b})is the closest to the {c}?"
    assert wording.nearest(listed) == Nearest((a, b, a, b), c)
    stand = f"If I am standing by the {a} and facing the {b}"
    easy = f"{stand} is the {c} to the left or the right of the {b}?"
    assert wording.direction(easy) == Direction("easy", a, b, c)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "how many ",
                " in this room",
                "(s)",
                "?",
                "which of these objects (",
                ") is the closest",
                " to the ",
                "what is the distance between the ",
                " and the ",
                " (in meters)",
                ", ",
                "if i am standing by the ",
                " and facing the ",
                " is the ",
                " to my ",
                "left",
                "İ",
                "\x00",
            ]
        ),
        max_size=12,
    ).map("".join)
    | st.text(max_size=60)
)
def test_no_text_breaks_a_reader(text):
    for reader in READERS:
        found = reader(text)
        assert found is None or isinstance(found, bool) or all(found)


@pytest.mark.parametrize(
    "piece", [" and the ", "(", " is the ", "how many ", "a, ", " to my left "]
)
def test_long_texts_are_read_in_no_time(piece):
    hostile = [f"{start}{piece * (1_900 // len(piece))}" for start in ("", "how many ", STAND)]
    hostile.append(piece * 1_000_000)
    begun = time.perf_counter()
    for text in hostile:
        assert [reader(text) for reader in READERS].count(None) >= 4
    assert time.perf_counter() - begun < 0.5
