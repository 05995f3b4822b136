"""The paper's accuracy reward on words and letters."""

from __future__ import annotations

import pytest

from harness import HarnessError, Question, Rollout
from harness_rewards.accuracy import build
from harness_rewards.settings import AccuracySettings

WORD = Question("w", "s", "d", "object_rel_distance", "Which?", "trash can", style="vsi_100k")
CHOICE = Question("c", "s", "d", "object_rel_distance", "Which?", "bed", ("sofa", "bed"))
ACCURACY = build(AccuracySettings())


def reward(question, completion, mode="vanilla"):
    (one,) = ACCURACY([Rollout(question, mode, completion)])
    return one


def test_words_match_as_a_whole():
    assert [reward(WORD, t) for t in ("trash can", "Trash can.", "trash", "can", "")] == [
        1,
        1,
        0,
        0,
        0,
    ]


def test_letters_match_whatever_their_case():
    assert [reward(CHOICE, t) for t in ("B", "b.", "B. bed", "A", "bed", "AB")] == [
        1,
        1,
        1,
        0,
        0,
        0,
    ]


def test_answer_is_taken_out_of_its_block():
    text = "<observe>A bed, a sofa.</observe><answer>b</answer>"
    assert reward(CHOICE, text, "observe") == 1
    assert reward(CHOICE, text, "vanilla") == 0


def test_the_numeric_setting_leaves_other_questions_alone():
    exact = build(AccuracySettings(numeric="none"))
    rollouts = [Rollout(WORD, "vanilla", "trash can"), Rollout(CHOICE, "vanilla", "B")]
    assert exact(rollouts) == [1, 1]


def test_a_faulty_question_is_named():
    faulty = Question("q7", "s", "d", "object_counting", "How many?", "many")
    with pytest.raises(HarnessError, match=r"question 'q7'.*found 'many'"):
        reward(faulty, "3")
