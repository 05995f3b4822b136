"""Intervals over scenes: against the same bootstrap written as a loop, and by what they must do."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from harness import HarnessError, Question, Scored, UsageError
from harness.question import CHOICE_TYPES, NUMERIC_TYPES
from harness.scoring import Score, ScoreTable, paired_difference, score_table, summarise
from harness.scoring import intervals as module

TYPES = NUMERIC_TYPES + CHOICE_TYPES


def one(i, scene, question_type, score, dataset="d"):
    return Scored(Question(i, scene, dataset, question_type, f"{i}?", "1"), "", None, score)


def run(seed=0, scenes=12, types=TYPES, each=2):
    rng = random.Random(seed)
    return [
        one(f"{scene}-{t}-{k}", f"scene{scene}", t, rng.randint(0, 10) / 10)
        for scene in range(scenes)
        for t in types
        for k in range(each)
    ]


def test_is_the_bootstrap_written_as_a_loop():
    scored, resamples = run(each=1), 60
    by_scene = {f"scene{s}": [] for s in range(12)}
    for answer in scored:
        by_scene[answer.question.scene].append(answer)
    names = sorted(by_scene)
    drawn = np.random.default_rng(3).integers(12, size=(resamples, 12))
    tables = [summarise([a for s in draw for a in by_scene[names[s]]]) for draw in drawn]

    table = score_table(scored, resamples=resamples, seed=3)
    assert {name: row.value for name, row in table.rows.items()} == summarise(scored)
    for name, row in table.rows.items():
        low, high = np.percentile([t[name] for t in tables], (2.5, 97.5))
        assert (row.low, row.high) == pytest.approx((low, high), abs=1e-12)


def test_rows_where_some_resamples_lack_a_type():
    scored = [
        *(one(f"m{s}", f"{s}", "route_planning", s / 10) for s in range(6)),
        *(one(f"c{s}", f"{s}", "object_counting", s / 4) for s in range(3)),
    ]
    drawn = np.random.default_rng(0).integers(6, size=(400, 6))
    counting = [[s / 4 for s in draw if s < 3] for draw in drawn]
    low, high = np.percentile([sum(c) / len(c) for c in counting if c], (2.5, 97.5))

    row = score_table(scored, resamples=400, seed=0).rows["object_counting"]
    assert any(not c for c in counting)
    assert (row.low, row.high) == pytest.approx((low, high), abs=1e-12)


def test_blocks_do_not_change_the_draws(monkeypatch):
    whole = score_table(run(), resamples=101, seed=1)
    monkeypatch.setattr(module, "_BLOCK", 30)  # 2 resamples at a time
    assert score_table(run(), resamples=101, seed=1) == whole


def test_order_of_answers_does_not_matter_but_the_seed_does():
    scored = run(each=7)  # enough in a scene for sums to round differently
    shuffled = random.Random(1).sample(scored, len(scored))
    table = score_table(scored, resamples=200, seed=5)
    assert score_table(shuffled, resamples=200, seed=5) == table
    assert score_table(scored, resamples=200, seed=6).macro.low != table.macro.low


def test_counts_and_order_of_the_table():
    table = score_table(run(), resamples=100)
    assert {name: row.n for name, row in table.rows.items()} == {
        "object_counting": 24,
        "object_abs_distance": 24,
        "object_size_estimation": 24,
        "room_size_estimation": 24,
        "object_rel_distance": 24,
        "object_rel_direction": 72,
        "route_planning": 24,
        "obj_appearance_order": 24,
        "macro": 240,
        "micro": 240,
    }
    assert list(table.rows)[-3:] == ["obj_appearance_order", "macro", "micro"]
    assert (table.n, table.scenes, table.partial, table.missing) == (240, 12, False, ())
    for row in table.rows.values():
        assert row.low <= row.value <= row.high


def test_one_scene_has_no_interval():
    table = score_table(run(scenes=1), resamples=100)
    assert {(row.low, row.high) for row in table.rows.values()} == {(None, None)}
    assert table.scenes == 1


def test_a_type_of_one_scene_has_no_interval_and_takes_macros_away():
    scored = [*run(types=("route_planning",)), one("x", "scene0", "object_counting", 0.4)]
    rows = score_table(scored, resamples=100).rows
    assert rows["object_counting"] == Score(0.4, None, None, 1)
    assert (rows["macro"].low, rows["macro"].high) == (None, None)
    assert rows["route_planning"].low < rows["route_planning"].high
    assert rows["micro"].low < rows["micro"].high


def test_one_level_of_one_scene_takes_the_directions_interval_away():
    easy, hard = "object_rel_direction_easy", "object_rel_direction_hard"
    scored = [*run(types=(easy,)), one("x", "scene0", hard, 0.4)]
    row = score_table(scored, resamples=100).rows["object_rel_direction"]
    assert (row.low, row.high, row.n) == (None, None, 25)


def test_no_interval_where_most_resamples_lack_a_type():
    # Ten types in two scenes each, all scenes different: most draws lack one of them.
    scored = [
        one(f"{t}{k}", f"{t}{k}", t, k / 2)
        for t in (f"own{i}" for i in range(10))
        for k in range(2)
    ]
    table = score_table(scored, resamples=500)
    assert (table.macro.low, table.macro.high) == (None, None)
    assert table.rows["own0"].low is not None


def test_scenes_of_two_datasets_are_two():
    scored = [one("a", "1", "own", 0.0, "x"), one("b", "1", "own", 1.0, "y")]
    table = score_table(scored, resamples=100)
    assert (table.scenes, table.micro.low, table.micro.high) == (2, 0.0, 1.0)


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    rng = np.random.default_rng(0)
    held = 0
    for trial in range(120):
        # Scenes differ (sd 0.2), questions of a scene alike: intervals that drew questions would
        # hold the truth in about half of the trials.
        levels = rng.normal(0.5, 0.2, size=40)
        scored = [
            one(f"{s}-{k}", f"{s}", "own", level + rng.normal(0, 0.05))
            for s, level in enumerate(levels)
            for k in range(10)
        ]
        row = score_table(scored, resamples=200, seed=trial).micro
        held += row.low <= 0.5 <= row.high
    assert 0.88 <= held / 120 <= 0.99


def test_paired_difference_of_a_run_with_itself_is_nothing():
    differences = paired_difference(run(), run()[::-1], resamples=100)
    assert {(d.value, d.low, d.high) for d in differences.values()} == {(0.0, 0.0, 0.0)}


def test_paired_difference_is_that_of_the_tables_and_narrower():
    before = run()
    after = [replace(s, score=min(1.0, s.score + 0.05 * (i % 3))) for i, s in enumerate(before)]
    first, second = score_table(before), score_table(after)
    differences = paired_difference(before, after)
    assert list(differences) == list(first.rows)
    for name, difference in differences.items():
        assert difference.value == pytest.approx(second.rows[name].value - first.rows[name].value)
        assert 0 < difference.low <= difference.value <= difference.high
        assert difference.n == first.rows[name].n
        assert difference.high - difference.low < first.rows[name].high - first.rows[name].low


def test_different_questions_are_all_named():
    before = [one(i, "s", "own", 1.0) for i in ("a", "b", "c", "d")]
    after = [one(i, "s", "own", 1.0) for i in ("c", "d", "e")]
    after[0] = replace(after[0], question=replace(after[0].question, answer="2"))
    with pytest.raises(HarnessError) as caught:
        paired_difference(before, after)
    assert str(caught.value) == (
        "paired difference: both runs must answer the same questions; 2 questions are before only: "
        "'a', 'b'; 1 questions are after only: 'e'; 1 ids name different questions: 'c'"
    )


def test_long_lists_of_ids_are_cut():
    before = [one(f"{i:02}", "s", "own", 1.0) for i in range(15)]
    with pytest.raises(HarnessError, match=r"14 questions are before only:.*'10' and 4 more$"):
        paired_difference(before, before[:1])


def test_a_question_answered_twice_is_an_error():
    twice = [one("a", "s", "own", 1.0), one("b", "s", "own", 1.0), one("a", "s", "own", 0.0)]
    with pytest.raises(HarnessError, match="answered once, found these ids more than once: 'a'"):
        score_table(twice)
    with pytest.raises(HarnessError, match=r"^after: every question"):
        paired_difference(twice[:2], twice)


def test_no_answers_and_no_resamples_are_errors():
    with pytest.raises(HarnessError, match="no scored answers"):
        score_table([])
    with pytest.raises(HarnessError, match="no scored answers"):
        paired_difference([], [])
    with pytest.raises(UsageError, match="resamples must be 1 or more, found 0"):
        score_table(run(), resamples=0)


def test_partial_tables_say_so():
    table = score_table(run(types=("object_counting",)), resamples=100)
    assert table.partial
    assert table.missing == TYPES[1:]


def test_table_comes_back_from_json():
    for table in (score_table(run(), resamples=100), score_table(run(scenes=1), resamples=100)):
        back = ScoreTable.from_json(table.to_json())
        assert back == table
        assert list(back.rows) == list(table.rows)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda v: v.pop("n"), "run 1: not a table of scores: n: "),
        (lambda v: v["rows"][0].update(value="much"), "rows.0.value: "),
        (lambda v: v["rows"].pop(), "macro and micro among them"),
        (lambda v: v["rows"].append(v["rows"][0]), "must have names of their own"),
    ],
)
def test_spoilt_json_is_an_error(spoil, message):
    value = score_table(run(), resamples=100).to_json()
    spoil(value)
    with pytest.raises(HarnessError, match=message):
        ScoreTable.from_json(value, "run 1")
    with pytest.raises(HarnessError, match="not a table of scores"):
        ScoreTable.from_json([])
