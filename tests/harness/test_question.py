"""Questions and their rows."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import HarnessError
from harness.question import Question, from_row, to_row

CHOICE = Question(
    id="7",
    scene="scene0231_00",
    dataset="scannet",
    question_type="object_rel_distance",
    text="Which is the closest to the bed?",
    answer="clock",
    options=("sofa", "clock", "door", "lamp"),
    objects=("bed_0", "clock_0"),
    generator="object_rel_distance",
    settings={"min_gap": 0.15, "levels": ["easy"]},
    margin=0.4,
    seed=3,
)
NUMBER = replace(CHOICE, question_type="object_abs_distance", answer="2.9", options=None)
WORD = replace(CHOICE, options=None, style="vsi_100k")


@pytest.mark.parametrize(
    ("question", "kind", "gold"),
    [(CHOICE, "letter", "B"), (NUMBER, "number", "2.9"), (WORD, "word", "clock")],
)
def test_what_a_right_answer_is(question, kind, gold):
    assert question.kind == kind
    assert question.gold == gold


@pytest.mark.parametrize("options", [("sofa", "door"), ("clock", "clock", "door")])
def test_the_answer_is_exactly_one_option(options):
    with pytest.raises(HarnessError, match="must be exactly one of the options"):
        replace(CHOICE, options=options)


def test_options_are_lettered():
    assert CHOICE.lettered_options() == ["A. sofa", "B. clock", "C. door", "D. lamp"]
    assert NUMBER.lettered_options() == []


def test_an_id_comes_from_the_content_alone():
    assert replace(CHOICE, id="", seed=9, margin=None).content_id() == CHOICE.content_id()
    contents = [
        CHOICE,
        NUMBER,
        WORD,
        replace(CHOICE, scene="scene0231_01"),
        replace(CHOICE, text="Which is farthest?"),
        replace(CHOICE, options=("clock", "sofa", "door", "lamp")),
    ]
    assert len({question.content_id() for question in contents}) == len(contents)


@pytest.mark.parametrize("question", [CHOICE, NUMBER, WORD])
def test_a_row_comes_back_as_the_same_question(question):
    assert from_row(json.loads(json.dumps(to_row(question)))) == question


names = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=12)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.lists(names, min_size=2, max_size=6, unique=True), st.data(), names)
def test_any_texts_survive_a_row(options, data, text):
    answer = data.draw(st.sampled_from(options))
    question = replace(CHOICE, options=tuple(options), answer=answer, text=text)
    assert from_row(json.loads(json.dumps(to_row(question)))) == question


def test_a_released_row_is_read():
    row = {
        "id": 957,
        "dataset": "arkitscenes",
        "scene_name": "41069025",
        "question_type": "object_rel_direction_hard",
        "question": "If I am standing by the stove and facing the sofa, is the tv ...",
        "ground_truth": "A",
        "options": ["A. front-left", "B. back-right", "C. back-left", "D. front-right"],
    }
    question = from_row(row)
    assert (question.id, question.answer, question.gold) == ("957", "front-left", "A")
    assert question.options == ("front-left", "back-right", "back-left", "front-right")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"question": ""}, "question must be a non-empty string"),
        ({"scene_name": None}, "scene_name must be a non-empty string"),
        ({"ground_truth": None}, "ground_truth must be a string or a number"),
        ({"ground_truth": True}, "ground_truth must be a string or a number"),
        ({"ground_truth": "E"}, "'E' is no letter of its 4 options"),
        ({"ground_truth": "clock"}, "'clock' is no letter of its 4 options"),
        ({"options": "A. sofa"}, "options must be null or 2 to 26 strings"),
        ({"options": ["A. sofa"]}, "options must be null or 2 to 26 strings"),
        ({"options": None, "question_type": "object_counting"}, "must be a number, found 'B'"),
    ],
)
def test_a_faulty_row_is_refused_by_name(changes, message):
    with pytest.raises(HarnessError, match=r"^file:3: ") as caught:
        from_row({**to_row(CHOICE), **changes}, "file:3")
    assert message in str(caught.value)


def test_all_faults_of_a_row_come_at_once():
    with pytest.raises(HarnessError) as caught:
        from_row({"question": "How many?"})
    for field in ("scene_name", "question_type", "dataset", "ground_truth"):
        assert field in str(caught.value)
