"""Parsing and scoring against the official rule, written again from the words of its description."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harness import HarnessError, Question, UsageError
from harness.question import from_row
from harness.scoring import PARSERS, find_parser, parse_answer, score_answer


def number(answer):
    return Question("n", "s", "d", "object_abs_distance", "How far?", answer)


def choice(right, options=("sofa", "clock", "door", "bed")):
    return Question("c", "s", "d", "route_planning", "Which?", options[right], options)


def word(answer):
    return Question("w", "s", "d", "object_rel_direction_easy", "Left or right?", answer)


def official_score(question, prediction):
    """B.7: before the first space, trailing full stops off, stripped; letters regardless of case,
    numbers by float() or zero, MRA over ten thresholds with <=."""
    token = prediction.split(" ")[0]
    while token.endswith("."):
        token = token[:-1]
    token = token.strip()
    if question.options is not None:
        return 1.0 if token.upper() == question.gold.upper() else 0.0
    try:
        value = float(token)
    except ValueError:
        return 0.0
    truth = float(question.answer)
    with np.errstate(all="ignore"):
        relative = np.abs(np.float64(value) - truth) / truth
        return float((relative <= 1 - np.linspace(0.5, 0.95, 10)).mean())


NUMBERS = st.one_of(
    st.integers(-20, 400).map(str),
    st.decimals(0, 300, places=1).map(str),
    st.floats().map(str),
    st.sampled_from(["1_000", "1__0", "\u0663", "\uff13.5", "1e3", "1e400", "nan", "-inf", "0x10"]),
    st.sampled_from(
        ["two", "", "A", "b", "C)", "D.", "(A)", "The", "3m", "3,5", "3..", ".5", "+4"]
    ),
)
TAILS = st.sampled_from(
    ["", ".", "...", " ", " meters", "\n", "\nmeters", ". ", "\t", "\u00a0m", " 7"]
)
HEADS = st.sampled_from(["", "", "", " ", "\n", "\t", "about ", "~"])
ANSWERS = st.builds("{}{}{}".format, HEADS, NUMBERS, TAILS) | st.text(st.characters(), max_size=8)


@settings(derandomize=True, max_examples=4000, deadline=None)
@given(ANSWERS, st.decimals("0.1", 300, places=1).map(str))
@example("3 meters", "3")
@example("3m", "3")
@example("The answer is 3", "3")
@example("two", "2")
@example("120", "100")
@example("3..\n", "3")
def test_numbers_score_as_officially(prediction, truth):
    question = number(truth)
    scored = score_answer(question, prediction)
    assert scored.score == official_score(question, prediction)
    assert scored.parsed is None or math.isfinite(scored.parsed)
    assert (scored.question, scored.answer) == (question, prediction)


@settings(derandomize=True, max_examples=2000, deadline=None)
@given(ANSWERS, st.integers(0, 3))
@example("A.", 0)
@example("A) chair", 0)
@example("A.\n", 0)
@example("a", 0)
def test_letters_score_as_officially(prediction, right):
    question = choice(right)
    assert score_answer(question, prediction).score == official_score(question, prediction)


@pytest.mark.parametrize(
    ("prediction", "parsed"),
    [("3 meters", 3.0), ("3.", 3.0), ("1_000", 1000.0), ("\u0663", 3.0), (" 3", None), ("3m", None)]
    + [(text, None) for text in ("nan", "inf", "-Infinity", "1e400", "two", "", "The answer is 3")],
)
def test_what_a_number_is(prediction, parsed):
    assert parse_answer(number("3"), prediction) == parsed


@pytest.mark.parametrize(
    ("prediction", "score"),
    [
        ("left", 1),
        (" Left.\n", 1),
        ("LEFT...", 1),
        ("left side", 0),
        ("the left", 0),
        ("", 0),
        (".", 0),
    ],
)
def test_words_are_matched_as_a_whole(prediction, score):
    assert score_answer(word("left"), prediction).score == score


def test_a_word_may_have_a_space():
    assert score_answer(word("trash can"), "Trash can.").score == 1
    assert score_answer(word("trash can"), "trash").score == 0


def test_tagged_answers_are_taken_out_first():
    completion = "<think>It is 7 or 3.</think> <answer> 3 meters </answer>"
    assert score_answer(number("3"), completion, "think").score == 1
    assert score_answer(number("3"), completion, "observe").score == 1
    assert score_answer(number("3"), completion, "vanilla").score == 0
    assert score_answer(number("3"), "3", "think").score == 1


@settings(derandomize=True, max_examples=500, deadline=None)
@given(st.text(st.characters()), st.sampled_from(["vanilla", "think", "observe"]))
def test_no_text_breaks_it(text, mode):
    for question in (number("3"), choice(1), word("left")):
        for completion in (text, f"<answer>{text}</answer>", f"</answer>{text}<answer>"):
            assert 0 <= score_answer(question, completion, mode).score <= 1


@pytest.mark.parametrize("piece", ["1", "9.", ".", "_1", "A", " ", "\x00", "\ud800"])
def test_a_million_characters_end(piece):
    text = piece * (1_000_000 // len(piece))
    assert [score_answer(q, text).score for q in (number("3"), choice(0), word("left"))] == [
        0,
        0,
        0,
    ]


def test_faulty_truth_is_named():
    with pytest.raises(HarnessError, match="question 'n': the answer of a object_abs_distance"):
        score_answer(number("three"), "3")


def test_samples_of_a_real_log_score_alike(shared_data):
    path = shared_data("vsibench-lmmseval-logs") / "smoke_samples_vsibench.json"
    samples = json.loads(path.read_text())["logs"]
    ours = [score_answer(from_row(s["doc"]), s["filtered_resps"][0]).score for s in samples]
    assert ours == [s["vsibench_score"]["MRA:.5:.95:.05"] for s in samples] == [0.1, 0.4]


def test_right_answers_of_real_rows_score_one(shared_data):
    path = shared_data("vsibench-questions-subset") / "vsibench_subset.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    scores = [score_answer(from_row(row), row["ground_truth"]).score for row in rows]
    assert scores == [1.0] * 51


def test_parsers_are_named_and_versioned():
    assert {name: (p.name, p.version) for name, p in PARSERS.items()} == {
        "thinking-in-space": ("thinking-in-space", 1)
    }
    assert find_parser("thinking-in-space") is PARSERS["thinking-in-space"]
    with pytest.raises(UsageError, match="parser 'exact' is not known; known are thinking"):
        find_parser("exact")
