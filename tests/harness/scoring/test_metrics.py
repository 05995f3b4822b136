"""MRA to the last bit of the official arithmetic."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.scoring import TOLERANCES, mean_relative_accuracy, same_text

FINITE = st.floats(allow_nan=False, allow_infinity=False)


def by_the_formula(predicted, truth):
    """Mean over the thresholds of [ |y' - y| / y <= 1 - threshold ], as printed."""
    thresholds = np.linspace(0.5, 0.95, 10)
    return float(np.mean(abs(predicted - truth) / truth <= 1 - thresholds))


@pytest.mark.parametrize(
    ("predicted", "truth", "score"),
    [
        (7, 7, 1.0),
        (3, 4, 0.6),
        (5, 4, 0.6),
        (2, 4, 0.1),
        (1, 2, 0.1),
        (1.9, 2, 1.0),
        (10, 4, 0.0),
        (110, 100, 0.9),
        (115, 100, 0.8),
        (6, 9, 0.4),
        # Rounding at a threshold costs 0.1 of what exact arithmetic gives.
        (120, 100, 0.6),
        (8, 10, 0.6),
        (12, 10, 0.6),
        (4, 5, 0.6),
        (6, 5, 0.6),
        (0.3, 0.4, 0.5),
        (1.5, 1.2, 0.5),
    ],
)
def test_golden_values(predicted, truth, score):
    assert mean_relative_accuracy(predicted, truth) == score


def test_tolerances_are_numpys():
    assert sorted(1 - np.linspace(0.5, 0.95, 10)) == list(TOLERANCES)


def test_every_pair_of_small_decimals_follows_the_formula():
    for truth in np.arange(1, 81) / 10:
        for predicted in np.arange(0, 161) / 10:
            expected = by_the_formula(float(predicted), float(truth))
            assert mean_relative_accuracy(float(predicted), float(truth)) == expected


@settings(derandomize=True, max_examples=1000)
@given(FINITE, st.floats(min_value=1e-300, max_value=1e300))
def test_any_pair_follows_the_formula(predicted, truth):
    with np.errstate(over="ignore"):
        assert mean_relative_accuracy(predicted, truth) == by_the_formula(predicted, truth)


@settings(derandomize=True, max_examples=500)
@given(st.floats(), FINITE)
def test_is_one_of_eleven_values_whatever_is_predicted(predicted, truth):
    assert mean_relative_accuracy(predicted, truth) in {k / 10 for k in range(11)}


@settings(derandomize=True, max_examples=300)
@given(st.floats(0.1, 1e6), st.floats(0, 2), st.floats(0, 2))
def test_further_off_is_never_better(truth, first, second):
    near, far = sorted((first, second))
    assert mean_relative_accuracy(truth + far * truth, truth) <= mean_relative_accuracy(
        truth + near * truth, truth
    )


def test_nothing_is_won_by_what_is_no_number():
    for predicted in (math.nan, math.inf, -math.inf):
        assert [mean_relative_accuracy(predicted, truth) for truth in (4.0, 0.0, -4.0)] == [0, 0, 0]


def test_truth_zero_is_right_or_wrong():
    assert mean_relative_accuracy(0.0, 0.0) == 1.0
    assert mean_relative_accuracy(1e-300, 0.0) == 0.0


def test_negative_truth_is_measured_by_its_size():
    assert mean_relative_accuracy(-3.0, -4.0) == 0.6
    assert mean_relative_accuracy(100.0, -4.0) == 0.0


def test_text_ignores_case_alone():
    assert same_text("Left", "left")
    assert not same_text("left", "left ")
    assert not same_text("lef", "left")
