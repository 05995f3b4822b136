"""Appearance orders: when a category appears, which four may be asked about, and what is printed."""

import json
from collections import Counter
from dataclasses import replace
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from harness.layout.camera import camera_walk
from harness.layout.visibility import drawn_visibility
from harness.question import Question, from_row
from harness.scene import Box, Frame, Intrinsics, Scene, SceneObject, Visibility
from harness_plugins.questions.obj_appearance_order import build
from harness_plugins.questions.settings import ObjAppearanceOrderSettings
from harness_plugins.scenes import procedural
from harness_plugins.scenes.settings import ProceduralSettings

ALL = build(ObjAppearanceOrderSettings(sets=None))
# 1 per mille of 100 x 100 pixels.
THRESHOLD = 10
CAMERA = Intrinsics(100, 100, 50.0, 50.0, 50.0, 50.0)
POSE = tuple(np.eye(4).ravel().tolist())


def seen(*things, frames=20, counts=None):
    """A scene from (category, first second, pixels from then on), a frame each half second."""
    objects = tuple(
        SceneObject(f"{category}_{index}", category, Box((index, 0.0, 0.5), (0.5, 0.5, 0.5)))
        for index, (category, *_) in enumerate(things)
    )
    pixels = np.zeros((frames, len(things)), dtype=np.int32)
    for column, (_, second, *amount) in enumerate(things):
        if second is not None:
            pixels[round(2 * second) :, column] = amount[0] if amount else 500
    return Scene(
        "room",
        "test",
        objects,
        20.0,
        (0.0, 0.0, 0.0),
        counts or Counter(thing[0] for thing in things),
        frames=tuple(Frame(number / 2, POSE, CAMERA) for number in range(frames)),
        visibility=Visibility(tuple(thing.id for thing in objects), pixels),
    )


FOUR = (("sofa", 4.5), ("bed", 0), ("lamp", 1.5), ("tv", 3))


def test_wording_options_and_margin(ask):
    (question,) = ask(ALL, seen(*FOUR))
    assert question.answer == "bed, lamp, tv, sofa"
    head = "What will be the first-time appearance order of the following categories in the video: "
    assert question.text.startswith(head)
    listed = question.text.removeprefix(head).removesuffix("?").split(", ")
    assert sorted(listed) == ["bed", "lamp", "sofa", "tv"]
    assert len(set(question.options)) == 4
    assert question.options.count(question.answer) == 1
    assert {tuple(sorted(option.split(", "))) for option in question.options} == {
        ("bed", "lamp", "sofa", "tv")
    }
    assert question.margin == 1.5
    assert question.objects == ("bed_1", "lamp_2", "tv_3", "sofa_0")
    assert (question.question_type, question.kind) == ("obj_appearance_order", "letter")


def test_the_order_as_free_text_in_the_style_of_vsi_100k(ask):
    (question,) = ask(ALL, seen(*FOUR), "vsi_100k")
    assert (question.answer, question.options, question.kind) == (
        "bed, lamp, tv, sofa",
        None,
        "word",
    )


def test_the_list_and_the_options_tell_nothing(ask):
    found = [ask(ALL, seen(*FOUR), seed=seed)[0] for seed in range(300)]
    listed = Counter(q.text.partition("video: ")[2].removesuffix("?") for q in found)
    wrong = Counter(option for q in found for option in q.options[1:])
    assert len(listed) == 24
    assert max(listed.values()) < 30
    assert len(wrong) == 23
    assert max(wrong.values()) < 70


@pytest.mark.parametrize(
    ("lamp", "asked"), [(1.5, True), (1.0, False), (0.5, False), (2.0, False), (0, False)]
)
def test_categories_that_appear_close_together_are_left_out(ask, lamp, asked):
    things = [("bed", 0), ("lamp", lamp), ("tv", 3), ("sofa", 4.5)]
    assert bool(ask(ALL, seen(*things))) == asked


def test_of_what_the_first_frame_shows_one_is_asked_about(ask):
    found = ask(ALL, seen(("bed", 0), ("desk", 0), *FOUR[2:], ("sofa", 4.5)))
    assert {q.answer for q in found} == {"bed, lamp, tv, sofa", "desk, lamp, tv, sofa"}


@pytest.mark.parametrize(("pixels", "asked"), [(THRESHOLD, True), (THRESHOLD - 1, False)])
def test_a_category_appears_with_the_threshold(ask, pixels, asked):
    assert bool(ask(ALL, seen(*FOUR[1:], ("sofa", 5, pixels)))) == asked


