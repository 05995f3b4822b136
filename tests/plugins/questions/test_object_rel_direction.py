"""Relative directions: sectors, margins, corners, and who may be asked about."""

import math
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from harness.errors import UsageError
from harness.scene import Box, Scene, SceneObject
from harness_plugins.questions.object_rel_direction import build
from harness_plugins.questions.settings import ObjectRelDirectionSettings

ALL = build(ObjectRelDirectionSettings(max_triples=None))


def seen(angle: float, distance: float = 2.0, side: float = 0.02) -> list[tuple]:
    """Standing at the origin by the bed, facing the sofa along x, the lamp at an angle."""
    turned = math.radians(angle)
    return [
        ("bed", 0, 0, side),
        ("sofa", 2, 0, side),
        ("lamp", distance * math.cos(turned), distance * math.sin(turned), side),
    ]


def about_the_lamp(questions):
    return {
        q.question_type.rpartition("_")[2]: q
        for q in questions
        if q.objects == ("bed_0", "sofa_1", "lamp_2")
    }


@pytest.mark.parametrize(
    ("angle", "expected"),
    [
        (45, {"easy": "left", "medium": "left", "hard": "front-left"}),
        (110, {"easy": "left", "medium": "left", "hard": "back-left"}),
        (150, {"medium": "back", "hard": "back-left"}),
        (200, {"medium": "back", "hard": "back-right"}),
        (250, {"easy": "right", "medium": "right", "hard": "back-right"}),
        (320, {"easy": "right", "medium": "right", "hard": "front-right"}),
        # Nearer than 10 degrees to a boundary.
        (5, {}),
        (355, {}),
        (81, {"easy": "left", "medium": "left"}),
        (99, {"easy": "left", "medium": "left"}),
        (130, {"hard": "back-left"}),
        (140, {"hard": "back-left"}),
        (175, {"medium": "back"}),
        (230, {"hard": "back-right"}),
    ],
)
def test_sectors(room, ask, angle, expected):
    found = about_the_lamp(ask(ALL, room(*seen(angle))))
    assert {level: q.answer for level, q in found.items()} == expected


def test_wording_options_and_margins(room, ask):
    found = about_the_lamp(ask(ALL, room(*seen(60))))
    stand = "If I am standing by the bed and facing the sofa, is the lamp "
    assert {level: q.text for level, q in found.items()} == {
        "easy": stand + "to the left or the right of the sofa?",
        "medium": stand + "to my left, right, or back?\nAn object is to my back if I would have to "
        "turn at least 135 degrees in order to face it.",
        "hard": stand + "to my front-left, front-right, back-left, or back-right?\nThe directions "
        "refer to the quadrants of a Cartesian plane (if I am standing at the origin and facing "
        "along the positive y-axis).",
    }
    assert {level: q.options for level, q in found.items()} == {
        "easy": ("left", "right"),
        "medium": ("left", "right", "back"),
        "hard": ("front-left", "front-right", "back-left", "back-right"),
    }
    assert {level: round(q.margin, 6) for level, q in found.items()} == {
        "easy": 60,
        "medium": 60,
        "hard": 30,
    }


def test_left_or_right_as_a_word_in_the_style_of_vsi_100k(room, ask):
    found = ask(ALL, room(*seen(60)), "vsi_100k")
    assert {q.question_type for q in found} == {"object_rel_direction_easy"}
    question = about_the_lamp(found)["easy"]
    assert question.text == (
        "If I am standing by the bed and facing the sofa is the lamp to the left or the right of "
        "the sofa?"
    )
    assert (question.answer, question.options, question.kind) == ("left", None, "word")


def test_vsi_100k_without_the_easy_level_is_refused(room, ask):
    hard = build(ObjectRelDirectionSettings(levels=("hard",)))
    with pytest.raises(UsageError, match="asks left or right only, and levels \\['hard'\\]"):
        ask(hard, room(*seen(60)), "vsi_100k")


@pytest.mark.parametrize(
    ("angle", "strict", "compatible"), [(97, False, True), (83, False, False), (45, True, True)]
)
def test_the_benchmarks_margin_looks_at_one_side(room, ask, angle, strict, compatible):
    hard = {"levels": ("hard",), "max_triples": None}
    for expected, flag in ((strict, False), (compatible, True)):
        generator = build(ObjectRelDirectionSettings(compatible_margin=flag, **hard))
        assert ("hard" in about_the_lamp(ask(generator, room(*seen(angle))))) == expected


@pytest.mark.parametrize(
    ("distance", "admissible"), [(0.28, False), (0.33, True), (4.0, True), (5.1, False)]
)
def test_objects_too_near_or_too_far_are_left_out(room, ask, distance, admissible):
    assert bool(about_the_lamp(ask(ALL, room(*seen(60, distance))))) == admissible


def test_a_wide_object_that_reaches_into_another_sector_is_left_out(room, ask):
    bed, sofa, _ = seen(60)
    turned = math.radians(75)
    wide = ("lamp", 2 * math.cos(turned), 2 * math.sin(turned), 1.2)
    scene = room(bed, sofa, wide)
    assert "hard" not in about_the_lamp(ask(ALL, scene))
    any_corner = build(ObjectRelDirectionSettings(max_stray_corners=4))
    assert about_the_lamp(ask(any_corner, scene))["hard"].answer == "front-left"


