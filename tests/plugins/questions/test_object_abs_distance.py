"""Absolute distances: exact, as the benchmark samples them, and between centres."""

import numpy as np
import pytest

from harness_plugins.questions.object_abs_distance import build
from harness_plugins.questions.settings import ObjectAbsDistanceSettings

EXACT = build(ObjectAbsDistanceSettings())
SAMPLED = build(ObjectAbsDistanceSettings(mode="vsi_bench"))

# Answers of released VSI-Bench questions (spec B.6).
RELEASED = [
    ("41069025", "sofa", "stove", "2.9"),
    ("41069025", "tv", "stove", "2.9"),
    ("41069025", "tv", "sofa", "2.1"),
    ("42446103", "tv", "stove", "4.7"),
    ("42446103", "stool", "stove", "3.5"),
    ("42446103", "stool", "tv", "3.2"),
    ("scene0277_02", "chair", "bed", "0.9"),
    ("scene0277_02", "door", "bed", "1.7"),
    ("scene0277_02", "door", "chair", "2.9"),
    ("scene0277_02", "door", "window", "3.9"),
    ("scene0277_02", "door", "radiator", "3.7"),
    ("scene0277_02", "table", "bed", "1.1"),
    ("scene0277_02", "table", "door", "2.5"),
    ("45b0dac5e3", "door", "cup", "1.6"),
    ("3db0a1c8f3", "bed", "sofa", "3.2"),
]


def test_closest_points_and_the_later_category_first(room, ask):
    scene = room(("sofa", 0, 0, 1.0), ("tv", 3, 0, 1.0), ("chair", 0, 9), ("chair", 0, 8))
    (question,) = ask(EXACT, scene)
    assert question.text == (
        "Measuring from the closest point of each object, what is the distance between the tv and "
        "the sofa (in meters)?"
    )
    assert (question.answer, question.objects) == ("2.0", ("tv_1", "sofa_0"))
    assert (question.question_type, question.kind) == ("object_abs_distance", "number")


def test_centres_in_the_style_of_vsi_100k(room, ask):
    scene = room(("shower", 0, 0, 1.0), ("kitchen counter", 3, 0, 1.0))
    for generator in (EXACT, SAMPLED):
        (question,) = ask(generator, scene, "vsi_100k")
        assert question.text == (
            "What is the distance between the kitchen counter and the shower (in meters)?"
        )
        assert question.answer == "3.0"


def test_centres_are_those_of_the_points_where_there_are_points(room, ask):
    points = {"tv": np.array([[4.0, 0.0, 0.5], [6.0, 0.0, 0.5]])}
    scene = room(("sofa", 0, 0, 1.0), ("tv", 3, 0, 1.0), points=points)
    assert [q.answer for q in ask(EXACT, scene, "vsi_100k")] == ["5.0"]
    assert [q.answer for q in ask(EXACT, scene, "vsi_bench")] == ["2.0"]


def test_close_pairs_are_left_out(room, ask):
    scene = room(("sofa", 0, 0), ("tv", 0.39, 0), ("lamp", 0.79, 0))
    # 0.19 m, 0.2 m and 0.59 m between the boxes.
    assert {q.objects for q in ask(EXACT, scene)} == {("lamp_2", "tv_1"), ("lamp_2", "sofa_0")}
    all_pairs = build(ObjectAbsDistanceSettings(min_distance=0.0, decimals=2))
    assert [q.answer for q in ask(all_pairs, scene)] == ["0.19", "0.59", "0.20"]


def test_every_pair_of_single_things_is_asked_about(room, ask):
    scene = room(*[(name, i, 0) for i, name in enumerate("abcdef")])
    assert len(ask(EXACT, scene)) == 15
    assert ask(EXACT, room(("a", 0, 0))) == []


@pytest.mark.parametrize(("scene", "first", "second", "expected"), RELEASED)
def test_released_answers_come_out(real_scenes, ask, scene, first, second, expected):
    answers = {q.objects: q.answer for q in ask(SAMPLED, real_scenes[scene])}
    assert answers[(f"{first}_0", f"{second}_0")] == expected


def test_the_benchmark_never_measures_less_than_the_boxes(real_scenes, ask):
    scene = real_scenes["scene0277_02"]
    exact = {q.objects: float(q.answer) for q in ask(EXACT, scene)}
    sampled = {q.objects: float(q.answer) for q in ask(SAMPLED, scene)}
    above = [sampled[pair] - exact[pair] for pair in exact]
    assert min(above) >= 0
    assert max(above) <= 0.1 + 1e-9
    assert sum(above) > 0
