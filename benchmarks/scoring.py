"""Scoring all of VSI-Bench: our table with intervals against the official rule in plain Python.

Run with `python -m benchmarks scoring`. The 5,130 questions have VSI-Bench's numbers by type and
scene, their content is drawn; the answers are right, wrong, wordy and empty ones. The peer is the
published rule (mean relative accuracy, first word, mean over tasks) written anew, without intervals.
"""

from __future__ import annotations

import random
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Sequence

from harness.question import CHOICE_TYPES, NUMERIC_TYPES, Question
from harness.scoring import score_answer, score_table

from .result import Result

# Questions of each type (card of the data set), and scenes.
COUNTS = {
    "object_counting": 565,
    "object_abs_distance": 834,
    "object_size_estimation": 953,
    "room_size_estimation": 288,
    "object_rel_distance": 710,
    "object_rel_direction_easy": 217,
    "object_rel_direction_medium": 378,
    "object_rel_direction_hard": 373,
    "route_planning": 194,
    "obj_appearance_order": 618,
}
SCENES, RESAMPLES = 288, 1000
DIRECTION = "object_rel_direction"


def questions(rng: random.Random) -> list[Question]:
    made = []
    for question_type, count in COUNTS.items():
        for number in range(count):
            options = None if question_type in NUMERIC_TYPES else ("left", "right", "back", "front")
            made.append(
                Question(
                    id=f"{question_type}-{number}",
                    scene=f"scene{rng.randrange(SCENES):04d}",
                    dataset="benchmark",
                    question_type=question_type,
                    text="?",
                    answer=rng.choice(options) if options else str(round(rng.uniform(0.5, 9), 1)),
                    options=options,
                )
            )
    return made


def answers(asked: Sequence[Question], rng: random.Random) -> list[str]:
    """Right, close, wordy, or nothing."""
    given = []
    for question in asked:
        near = (
            rng.choice("ABCD")
            if question.options
            else str(round(float(question.answer) * rng.uniform(0.4, 1.8), 2))
        )
        given.append(rng.choice([question.gold, near, f"{near}. It is there.", f"The {near}", ""]))
    return given


def with_intervals(asked: Sequence[Question], given: Sequence[str], resamples: int) -> float:
    scored = [score_answer(q, text) for q, text in zip(asked, given, strict=True)]
    return score_table(scored, resamples=resamples).macro.value


def plain_python(asked: Sequence[Question], given: Sequence[str]) -> float:
    by_type: dict[str, list[float]] = defaultdict(list)
    for question, text in zip(asked, given, strict=True):
        first = text.split(" ")[0].rstrip(".").strip()
        if question.question_type in CHOICE_TYPES:
            by_type[question.question_type].append(float(first.lower() == question.gold.lower()))
        else:
            by_type[question.question_type].append(relative_accuracy(first, question.answer))
    means = {name: statistics.fmean(scores) for name, scores in by_type.items()}
    levels = [name for name in means if name.startswith(DIRECTION)]
    tasks = {name: mean for name, mean in means.items() if name not in levels}
    tasks[DIRECTION] = statistics.fmean(means[name] for name in levels)
    return statistics.fmean(tasks.values())


def relative_accuracy(text: str, truth: str) -> float:
    try:
        error = abs(float(text) - float(truth)) / float(truth)
    except ValueError:
        return 0.0
    step = (0.95 - 0.5) / 9
    thresholds = [*(0.5 + i * step for i in range(9)), 0.95]
    return sum(error <= 1 - threshold for threshold in thresholds) / 10


def seconds_of(work: Callable[[], float], rounds: int) -> tuple[float, float]:
    """Median seconds, and what the work gave."""
    taken = []
    for _ in range(rounds):
        begun = time.perf_counter()
        given = work()
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken), given


def main(*, quick: bool) -> list[Result]:
    rng = random.Random(0)
    asked = questions(rng)
    given = answers(asked, rng)
    rounds = 1 if quick else 9
    ours, macro = seconds_of(lambda: with_intervals(asked, given, RESAMPLES), rounds)
    peer, official = seconds_of(lambda: plain_python(asked, given), rounds)
    if abs(macro - official) > 1e-12:
        raise SystemExit(f"the scorers disagree: {macro} here, {official} by the published rule")
    print(f"{len(asked)} answers, {RESAMPLES} resamples over scenes: {ours * 1e3:.1f} ms")
    print(f"the published rule in plain Python, no intervals: {peer * 1e3:.1f} ms")
    print(f"both give a macro score of {macro:.6f}")
    what = f"{len(asked)} answers with 1,000 resamples, against plain Python without intervals"
    return [Result("scoring", what, "s", ours, peer)]
