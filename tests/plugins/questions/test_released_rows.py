"""Every row of a released VSI-Bench scene that boxes can answer comes out as printed."""

import json
from collections import Counter

import pytest

from harness.question import from_row
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

AS_RELEASED = (
    object_counting.build(ObjectCountingSettings()),
    object_size_estimation.build(ObjectSizeEstimationSettings()),
    room_size_estimation.build(RoomSizeEstimationSettings()),
    object_abs_distance.build(ObjectAbsDistanceSettings(mode="vsi_bench")),
    object_rel_distance.build(ObjectRelDistanceSettings(sets_per_target=None)),
    object_rel_direction.build(
        ObjectRelDirectionSettings(max_triples=None, compatible_margin=True, min_plan_distance=0.0)
    ),
)
# Needs the video, and people.
NOT_FROM_BOXES = {"obj_appearance_order", "route_planning"}


@pytest.fixture(scope="module")
def rows(shared_data):
    lines = (shared_data("vsibench-questions-subset") / "vsibench_subset.jsonl").read_text()
    return [from_row(json.loads(line)) for line in lines.splitlines()]


def asked(question):
    """What tells questions apart, whatever the order of the options."""
    text, options = question.text, question.options or ()
    text = text.replace(f"({', '.join(options)})", f"({', '.join(sorted(options))})")
    return question.question_type, text, frozenset(options)


def test_released_rows_come_out(rows, real_scenes, ask):
    scene = real_scenes["scene0231_00"]
    ours = {asked(q): q.answer for generator in AS_RELEASED for q in ask(generator, scene)}
    recomputed = [row for row in rows if row.question_type not in NOT_FROM_BOXES]
    assert Counter(row.question_type for row in recomputed) == {
        "object_size_estimation": 9,
        "object_abs_distance": 7,
        "object_rel_distance": 6,
        "object_rel_direction_hard": 6,
        "object_counting": 5,
        "room_size_estimation": 1,
    }
    assert [(asked(row), ours.get(asked(row))) for row in recomputed] == [
        (asked(row), row.answer) for row in recomputed
    ]
