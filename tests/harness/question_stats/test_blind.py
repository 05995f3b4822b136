"""What can be guessed without looking, on sets whose secrets are known."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.baselines import frequency_answers
from harness.question import Question
from harness.question_files import read_questions
from harness.question_stats import describe
from harness.question_stats.blind import Blind, blind_scores, fold_of_spaces
from harness.question_stats.collect import collect
from harness.question_stats.number_model import relative_accuracy
from harness.question_stats.phrases import slot_phrases
from harness.scoring import mean_relative_accuracy, score_answer

OBJECTS = ("bed", "table lamp", "tv", "trash bin", "sofa", "door")


def question(n: int, **given: object) -> Question:
    about = {
        "id": str(n),
        "scene": f"room-{n % 40}",
        "dataset": "procedural",
        "question_type": "object_size_estimation",
        "text": "How long is the bed?",
        "answer": "200",
        **given,
    }
    return Question(**about)  # type: ignore[arg-type]


def scores(questions: Sequence[Question]) -> Blind:
    (one,) = describe(enumerate(questions, 1)).types
    return one.blind


def phrases(*texts: str) -> list[tuple[str, ...]]:
    rows = collect(enumerate((question(n, text=text) for n, text in enumerate(texts)), 1))
    (group,) = rows.groups.values()
    return list(slot_phrases(group.tokens, list(rows.vocabulary)))


def test_phrases_are_what_changes_in_a_template() -> None:
    wording = "Measuring from the closest point, which of these ({}, {}) is closest to the {}?"
    assert phrases(
        wording.format("trash bin", "tv", "bed"),
        wording.format("sofa", "Table Lamp", "door"),
    ) == [("trash bin", "tv", "bed"), ("sofa", "table lamp", "door")]


def test_a_set_with_one_wording_has_no_phrases() -> None:
    assert phrases("How large is it?", "How large is it?") == [(), ()]


def test_long_phrases_and_many_slots_are_cut() -> None:
    words = [" ".join(f"{letter}{n}" for n in range(9)) for letter in "ab"]
    assert phrases(*words) == [("a0 a1 a2 a3",), ("b0 b1 b2 b3",)]
    routes = [", ".join(f"{letter}{n}" for n in range(30)) for letter in "ab"]
    assert [len(row) for row in phrases(*routes)] == [12, 12]


def test_sizes_that_follow_from_the_category_are_found() -> None:
    rng = random.Random(0)
    sizes = {name: 20 * (place + 1) ** 2 for place, name in enumerate(OBJECTS)}
    questions = [
        question(n, text=f"How long is the {name}?", answer=str(sizes[name]))
        for n in range(600)
        for name in [rng.choice(OBJECTS)]
    ]
    told = scores(questions)
    assert told.text == pytest.approx(1.0)
    assert told.frequency < 0.4


def test_numbers_that_follow_from_nothing_are_not_found() -> None:
    rng = random.Random(0)
    questions = [
        question(n, text=f"How long is the {rng.choice(OBJECTS)}?", answer=str(rng.randint(1, 999)))
        for n in range(600)
    ]
    best = max(
        np.mean([mean_relative_accuracy(guess, float(q.answer)) for q in questions])
        for guess in range(1, 1000, 9)
    )
    text = scores(questions).text
    assert text is not None
    assert abs(text - best) < 0.04


def test_a_popular_number_is_not_given_up_for_a_worse_model() -> None:
    rng = random.Random(0)
    questions = [
        question(n, text=f"How many {rng.choice(OBJECTS)}s?", answer=rng.choice("22222222235678"))
        for n in range(600)
    ]
    told = scores(questions)
    assert told.answer == "2"
    assert told.text is not None
    assert told.text > told.frequency - 0.02


def choice(n: int, options: Sequence[str], answer: str, **given: object) -> Question:
    kind = {"question_type": "object_rel_distance", "text": "Which?", "answer": answer}
    return question(n, options=tuple(options), **{**kind, **given})


def test_an_option_that_is_always_right_is_found() -> None:
    rng = random.Random(0)
    questions = []
    for n in range(300):
        options = rng.sample(["bed", *OBJECTS[1:5]][:4], 4)
        questions.append(choice(n, options, "bed"))
    told = scores(questions)
    assert told.text == pytest.approx(1.0)
    assert told.chance == pytest.approx(0.25)
    assert told.frequency < 0.4, "letters are even"


def test_an_answer_that_follows_from_the_question_is_found() -> None:
    rng = random.Random(0)
    beside = dict(zip(OBJECTS, OBJECTS[1:] + OBJECTS[:1], strict=True))
    questions = []
    for n in range(900):
        target = rng.choice(OBJECTS)
        wrong = [name for name in OBJECTS if name not in {target, beside[target]}]
        options = rng.sample([beside[target], *rng.sample(wrong, 3)], 4)
        text = f"Which of these ({', '.join(options)}) is closest to the {target}?"
        questions.append(choice(n, options, beside[target], text=text))
    told = scores(questions)
    assert told.text is not None
    assert told.text > 0.95


def test_an_order_that_is_always_the_same_is_found() -> None:
    rng = random.Random(0)
    questions = []
    for n in range(400):
        right = [OBJECTS[place] for place in sorted(rng.sample(range(6), 4))]
        orders = {", ".join(right)}
        while len(orders) < 4:
            orders.add(", ".join(rng.sample(right, 4)))
        shown = rng.sample(sorted(orders), 4)
        text = f"In which order: {', '.join(rng.sample(right, 4))}?"
        questions.append(
            choice(n, shown, ", ".join(right), text=text, question_type="obj_appearance_order")
        )
    told = scores(questions)
    assert told.text is not None
    assert told.text > 0.9


def test_letters_by_lot_are_not_found() -> None:
    rng = random.Random(0)
    questions = [
        choice(n, options, rng.choice(options), text=f"Which is near the {rng.choice(OBJECTS)}?")
        for n in range(2000)
        for options in [rng.sample(OBJECTS, 4)]
    ]
    text = scores(questions).text
    assert text is not None
    assert abs(text - 0.25) < 0.04


def test_what_is_the_same_in_a_room_is_not_used_on_that_room() -> None:
    # each room has an object of its own, with a size of its own: known rooms would give it away
    questions = [
        question(10 * room + n, scene=f"room-{room}", text=f"How long is the thing{room}?",
                 answer=str(10 * 3 ** (room % 5)))
        for room in range(40) for n in range(10)
    ]  # fmt: skip
    text = scores(questions).text
    assert text is not None
    assert text < 0.35


def test_scans_of_a_space_share_a_fold() -> None:
    scans = [
        question(n, dataset="scannet", scene=f"scene{n % 20:04}_{n // 20:02}") for n in range(60)
    ]
    rows = collect(enumerate(scans, 1))
    (group,) = rows.groups.values()
    assert list(group.spaces) == [n % 20 for n in range(60)]
    assert sorted(fold_of_spaces(rows.spaces).tolist()) == sorted([*range(5)] * 4)


def test_free_words_are_chosen_from_the_question_or_from_few() -> None:
    rng = random.Random(0)
    sides = [
        question(n, question_type="object_rel_direction_easy", style="vsi_100k", text=text,
                 answer="left" if "sofa" in text else "right")
        for n in range(300)
        for text in [f"Facing the {rng.choice(['sofa', 'door'])}, is the tv to the left or right?"]
    ]  # fmt: skip
    assert scores(sides).text == pytest.approx(1.0)
    nearest = []
    for n in range(400):
        named = rng.sample(OBJECTS, 4)
        text = f"Which of these objects ({', '.join(named)}) is the closest to the bicycle?"
        right = min(named, key=OBJECTS.index)
        nearest.append(question(n, question_type="object_rel_distance", text=text, answer=right))
    told = scores(nearest)
    assert told.text is not None
    assert told.text > 0.8


def test_words_nobody_can_list_are_left_to_the_fixed_answer() -> None:
    told = scores([question(n, question_type="own", answer=f"word {n}") for n in range(100)])
    assert told == Blind(chance=None, frequency=0.01, text=None, answer="word 0")


def test_one_space_is_not_split() -> None:
    scans = [question(n, dataset="scannet", scene=f"scene0000_0{n}") for n in range(5)]
    assert scores(scans).text is None


def test_two_spaces_are_enough() -> None:
    assert scores([question(n, scene=f"room-{n % 2}") for n in range(8)]).text == 1.0


@pytest.mark.parametrize("answers", [["0", "0", "5"], ["-3", "2", "-3"], ["1e-9", "1e300", "7"]])
def test_odd_numbers_do_no_harm(answers: list[str]) -> None:
    questions = [question(n, answer=answers[n % 3], question_type="own") for n in range(30)]
    told = scores(questions)
    assert told.text is not None
    assert 0 <= told.text <= 1


def test_the_same_set_gives_the_same_numbers() -> None:
    rng = random.Random(3)
    questions = [
        question(n, text=f"How long is the {rng.choice(OBJECTS)}?", answer=str(rng.randint(1, 99)))
        for n in range(200)
    ]
    assert scores(questions) == scores(list(questions))


def expected_frequency(questions: Sequence[Question]) -> tuple[float, str]:
    fixed = frequency_answers(questions, questions)
    pairs = zip(questions, fixed.answers, strict=True)
    total = sum(score_answer(q, answer).score for q, answer in pairs)
    return total / len(questions), fixed.answers[0]


def test_frequency_is_the_harnesss_baseline_on_real_rows(
    shared_data: Callable[[str], Path],
) -> None:
    folder = shared_data("vsibench-questions-subset")
    questions = list(read_questions(folder / "vsibench_subset.jsonl"))
    for one in describe(enumerate(questions, 1)).types:
        own = [q for q in questions if q.question_type == one.question_type]
        frequency, answer = expected_frequency(own)
        assert one.blind.answer == answer
        assert one.blind.frequency == pytest.approx(frequency)


@settings(derandomize=True, max_examples=50, deadline=None)
@given(
    answers=st.lists(st.sampled_from(["1", "1.0", "2", "2.5", "40"]), min_size=1, max_size=20),
    kind=st.sampled_from(["number", "letter", "word"]),
)
def test_frequency_is_the_harnesss_baseline(answers: list[str], kind: str) -> None:
    if kind == "letter":
        shown = ["1", "1.0", "2", "2.5", "40"]
        questions = [choice(n, shown[n % 5 :] + shown[: n % 5], a) for n, a in enumerate(answers)]
    else:
        suffix = "" if kind == "number" else "m"
        questions = [
            question(n, answer=a + suffix, question_type="own") for n, a in enumerate(answers)
        ]
    told = scores(questions)
    frequency, answer = expected_frequency(questions)
    assert told.frequency == pytest.approx(frequency)
    assert told.answer == answer


@settings(derandomize=True, max_examples=200, deadline=None)
@given(
    pairs=st.lists(
        st.tuples(st.floats(0, 1e6), st.integers(-20, 2000).map(lambda n: n / 10)), min_size=1
    )
)
def test_numbers_are_scored_as_elsewhere(pairs: list[tuple[float, float]]) -> None:
    predicted, truth = (np.array(column) for column in zip(*pairs, strict=True))
    expected = [mean_relative_accuracy(p, t) for p, t in pairs]
    assert relative_accuracy(predicted, truth).tolist() == expected


def test_real_scenes_give_sizes_away(shared_data: Callable[[str], Path]) -> None:
    # the size of a category is known before the room is seen: 29 by the mode, far more by the text
    questions = []
    for path in sorted(shared_data("vsibench-meta-info").glob("*_val.json")):
        for scene, record in json.loads(path.read_text()).items():
            for category, boxes in record["object_bbox"].items():
                if record["object_counts"][category] == 1:
                    longest = round(100 * max(boxes[0]["axesLengths"]))
                    questions.append(
                        question(
                            len(questions),
                            scene=scene,
                            dataset=record["dataset"],
                            text=f"What is the length of the longest dimension of the {category}?",
                            answer=str(longest),
                        )
                    )
    told = scores(questions)
    assert 0.25 < told.frequency < 0.33
    assert told.text is not None
    assert 0.55 < told.text < 0.65


def test_a_group_is_scored_alone() -> None:
    questions = [replace(question(n), answer=str(100 + n)) for n in range(20)]
    rows = collect(enumerate(questions, 1))
    (group,) = rows.groups.values()
    folds = fold_of_spaces(rows.spaces)
    assert blind_scores(group, list(rows.vocabulary), folds) == scores(questions)
