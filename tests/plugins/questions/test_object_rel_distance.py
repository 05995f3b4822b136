"""Relative distances: which options may stand together, and which is the closest."""

from collections import Counter

import pytest

from harness.geometry import closest_distance
from harness_plugins.questions.object_rel_distance import build
from harness_plugins.questions.settings import ObjectRelDistanceSettings

ALL = build(ObjectRelDistanceSettings(sets_per_target=None))
# On a line, 1 m from each other and more with each step.
LINE = [("bed", 0, 0), ("sink", 1, 0), ("pillow", 3, 0), ("guitar", 6, 0), ("bicycle", 10, 0)]


def about(questions, target):
    return [q for q in questions if q.text.endswith(f"is the closest to the {target}?")]


def test_the_closest_option_is_the_answer(room, ask):
    (question,) = about(ask(ALL, room(*LINE)), "bed")
    assert question.text == (
        "Measuring from the closest point of each object, which of these objects (sink, pillow, "
        "guitar, bicycle) is the closest to the bed?"
    )
    assert question.options == ("sink", "pillow", "guitar", "bicycle")
    assert (question.answer, question.kind) == ("sink", "letter")
    assert question.margin == pytest.approx(2.0)
    assert question.objects == ("bed_0", "sink_1", "pillow_2", "guitar_3", "bicycle_4")


def test_free_words_and_centres_in_the_style_of_vsi_100k(room, ask):
    questions = [
        question
        for seed in range(40)
        for question in about(ask(ALL, room(*LINE), "vsi_100k", seed), "bed")
    ]
    assert {q.answer for q in questions} == {"sink"}
    assert {q.options for q in questions} == {None}
    assert {q.kind for q in questions} == {"word"}
    listed = [q.text.partition("(")[2].partition(")")[0].split(", ") for q in questions]
    assert questions[0].text == (
        f"Which of these objects ({', '.join(listed[0])})is the closest to the bed?"
    )
    # There are no letters to balance, so the list itself must not give the answer away.
    places = Counter(names.index("sink") for names in listed)
    assert set(places) == {0, 1, 2, 3}
    assert max(places.values()) < 20


def test_the_nearest_of_several_instances_counts(room, ask):
    scene = room(*LINE[:4], ("chair", 8, 0), ("chair", 0.5, 0))
    (question,) = about(ask(ALL, scene), "bed")
    assert question.answer == "chair"
    assert question.objects == ("bed_0", "sink_1", "pillow_2", "guitar_3", "chair_5")
    assert about(ask(ALL, scene), "chair") == []
    # VSI-100k's options occur once: only three are left here.
    assert ask(ALL, scene, "vsi_100k") == []


@pytest.mark.parametrize(
    ("move", "admissible"),
    [
        ({"sink": 0.36}, True),
        ({"sink": 0.34}, False),  # 0.14 m from the bed
        ({"pillow": 1.16}, True),
        ({"pillow": 1.14}, False),  # 0.14 m farther than the sink
        ({"bicycle": 6.14}, False),
        ({"bicycle": -6.14}, False),
    ],
)
def test_options_too_near_or_too_alike_are_left_out(room, ask, move, admissible):
    things = [(name, move.get(name, x), y) for name, x, y in LINE]
    assert bool(about(ask(ALL, room(*things)), "bed")) == admissible


@pytest.mark.parametrize(
    ("area", "gap", "admissible"), [(40, 0.2, True), (41, 0.2, False), (41, 0.31, True)]
)
def test_large_rooms_want_larger_gaps(room, ask, area, gap, admissible):
    things = [*LINE[:2], ("pillow", 1 + gap, 0), *LINE[3:]]
    assert bool(about(ask(ALL, room(*things, area=area)), "bed")) == admissible


def test_all_sets_of_four_come_with_null_and_so_many_with_a_number(room, ask):
    scene = room(*[(f"thing {i}", 2.0**i, 0) for i in range(7)])
    found = about(ask(ALL, scene), "thing 0")
    assert len(found) == 15
    assert len({frozenset(q.options) for q in found}) == 15
    two = build(ObjectRelDistanceSettings(sets_per_target=2))
    assert len(about(ask(two, scene), "thing 0")) == 2
    drawn = {about(ask(two, scene, seed=seed), "thing 0")[0].options for seed in range(30)}
    assert len(drawn) > 8


def test_scenes_with_very_many_categories_are_sampled(room, ask):
    scene = room(*[(f"thing {i}", 0.9 * i, 0) for i in range(60)])
    target = about(ask(build(ObjectRelDistanceSettings()), scene), "thing 0")
    assert len(target) == 1
    x = {f"thing {i}": 0.9 * i for i in range(60)}
    assert target[0].answer == min(target[0].options, key=x.__getitem__)


def test_four_candidates_are_too_few(room, ask):
    assert ask(ALL, room(*LINE[:4])) == []
    assert ask(ALL, room(*[("chair", i, 0) for i in range(9)])) == []


def test_every_answer_is_the_nearest_in_real_scenes(real_scenes, ask):
    one = build(ObjectRelDistanceSettings())
    for scene_id in ("scene0231_00", "scene0050_01", "scene0277_02"):
        scene = real_scenes[scene_id]
        questions = ask(one, scene)
        assert questions
        for question in questions:
            target = next(thing for thing in scene.objects if thing.id == question.objects[0])
            metres = sorted(
                (min(closest_distance(target.box, o.box) for o in scene.of(option)), option)
                for option in question.options
            )
            assert question.answer == metres[0][1]
            assert question.margin == pytest.approx(metres[1][0] - metres[0][0], abs=1e-6)
            assert question.margin > 0.15


def test_the_benchmarks_sampling_is_a_mode(real_scenes, ask):
    sampled = build(ObjectRelDistanceSettings(mode="vsi_bench", sets_per_target=None))
    ours, theirs = (
        {(q.text, q.options): q for q in ask(generator, real_scenes["scene0277_02"])}
        for generator in (ALL, sampled)
    )
    both = ours.keys() & theirs.keys()
    assert len(both) > 15
    assert all(ours[key].answer == theirs[key].answer for key in both)
    assert any(ours[key].margin != theirs[key].margin for key in both)
