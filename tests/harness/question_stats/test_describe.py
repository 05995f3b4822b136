"""Statistics of question sets, on sets small enough to reckon by hand."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from harness.question import Question
from harness.question_files import numbered_questions
from harness.question_files.description import quantiles
from harness.question_stats import SetStats, describe
from harness.question_stats.collect import Contradiction
from harness.question_stats.findings import findings

NUMBER = Question(
    id="1",
    scene="room-1",
    dataset="procedural",
    question_type="object_counting",
    text="How many chair(s) are in this room?",
    answer="2",
)
CHOICE = replace(
    NUMBER, question_type="own_choice", text="Which?", answer="a", options=("a", "b", "c", "d")
)


def stats(*questions: Question) -> SetStats:
    numbered = (replace(q, id=str(n)) for n, q in enumerate(questions))
    return describe(enumerate(numbered, 1))


def test_types_stand_in_the_benchmarks_order() -> None:
    word = replace(CHOICE, options=None, style="vsi_100k")
    told = stats(word, CHOICE, replace(NUMBER, question_type="room_size_estimation"), NUMBER)
    assert [(one.question_type, one.kind) for one in told.types] == [
        ("object_counting", "number"),
        ("room_size_estimation", "number"),
        ("own_choice", "letter"),
        ("own_choice", "word"),
    ]


def test_numbers() -> None:
    (one,) = stats(*(replace(NUMBER, answer=a) for a in ("2", "2.0", "3", "9"))).types
    assert one.numbers is not None
    assert one.numbers.mean == 4
    assert one.numbers.quantiles == {
        "0": 2, "0.05": 2, "0.25": 2, "0.5": 2, "0.75": 3, "0.95": 9, "1": 9,
    }  # fmt: skip
    assert one.numbers.edges == (1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5)
    assert one.numbers.counts == (2, 1, 0, 0, 0, 0, 0, 1)
    assert one.top == (("2", 1), ("2.0", 1), ("3", 1), ("9", 1))
    assert one.entropy == 2
    assert (one.questions, one.scenes, one.answers) == (4, 1, 4)


@pytest.mark.parametrize(
    "answers",
    [["7"], ["1e308", "1e308"], ["-1e308", "1e308"], ["1e300", "3"], ["1e17", "100000000000000001"]],
)  # fmt: skip
def test_odd_numbers_have_a_histogram(answers: list[str]) -> None:
    (one,) = stats(*(replace(NUMBER, answer=a) for a in answers)).types
    assert one.numbers is not None
    assert sum(one.numbers.counts) == len(answers)
    assert np.isfinite([one.numbers.mean, *one.numbers.edges]).all()
    json.dumps(one.numbers.quantiles, allow_nan=False)


@settings(derandomize=True, max_examples=100, deadline=None)
@given(values=st.lists(st.integers(-50, 50), min_size=1, max_size=60), share=st.floats(0, 1))
def test_quantiles_are_numpys_inverted_cdf(values: list[int], share: float) -> None:
    counts = {float(value): values.count(value) for value in values}
    expected = np.quantile(np.array(values, dtype=float), share, method="inverted_cdf")
    assert quantiles(counts, (share,)) == (expected,)


def test_letters() -> None:
    rng = random.Random(1)
    placed = [rng.choice([0, 0, 0, 1, 2, 3]) for _ in range(200)]
    questions = [replace(CHOICE, answer="abcd"[place]) for place in placed]
    (one,) = stats(*questions).types
    observed = [placed.count(place) for place in range(4)]
    assert one.letters is not None
    assert one.letters.counts == dict(zip("ABCD", observed, strict=True))
    assert one.letters.expected == dict.fromkeys("ABCD", 50.0)
    expected = chisquare(observed)
    assert one.letters.chi_square == pytest.approx(expected.statistic)
    assert one.letters.p == pytest.approx(expected.pvalue)


def test_letters_of_questions_with_fewer_options_are_expected_less() -> None:
    two = replace(CHOICE, options=("a", "b"))
    (one,) = stats(CHOICE, two, two).types
    assert one.letters is not None
    assert one.letters.expected == {"A": 1.25, "B": 1.25, "C": 0.25, "D": 0.25}
    assert one.blind.chance == pytest.approx((0.25 + 0.5 + 0.5) / 3)


def test_the_mean_is_over_the_benchmarks_tasks() -> None:
    easy = replace(CHOICE, question_type="object_rel_direction_easy")
    hard = replace(CHOICE, question_type="object_rel_direction_hard", answer="b")
    told = stats(NUMBER, easy, hard, replace(hard, answer="c", text="Where?"))
    frequency = {one.question_type: one.blind.frequency for one in told.types}
    assert frequency == {
        "object_counting": 1.0,
        "object_rel_direction_easy": 1.0,
        "object_rel_direction_hard": 0.5,
    }
    assert told.macro_frequency == pytest.approx((1.0 + 0.75) / 2)
    assert told.macro_text is None


def test_repetitions_and_contradictions() -> None:
    shuffled = replace(CHOICE, options=("d", "c", "b", "a"))
    told = stats(
        NUMBER,
        CHOICE,
        NUMBER,
        replace(NUMBER, answer="3"),
        shuffled,
        replace(shuffled, answer="b"),
        replace(NUMBER, scene="room-2", answer="5"),
        replace(NUMBER, style="vsi_100k", answer="6"),
    )
    assert (told.repeated, told.contradicting, told.repeated_ids) == (2, 2, 0)
    assert told.contradictions == (
        Contradiction("procedural/room-1", NUMBER.text, (1, 4), ("2", "3")),
        Contradiction("procedural/room-1", "Which?", (2, 6), ("a", "b")),
    )


def test_only_the_first_contradictions_are_kept() -> None:
    told = stats(*(replace(NUMBER, answer=str(n)) for n in range(50)))
    assert (told.contradicting, len(told.contradictions)) == (49, 20)


def test_ids_that_repeat_are_counted() -> None:
    rows = [(n, replace(NUMBER, text=f"How many {n}?")) for n in range(1, 4)]
    assert describe(rows).repeated_ids == 2


def test_real_rows(shared_data: Callable[[str], Path]) -> None:
    path = shared_data("vsibench-questions-subset") / "vsibench_subset.jsonl"
    told = describe(numbered_questions(path))
    assert (told.questions, told.scenes, told.spaces) == (51, 1, 1)
    assert told.leaks == {"VSI-Bench": 51}
    assert (told.repeated, told.contradicting) == (0, 0)
    assert {one.question_type: one.questions for one in told.types} == {
        "object_counting": 5,
        "object_abs_distance": 7,
        "object_size_estimation": 9,
        "room_size_estimation": 1,
        "object_rel_distance": 6,
        "object_rel_direction_hard": 6,
        "route_planning": 1,
        "obj_appearance_order": 16,
    }
    assert "leak (VSI-Bench): 51 questions about its scenes" in next(findings(told))


def test_json_holds_everything() -> None:
    told = stats(NUMBER, CHOICE, replace(NUMBER, answer="7"))
    value = json.loads(json.dumps(told.to_json(), allow_nan=False))
    assert value["types"][0]["blind"] == {
        "chance": None, "frequency": 0.5, "text": None, "answer": "2",
    }  # fmt: skip
    assert value["contradictions"][0]["rows"] == [1, 3]


def test_an_even_set_has_no_findings() -> None:
    rng = random.Random(0)
    even = [
        replace(CHOICE, answer="abcd"[n % 4], options=tuple(rng.sample("abcd", 4)),
                scene=f"room-{rng.randrange(50)}", text=f"Which? {n}")
        for n in range(400)
    ]  # fmt: skip
    assert list(findings(stats(*even))) == []


def test_findings_name_what_stands_out() -> None:
    rng = random.Random(0)
    sizes = {"bed": "200", "cup": "10", "door": "205", "sofa": "180", "key": "5"}
    told = stats(
        *(
            replace(NUMBER, question_type="object_size_estimation", scene=f"room-{n}",
                    text=f"How long is the {name}?", answer=sizes[name])
            for n in range(200) for name in [rng.choice(sorted(sizes))]
        ),
        *(replace(CHOICE, scene=f"room-{n}", answer="b" if n % 5 else "a") for n in range(100)),
        *(
            replace(NUMBER, scene=f"room-{n}", answer="2" if n % 5 else str(n))
            for n in range(100)
        ),
        replace(NUMBER, scene="room-1", answer="9"),
        replace(NUMBER, scene="scene0707_00", dataset="scannet"),
    )  # fmt: skip
    assert [sentence.partition(" scores")[0] for sentence in findings(told)] == [
        "leak (ScanNet v2 test split): 1 question about its scenes;",
        "1 row with another answer than an earlier row has for the same question about the same scene",
        "object_counting: '2' is right in 79 % of the questions",
        "object_size_estimation: a model that reads the text alone",
        "own_choice: right letters are uneven (A 20 %, B 80 %, C 0 %, D 0 %; p = 5e-37)",
        "own_choice: 'b' is right in 80 % of the questions, 50 % would be even",
    ]
