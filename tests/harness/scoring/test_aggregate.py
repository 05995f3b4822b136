"""VSI-Bench's table from scores."""

from __future__ import annotations

import json
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import harness.scoring
from harness import HarnessError, Question, Scored
from harness.question import CHOICE_TYPES, NUMERIC_TYPES
from harness.scoring import TASKS, missing_types, summarise, table_order, task_of

TYPES = NUMERIC_TYPES + CHOICE_TYPES


def scored(*pairs):
    return [
        Scored(Question(str(i), "s", "d", question_type, "?", "1"), "", None, score)
        for i, (question_type, score) in enumerate(pairs)
    ]


def test_tasks_are_in_the_tables_order():
    assert list(TASKS) == [
        "object_counting",
        "object_abs_distance",
        "object_size_estimation",
        "room_size_estimation",
        "object_rel_distance",
        "object_rel_direction",
        "route_planning",
        "obj_appearance_order",
    ]
    assert [t for types in TASKS.values() for t in types] == list(TYPES)
    assert [task_of(t) for t in ("object_rel_direction_hard", "route_planning", "colour")] == [
        "object_rel_direction",
        "route_planning",
        "colour",
    ]


def test_direction_is_the_mean_of_its_levels():
    table = summarise(
        scored(
            ("object_rel_direction_easy", 1.0),
            ("object_rel_direction_easy", 1.0),
            ("object_rel_direction_easy", 1.0),
            ("object_rel_direction_medium", 0.5),
            ("object_rel_direction_hard", 0.0),
            ("object_counting", 0.1),
        )
    )
    assert table == {
        "object_counting": 0.1,
        "object_rel_direction": 0.5,
        "macro": 0.3,
        "micro": pytest.approx(3.6 / 6),
    }
    assert list(table) == ["object_counting", "object_rel_direction", "macro", "micro"]


def test_some_levels_and_unknown_types_are_no_error():
    table = summarise(
        scored(
            ("tidiness", 0.0),
            ("colour", 1.0),
            ("object_rel_direction_hard", 0.25),
            ("object_rel_direction_easy", 0.75),
        )
    )
    assert table == {
        "object_rel_direction": 0.5,
        "colour": 1.0,
        "tidiness": 0.0,
        "macro": 0.5,
        "micro": 0.5,
    }
    assert list(table)[:3] == ["object_rel_direction", "colour", "tidiness"]


@settings(derandomize=True, max_examples=100)
@given(
    st.lists(
        st.tuples(st.sampled_from((*TYPES, "own")), st.integers(0, 10).map(lambda k: k / 10)),
        min_size=1,
        max_size=60,
    ),
    st.randoms(use_true_random=False),
)
def test_order_of_answers_does_not_matter(pairs, rng):
    shuffled = random.Random(rng.random()).sample(pairs, len(pairs))
    table = summarise(scored(*pairs))
    assert table == summarise(scored(*shuffled))
    assert list(table)[:-2] == list(table_order(t for t, _ in pairs))
    assert table["micro"] == pytest.approx(sum(s for _, s in pairs) / len(pairs))
    tasks = list(table.values())[:-2]
    assert table["macro"] == pytest.approx(sum(tasks) / len(tasks))


def test_missing_types_are_told():
    assert missing_types(TYPES) == ()
    assert missing_types(("object_counting", "own")) == TYPES[1:]


def test_nothing_and_not_finite_are_errors():
    with pytest.raises(HarnessError, match="there are no scored answers"):
        summarise([])
    with pytest.raises(HarnessError, match=r"2 scores are not finite numbers.*questions 1, 2;"):
        summarise(scored(("a", 1.0), ("a", math.nan), ("a", math.inf)))


@pytest.mark.parametrize("run", ["full_run_A_results.json", "full_run_B_results.json"])
def test_real_full_runs_average_alike(shared_data, run):
    path = shared_data("vsibench-lmmseval-logs") / run
    official = json.loads(path.read_text())["results"]["vsibench"]["vsibench_score,none"]
    by_task = {task: official[_official_name(task)] / 100 for task in TASKS}
    # One question for each type, its score that of the task.
    table = summarise(scored(*((t, by_task[task]) for task, types in TASKS.items() for t in types)))
    assert {task: table[task] for task in TASKS} == pytest.approx(by_task)
    assert table["macro"] * 100 == pytest.approx(official["overall"], abs=1e-10)
    printed = [f"{100 * table[name]:.3f}" for name in ("macro", *TASKS)]
    assert ", ".join(printed) == official["tabulated_results"]


def _official_name(task):
    numeric = TASKS[task][0] in NUMERIC_TYPES
    return f"{task}_MRA:.5:.95:.05" if numeric else f"{task}_accuracy"


def test_every_public_name_is_there():
    for name in harness.scoring.__all__:
        assert getattr(harness.scoring, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'guess'"):
        _ = harness.scoring.guess
