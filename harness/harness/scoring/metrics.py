"""VSI-Bench's two measures: mean relative accuracy and text equality.

Source: thinking-in-space @ 51e089c, whose float arithmetic is followed to the last bit.
"""

from __future__ import annotations

from bisect import bisect_left

# Thresholds 0.50, 0.55, ..., 0.95 as numpy's linspace makes them, turned into the largest relative
# error each accepts, ascending. At exactly 20 % error the rounding of 1 - 0.8 costs one threshold:
# (120, 100) scores 0.6, in the official scorer and here.
_START, _END, _COUNT = 0.5, 0.95, 10
_STEP = (_END - _START) / (_COUNT - 1)
TOLERANCES: tuple[float, ...] = tuple(
    sorted(1 - t for t in (*(_START + i * _STEP for i in range(_COUNT - 1)), _END))
)


def mean_relative_accuracy(predicted: float, truth: float) -> float:
    """The share of the thresholds 0.50, 0.55, ..., 0.95 that a prediction passes, in [0, 1].

    A threshold t is passed if |predicted - truth| / truth <= 1 - t (the scorer's `<=`, where
    VSI-Bench's equation 1 prints `<`). NaN and infinity pass none.

    Truths of zero or below do not occur in VSI-Bench, and its scorer divides by them; here zero
    is right or wrong (1 or 0), and a negative truth is divided by its absolute value.
    """
    if truth == 0:
        return float(predicted == 0)
    error = abs(predicted - truth) / abs(truth)
    if not error <= TOLERANCES[-1]:  # also false for NaN
        return 0.0
    return (_COUNT - bisect_left(TOLERANCES, error)) / _COUNT


def same_text(answer: str, truth: str) -> bool:
    """Equality that ignores case."""
    return answer.lower() == truth.lower()