def test_instances_count_together_and_the_first_frame_counts(ask):
    # Half of the threshold each: together they appear with the second.
    chairs = (("chair", 0, THRESHOLD // 2), ("chair", 6, THRESHOLD // 2))
    (question,) = ask(ALL, seen(*FOUR[1:], *chairs))
    assert question.answer == "bed, lamp, tv, chair"
    assert question.margin == 1.5
    assert question.objects[-2:] == ("chair_3", "chair_4")


def test_what_might_have_come_earlier_is_not_asked_about(ask):
    counts = {"sofa": 2, "bed": 1, "lamp": 1, "tv": 1}
    assert ask(ALL, seen(*FOUR, counts=counts)) == []
    scene = seen(*FOUR)
    measured = Visibility(scene.visibility.objects[:3], scene.visibility.pixels[:, :3].copy())
    assert ask(ALL, replace(scene, visibility=measured)) == []
    assert ask(ALL, replace(scene, visibility=None)) == []
    assert ask(ALL, seen(*FOUR[1:], ("sofa", None))) == []


def test_names_that_a_list_cannot_tell_apart_are_not_asked_about(ask):
    assert ask(ALL, seen(*FOUR[1:], ("sofa, couch", 4.5))) == []
    # Both are called coat rack.
    assert ask(ALL, seen(*FOUR[1:], ("coat hanger", 4.5), ("coat rack", 6))) == []


@settings(derandomize=True, max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 19), min_size=0, max_size=9), st.sampled_from((0.0, 0.5, 1.0, 2.0)))
def test_every_admissible_set_is_asked_once(starts, gap):
    scene = seen(*[(f"thing {i}", start / 2) for i, start in enumerate(starts)])
    generator = build(ObjAppearanceOrderSettings(sets=None, min_gap=gap))
    found = list(generator.questions(scene, "vsi_bench", np.random.default_rng(0)))
    expected = set()
    for four in combinations(range(len(starts)), 4):
        order = sorted(four, key=starts.__getitem__)
        if all((starts[b] - starts[a]) / 2 > gap for a, b in pairwise(order)):
            expected.add(", ".join(f"thing {i}" for i in order))
    assert sorted(q.answer for q in found) == sorted(expected)
    for question in found:
        recomputed = generator.recompute(scene, question)
        assert (recomputed.answer, recomputed.agrees, recomputed.reasons) == (
            question.answer,
            True,
            (),
        )
        assert recomputed.margin == question.margin


def test_sets_are_drawn_and_follow_the_random_numbers_alone(ask):
    scene = seen(*[(f"thing {i}", i * 1.5) for i in range(7)], frames=30)
    assert len(ask(ALL, scene)) == 35
    five = build(ObjAppearanceOrderSettings())
    assert len({q.answer for q in ask(five, scene)}) == 5
    assert ask(five, scene) == ask(five, scene)
    drawn = Counter(q.answer for seed in range(200) for q in ask(five, scene, seed=seed))
    assert len(drawn) == 35
    assert max(drawn.values()) < 60


def order_row(text, options=("bed, lamp, tv, sofa", "sofa, tv, lamp, bed")):
    return Question("", "room", "test", "obj_appearance_order", text, options[0], options)


ASKED = "first-time appearance order of the following categories in the video: "


def test_a_wrong_answer_is_found():
    backwards = order_row(
        ASKED + "bed, tv, lamp, sofa?", ("sofa, tv, lamp, bed", "bed, lamp, tv, sofa")
    )
    found = ALL.recompute(seen(*FOUR), backwards)
    assert (found.answer, found.agrees, found.margin) == ("bed, lamp, tv, sofa", False, 1.5)


@pytest.mark.parametrize(
    ("text", "scene", "reason"),
    [
        ("When?", seen(*FOUR), "lists no categories"),
        (ASKED + "bed, lamp, tv, sofa?", replace(seen(*FOUR), visibility=None), "nobody measured"),
        (ASKED + "bed, lamp, tv, piano?", seen(*FOUR), "no category 'piano'"),
        (ASKED + "bed, lamp, tv, bed?", seen(*FOUR), "'bed' is named twice"),
        (ASKED + "bed?", seen(*FOUR), "fewer than two categories"),
        (
            ASKED + "bed, sofa?",
            seen(("sofa", None), ("bed", 0)),
            "when the sofa appears is not known",
        ),
        (ASKED + "bed, sofa?", seen(("sofa", 2), ("bed", 2)), "appear in the same frame"),
    ],
)
def test_what_cannot_be_told_is_said(text, scene, reason):
    found = ALL.recompute(scene, order_row(text))
    assert (found.answer, found.agrees) == (None, None)
    assert any(reason in said for said in found.reasons), found.reasons


def test_close_appearances_are_named_as_such():
    found = ALL.recompute(
        seen(("bed", 0), ("sofa", 0.5)), order_row(ASKED + "sofa, bed?", ("bed, sofa", "sofa, bed"))
    )
    assert (found.answer, found.agrees, found.margin) == ("bed, sofa", True, 0.5)
    assert found.reasons == ("two of the categories appear 0.50 s apart",)


def test_released_rows_need_the_videos_poses(shared_data, real_scenes):
    lines = (shared_data("vsibench-questions-subset") / "vsibench_subset.jsonl").read_text()
    rows = [from_row(json.loads(line)) for line in lines.splitlines()]
    rows = [row for row in rows if row.question_type == "obj_appearance_order"]
    assert len(rows) == 16
    found = {ALL.recompute(real_scenes[row.scene], row) for row in rows}
    assert [(one.answer, one.agrees, one.reasons) for one in found] == [
        (None, None, ("nobody measured what the frames of scene scene0231_00 show",))
    ]


def test_a_drawn_walk_is_asked_about(ask):
    source = procedural.build(ProceduralSettings(scenes=1))
    scene = source.load(source.scene_ids()[0])
    frames = camera_walk(scene, seconds=20, fps=2, width=80, height=60, seed=0)
    visibility = drawn_visibility(scene, frames)
    shown = replace(scene, frames=frames, visibility=visibility)
    found = ask(build(ObjAppearanceOrderSettings()), shown)
    assert len(found) == 5
    for question in found:
        firsts = []
        for category in question.answer.split(", "):
            columns = [i for i, thing in enumerate(scene.objects) if thing.category == category]
            shares = visibility.pixels[:, columns].sum(axis=1) / (80 * 60)
            firsts.append(next(frames[i].time for i, share in enumerate(shares) if share >= 0.001))
        assert min(after - before for before, after in pairwise(firsts)) == question.margin > 1


def test_settings_that_make_no_sense_are_refused():
    for fields in ({"min_share": 0.0}, {"sets": 0}, {"min_gap": -1.0}):
        with pytest.raises(ValidationError):
            ObjAppearanceOrderSettings(**fields)
