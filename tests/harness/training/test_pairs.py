"""Wrong answers for DPO look like right ones and are wrong."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import HarnessError
from harness.question import Question
from harness.training.pairs import wrong_answers

SEED = st.integers(0, 2**32 - 1)


def ask(answer, question_type="object_abs_distance", options=None):
    return Question("q", "room", "test", question_type, "?", answer, options)


@given(st.decimals(0, 10_000, places=None, allow_nan=False).map(lambda d: round(d, 2)), SEED)
@settings(derandomize=True, max_examples=300)
def test_wrong_numbers_are_a_fifth_off_with_the_same_decimals(number, seed):
    for places in (0, 1, 2):
        right = f"{number:.{places}f}"
        (wrong,) = wrong_answers([ask(right)], seed)
        assert Decimal(wrong).as_tuple().exponent == Decimal(right).as_tuple().exponent
        assert wrong != right
        assert Decimal(wrong) > 0
        gap = abs(Decimal(wrong) - Decimal(right))
        assert gap >= Decimal(right) / 5
        # within the range, but for numbers so small that the next one is further off
        assert (
            gap
            <= max(Decimal("0.75") * Decimal(right), Decimal(10) ** -places)
            + Decimal(10) ** -places / 2
        )


@pytest.mark.parametrize(
    ("right", "possible"),
    [
        ("0", {"1"}),
        ("1", {"2"}),  # 0.25 to 1.75, and no zero
        ("2", {"1", "3"}),
        ("0.1", {"0.2"}),
        ("4", {"1", "2", "3", "5", "6", "7"}),
    ],
)
def test_small_numbers(right, possible):
    drawn = {wrong_answers([ask(right, "object_counting")], seed)[0] for seed in range(200)}
    assert drawn == possible


@given(st.integers(2, 26), st.data(), SEED)
@settings(derandomize=True, max_examples=100)
def test_wrong_letters_are_other_letters(count, data, seed):
    options = tuple(f"thing {i}" for i in range(count))
    question = ask(data.draw(st.sampled_from(options)), "object_rel_distance", options)
    (wrong,) = wrong_answers([question], seed)
    assert wrong != question.gold
    assert wrong in {option[0] for option in question.lettered_options()}


def test_every_other_letter_is_drawn_about_as_often():
    question = ask("b", "object_rel_distance", ("a", "b", "c", "d"))
    drawn = Counter(wrong_answers([question] * 3000, 0))
    assert set(drawn) == {"A", "C", "D"}
    assert all(900 < n < 1100 for n in drawn.values())


WORDS = st.sampled_from(["left", "right", "back", "Left", "chair", "table", "sofa"])


@given(st.lists(st.tuples(st.sampled_from(["direction", "distance"]), WORDS), min_size=2), SEED)
@settings(derandomize=True, max_examples=200)
def test_wrong_words_are_answers_of_the_same_type(answers, seed):
    questions = [ask(word, kind) for kind, word in answers]
    of_type = {kind: {w for k, w in answers if k == kind} for kind, _ in answers}
    alone = [k for k, words in of_type.items() if len({w.lower() for w in words}) == 1]
    if alone:
        with pytest.raises(HarnessError, match=f"all {alone[0]}|all {alone[-1]}"):
            wrong_answers(questions, seed)
        return
    for question, wrong in zip(questions, wrong_answers(questions, seed), strict=True):
        assert wrong in of_type[question.question_type]
        assert wrong.lower() != question.answer.lower()


def test_a_type_with_one_answer_has_no_wrong_one():
    questions = [ask("left", "direction"), ask("Left", "direction"), ask("sofa", "distance")]
    with pytest.raises(HarnessError) as error:
        wrong_answers(questions, 0)
    assert str(error.value) == (
        "DPO: all direction questions have the answer 'left', so no wrong answer can be drawn: "
        "add questions or use style vsi_bench, which has options"
    )


def test_the_seed_decides():
    questions = [ask(str(n)) for n in range(10, 200)]
    assert wrong_answers(questions, 1) == wrong_answers(questions, 1)
    assert wrong_answers(questions, 1) != wrong_answers(questions, 2)


def test_no_questions():
    assert wrong_answers([], 0) == []
