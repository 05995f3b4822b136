"""What the families ask, they confirm: every question, in both styles, with its margin."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.generate import AskRules, Family, build_questions
from harness.question import from_row, to_row
from harness_plugins.questions import (
    object_abs_distance,
    object_counting,
    object_rel_direction,
    object_rel_distance,
    object_size_estimation,
    room_size_estimation,
)
from harness_plugins.questions.settings import (
    ObjectAbsDistanceSettings,
    ObjectCountingSettings,
    ObjectRelDirectionSettings,
    ObjectRelDistanceSettings,
    ObjectSizeEstimationSettings,
    RoomSizeEstimationSettings,
)
from harness_plugins.scenes.procedural import build
from harness_plugins.scenes.settings import ProceduralSettings

FAMILIES = {
    "count": object_counting.build(ObjectCountingSettings()),
    "size": object_size_estimation.build(ObjectSizeEstimationSettings()),
    "room": room_size_estimation.build(RoomSizeEstimationSettings()),
    "abs": object_abs_distance.build(ObjectAbsDistanceSettings()),
    "abs as released": object_abs_distance.build(ObjectAbsDistanceSettings(mode="vsi_bench")),
    "rel": object_rel_distance.build(ObjectRelDistanceSettings(sets_per_target=3)),
    "rel as released": object_rel_distance.build(ObjectRelDistanceSettings(mode="vsi_bench")),
    "direction": object_rel_direction.build(ObjectRelDirectionSettings(max_triples=8)),
    "direction as released": object_rel_direction.build(
        ObjectRelDirectionSettings(compatible_margin=True, min_plan_distance=0.0)
    ),
}


@pytest.mark.parametrize("style", ["vsi_bench", "vsi_100k"])
@pytest.mark.parametrize("name", FAMILIES)
@settings(derandomize=True, max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_family_confirms_its_own_questions(name, style, seed):
    family = FAMILIES[name]
    source = build(ProceduralSettings(scenes=2, seed=seed))
    scenes = [source.load(scene_id) for scene_id in source.scene_ids()]
    asked = [
        (scene, question)
        for scene in scenes
        for question in family.questions(scene, style, np.random.default_rng(seed))
    ]
    for scene, question in asked:
        assert question.question_type in family.question_types
        found = family.recompute(scene, question)
        assert (found.answer, found.agrees, found.reasons) == (question.answer, True, ())
        assert found.margin == pytest.approx(question.margin, abs=1e-9)
        assert found.margin is None or found.margin >= 0


@pytest.mark.parametrize("style", ["vsi_bench", "vsi_100k"])
def test_sets_are_confirmed_after_they_were_shuffled_and_written(style):
    source = build(ProceduralSettings(scenes=12, seed=5))
    scenes = {scene_id: source.load(scene_id) for scene_id in source.scene_ids()}
    plain = {name: Family(name, family) for name, family in FAMILIES.items() if "as" not in name}
    questions = build_questions(scenes.values(), plain, AskRules(style=style, seed=1))
    verdicts = Counter(
        (row.question_type, FAMILIES[row.generator].recompute(scenes[row.scene], row).agrees)
        for question in questions
        for row in [from_row(to_row(question))]
    )
    assert {agrees for _, agrees in verdicts} == {True}
    levels = ("easy",) if style == "vsi_100k" else ("easy", "medium", "hard")
    assert {kind for kind, _ in verdicts} == {
        "object_counting",
        "object_size_estimation",
        "room_size_estimation",
        "object_abs_distance",
        "object_rel_distance",
        *(f"object_rel_direction_{level}" for level in levels),
    }
    assert min(verdicts.values()) >= 10