def test_one_cannot_face_what_hangs_above(ask):
    things = [
        SceneObject("bed_0", "bed", Box((0.0, 0.0, 0.1), (0.2, 0.2, 0.2))),
        SceneObject("sofa_1", "sofa", Box((0.1, 0.0, 2.0), (0.2, 0.2, 0.2))),
        SceneObject("lamp_2", "lamp", Box((0.3, 2.0, 0.1), (0.2, 0.2, 0.2))),
    ]
    scene = Scene(
        "r", "d", tuple(things), 9.0, (0.0, 0.0, 0.0), dict.fromkeys(("bed", "sofa", "lamp"), 1)
    )
    assert ask(ALL, scene) == []
    as_released = build(ObjectRelDirectionSettings(min_plan_distance=0.0))
    assert len(ask(as_released, scene)) > 0


def test_objects_at_one_place_of_the_plan_give_no_direction(ask):
    things = [
        SceneObject(name, name, Box((x, 0.0, z), (0.2, 0.2, 0.2)))
        for name, x, z in (("bed", 0.0, 0.1), ("sofa", 0.0, 2.0), ("lamp", 2.0, 0.1))
    ]
    scene = Scene(
        "r", "d", tuple(things), 9.0, (0.0, 0.0, 0.0), dict.fromkeys(("bed", "sofa", "lamp"), 1)
    )
    assert ask(build(ObjectRelDirectionSettings(min_plan_distance=0.0)), scene) == []


def test_three_orders_of_a_triple_are_asked(room, ask):
    found = ask(ALL, room(("bed", 0, 0), ("sofa", 2, 0), ("lamp", 1, 2)))
    assert {q.objects for q in found} == {
        ("bed_0", "sofa_1", "lamp_2"),
        ("bed_0", "lamp_2", "sofa_1"),
        ("sofa_1", "bed_0", "lamp_2"),
    }


def test_triples_are_drawn_for_each_level(room, ask):
    places = [(0, 0), (2, 0.3), (0.4, 2.2), (3, 2.5), (1.2, 3.9), (3.7, 1.1)]
    scene = room(*[(f"thing {i}", x, y) for i, (x, y) in enumerate(places)])
    every = ask(ALL, scene)
    for triples in (1, 2):
        generator = build(ObjectRelDirectionSettings(max_triples=triples))
        found = ask(generator, scene)
        levels = Counter((q.question_type, frozenset(q.objects)) for q in found)
        assert Counter(level for level, _ in levels) == {
            f"object_rel_direction_{level}": triples for level in ("easy", "medium", "hard")
        }
        assert {q.text for q in found} <= {q.text for q in every}
        drawn = {
            frozenset(q.objects for q in ask(generator, scene, seed=seed)) for seed in range(20)
        }
        assert len(drawn) > 5


def test_things_that_occur_twice_are_not_asked_about(room, ask):
    assert ask(ALL, room(*seen(60), ("lamp", 3, 3))) == []
    assert ask(ALL, room(("bed", 0, 0), ("sofa", 2, 0))) == []


@settings(derandomize=True, max_examples=40, deadline=None)
@given(st.floats(0, 360), st.floats(0, 360), st.floats(-5, 5), st.floats(-5, 5))
def test_turning_and_moving_the_room_changes_no_answer(angle, turn, x, y):
    def turned_room(by: float, dx: float, dy: float) -> Scene:
        c, s = math.cos(math.radians(by)), math.sin(math.radians(by))
        objects = []
        for index, (name, u, v, side) in enumerate(seen(angle)):
            centre = (c * u - s * v + dx, s * u + c * v + dy, 0.5)
            objects.append(SceneObject(f"{name}_{index}", name, Box(centre, (side,) * 3)))
        return Scene(
            "r", "d", tuple(objects), 9.0, (0.0, 0.0, 0.0), {o.category: 1 for o in objects}
        )

    def answers(scene: Scene) -> dict[str, tuple[str, float]]:
        import numpy as np

        found = about_the_lamp(ALL.questions(scene, "vsi_bench", np.random.default_rng(0)))
        # Right at a margin, rounding decides whether a question is asked.
        return {
            level: (q.answer, round(q.margin, 3)) for level, q in found.items() if q.margin > 10.01
        }

    assert answers(turned_room(turn, x, y)) == answers(turned_room(0, 0, 0))


def test_settings_that_make_no_sense_are_refused():
    for fields in (
        {"min_distance": 6.0},
        {"levels": ()},
        {"levels": ("easy", "easy")},
        {"levels": ("simple",)},
        {"margin": 50.0},
    ):
        with pytest.raises(ValidationError):
            ObjectRelDirectionSettings(**fields)


@pytest.mark.parametrize(
    ("objects", "answer", "margin"),
    [
        (("stove_0", "sofa_0", "tv_0"), "front-left", 37.7),
        (("stove_0", "tv_0", "sofa_0"), "front-right", 37.7),
        (("sofa_0", "stove_0", "tv_0"), "front-right", 32.4),
    ],
)
def test_released_directions_come_out(real_scenes, ask, objects, answer, margin):
    released = build(
        ObjectRelDirectionSettings(
            levels=("hard",), max_triples=None, compatible_margin=True, min_plan_distance=0.0
        )
    )
    found = {q.objects: q for q in ask(released, real_scenes["41069025"])}
    assert found[objects].answer == answer
    assert found[objects].margin == pytest.approx(margin, abs=0.05)
