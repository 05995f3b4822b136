"""Rewards of numbers: relative error in its readings, MRA, and what is no number."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import Question, Reward, Rollout
from harness.scoring import mean_relative_accuracy
from harness_rewards import accuracy, mra, relative_error
from harness_rewards.relative_error import closeness
from harness_rewards.settings import AccuracySettings, ParsedReward, RelativeErrorSettings

PAPER = RelativeErrorSettings()
INVERSE = RelativeErrorSettings(shape="inverse")
BY_GOLD = RelativeErrorSettings(denominator="gold")
BY_GOLD_INVERSE = RelativeErrorSettings(denominator="gold", shape="inverse")
READINGS = (PAPER, INVERSE, BY_GOLD, BY_GOLD_INVERSE)

FINITE = st.floats(allow_nan=False, allow_infinity=False)
POSITIVE = st.floats(1e-3, 1e6)


def rollout(answer, completion, mode="vanilla"):
    question = Question("q", "s", "d", "object_abs_distance", "How far?", answer)
    return Rollout(question, mode, completion)


@pytest.mark.parametrize(
    ("predicted", "truth", "rewards"),
    [
        (4, 4, (1, 1, 1, 1)),
        (5, 4, (0.75, 0.8, 0.75, 0.8)),
        (4, 5, (0.75, 0.8, 0.8, 1 / 1.2)),
        (8, 4, (0, 0.5, 0, 0.5)),
        (2, 4, (0, 0.5, 0.5, 1 / 1.5)),
        (40, 4, (0, 0.1, 0, 0.1)),
        (0, 4, (0, 0, 0, 0.5)),
        (-4, 4, (0, 0, 0, 1 / 3)),
        (0, 0, (1, 1, 1, 1)),
        (1, 0, (0, 0, 0, 0)),
    ],
)
def test_the_readings_of_relative_error(predicted, truth, rewards):
    found = [closeness(float(predicted), float(truth), reading) for reading in READINGS]
    assert found == pytest.approx(rewards)


@settings(derandomize=True, max_examples=500)
@given(FINITE, FINITE)
def test_every_reading_is_in_range_whatever_the_numbers(predicted, truth):
    for reading in READINGS:
        assert 0 <= closeness(predicted, truth, reading) <= 1
        assert closeness(truth, truth, reading) == 1


@settings(derandomize=True, max_examples=300)
@given(POSITIVE, POSITIVE)
def test_the_papers_error_treats_both_sides_alike(first, second):
    for reading in (PAPER, INVERSE):
        assert closeness(first, second, reading) == closeness(second, first, reading)


@settings(derandomize=True, max_examples=300)
@given(POSITIVE, st.floats(0, 3), st.floats(0, 3))
def test_further_off_is_never_better(truth, first, second):
    near, far = sorted((first, second))
    for reading in READINGS:
        assert closeness(truth * (1 + far), truth, reading) <= closeness(
            truth * (1 + near), truth, reading
        )


@settings(derandomize=True, max_examples=300)
@given(POSITIVE, POSITIVE)
def test_the_default_is_two_minus_the_ratio(predicted, truth):
    ratio = max(predicted, truth) / min(predicted, truth)
    assert closeness(predicted, truth, PAPER) == pytest.approx(max(0, 2 - ratio), abs=1e-9)


def test_rewards_read_as_the_evaluation_does():
    rollouts = [
        rollout("4", "5 meters"),
        rollout("4", "5m"),
        rollout("4", "about 5"),
        rollout("4", "<think>4</think><answer>5.</answer>", "think"),
        rollout("4", "nan"),
        rollout("4", "inf"),
    ]
    assert relative_error.build(PAPER)(rollouts) == [0.75, 0, 0, 0.75, 0, 0]
    assert mra.build(ParsedReward())(rollouts) == [0.6, 0, 0, 0.6, 0, 0]


def test_other_questions_get_zero():
    letter = Question("q", "s", "d", "route_planning", "?", "4", ("4", "5"))
    word = Question("q", "s", "d", "object_rel_distance", "?", "bed")
    rollouts = [Rollout(letter, "vanilla", "A"), Rollout(word, "vanilla", "bed")]
    assert relative_error.build(PAPER)(rollouts) == [0, 0]
    assert mra.build(ParsedReward())(rollouts) == [0, 0]


@pytest.mark.parametrize("text", ["4", "5", "2", "120", "-1", "x"])
def test_accuracy_of_numbers_is_the_reward_it_is_set_to(text):
    one = [rollout("4", text)]
    assert accuracy.build(AccuracySettings())(one) == relative_error.build(PAPER)(one)
    by_gold = AccuracySettings(denominator="gold", shape="inverse")
    assert accuracy.build(by_gold)(one) == relative_error.build(BY_GOLD_INVERSE)(one)
    assert accuracy.build(AccuracySettings(numeric="mra"))(one) == mra.build(ParsedReward())(one)
    assert accuracy.build(AccuracySettings(numeric="exact"))(one) == [float(text == "4")]
    assert accuracy.build(AccuracySettings(numeric="none"))(one) == [0.0]


@settings(derandomize=True, max_examples=300)
@given(st.floats(0, 300), st.decimals("0.1", 300, places=1))
def test_mra_is_that_of_the_evaluation(predicted, truth):
    (reward,) = mra.build(ParsedReward())([rollout(str(truth), str(predicted))])
    assert reward == mean_relative_accuracy(predicted, float(truth))
    assert math.isfinite(reward)


def test_they_are_rewards():
    built = (mra.build(ParsedReward()), relative_error.build(PAPER))
    assert all(isinstance(reward, Reward) for reward in built)
    assert [reward([]) for reward in built] == [[], []]
