"""Fixed answers by question type."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import HarnessError, Question
from harness.baselines import FixedAnswers, frequency_answers
from harness.question import from_row
from harness.scoring import mean_relative_accuracy, score_answer


def number(answer, question_type="object_counting"):
    return Question("", "s", "d", question_type, "?", answer)


def choice(letter):
    options = ("sofa", "clock", "door")
    return Question("", "s", "d", "route_planning", "?", options["ABC".index(letter)], options)


def word(answer):
    return Question("", "s", "d", "route_planning", "?", answer)


def test_takes_the_most_frequent_answer_of_each_type():
    train = [*map(number, "2325"), *map(choice, "ABBC"), number("9", "object_abs_distance")]
    evaluate = [choice("A"), number("7"), number("1", "object_abs_distance"), choice("C")]
    assert frequency_answers(train, evaluate) == FixedAnswers(("B", "2", "9", "B"), ())


def test_ties_go_to_the_smallest_number_and_the_first_text():
    assert frequency_answers([*map(number, ["10", "9", "10", "9"])], [number("1")]).answers == (
        "9",
    )
    assert frequency_answers([*map(choice, "CBCB")], [choice("A")]).answers == ("B",)


def test_equal_numbers_count_together():
    train = [number(n) for n in ("3", "2.0", "3", "2", "2")]
    assert frequency_answers(train, [number("1")]).answers == ("2",)


def test_untrained_types_fall_back_and_say_so():
    found = frequency_answers([*map(choice, "AAA")], [number("4"), number("4"), word("left")])
    assert found.answers == ("4", "4", "left")
    assert found.notes == (
        (
            "object_counting: no training question has a number for an answer; took '4' from the 2 "
            "evaluated questions themselves"
        ),
        (
            "route_planning: no training question has a word for an answer; took 'left' from the 1 "
            "evaluated questions themselves"
        ),
    )


def test_best_mra_differs_from_the_mode():
    train = [number(n) for n in ("1", "1", "6", "7", "8", "9")]
    assert frequency_answers(train, [number("7")]).answers == ("1",)
    assert frequency_answers(train, [number("7")], "best_mra").answers == ("7",)


@settings(derandomize=True, max_examples=150)
@given(st.lists(st.decimals(0, 12, places=1).map(str), min_size=1, max_size=30))
def test_best_mra_is_the_best_of_the_training_answers(answers):
    chosen = float(frequency_answers([*map(number, answers)], [number("1")], "best_mra").answers[0])

    def total(guess):
        return round(sum(10 * mean_relative_accuracy(guess, float(a)) for a in answers))

    best = max(total(float(a)) for a in answers)
    assert chosen == min(float(a) for a in answers if total(float(a)) == best)


@settings(derandomize=True, max_examples=100)
@given(st.lists(st.sampled_from("ABC"), min_size=1, max_size=30))
def test_on_its_own_questions_it_scores_the_share_of_the_mode(letters):
    questions = [*map(choice, letters)]
    found = frequency_answers(questions, questions)
    scores = [score_answer(q, a).score for q, a in zip(questions, found.answers, strict=True)]
    assert sum(scores) == Counter(letters).most_common(1)[0][1]


def test_faulty_numbers_are_an_error_and_nothing_is_nothing():
    with pytest.raises(HarnessError, match="must be a number, found 'three'"):
        frequency_answers([number("three")], [number("3")])
    assert frequency_answers([number("3")], []) == FixedAnswers((), ())


def test_real_questions(shared_data):
    path = shared_data("vsibench-questions-subset") / "vsibench_subset.jsonl"
    questions = [from_row(json.loads(line)) for line in path.read_text().splitlines()]
    found = frequency_answers(questions, questions)
    counting = {
        answer
        for question, answer in zip(questions, found.answers, strict=True)
        if question.question_type == "object_counting"
    }
    assert counting == {"2"}  # the strong constant of VSI-Bench
    assert found.notes == ()
