"""Prompts word for word, and answers out of any text."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import Question, UsageError
from harness.prompt import (
    BLOCKS,
    EVALUATION_PROMPTS,
    evaluation_prompt,
    extract_answer,
    target,
    training_prompt,
)
from harness.question import from_row

WORD = Question(
    id="w",
    scene="s",
    dataset="d",
    question_type="object_rel_distance",
    text="Which of these objects (sink, pillow) is the closest to the bicycle?",
    answer="sink",
    style="vsi_100k",
)
CHOICE = Question(
    id="c",
    scene="s",
    dataset="d",
    question_type="object_rel_distance",
    text="Which is the closest to the bed?",
    answer="clock",
    options=("sofa", "clock", "door"),
)
NUMBER = Question(
    id="n",
    scene="s",
    dataset="d",
    question_type="object_counting",
    text="How many table(s) are in this room?",
    answer="4",
)
FRAGMENTS = ["<answer>", "</answer>", "<think>", "</think>", "<", "</", "3", "\n", " ", "answer>"]
TAGGED = st.lists(st.sampled_from(FRAGMENTS) | st.text(st.characters()), max_size=12).map("".join)


def test_training_prompts_are_the_papers():
    assert training_prompt(WORD, "vanilla") == (
        "Which of these objects (sink, pillow) is the closest to the bicycle?\n"
        "Please provide the short answer with one or two words or a number."
    )
    assert training_prompt(NUMBER, "think") == (
        "How many table(s) are in this room?\n"
        "Please think step by step and enclose your thinking process in <think> </think> tags and "
        "then provide the short answer with one or two words or a number in <answer> </answer>."
    )
    assert training_prompt(NUMBER, "observe") == (
        "How many table(s) are in this room?\n"
        "Please observe carefully and analyze what you see that helps you to solve the question "
        "in the video and enclose it in <observe> </observe> tag, and then provide the short "
        "answer with one or two words or a number in <answer> </answer>."
    )


def test_training_prompts_with_options_ask_for_the_letter():
    asked = "Which is the closest to the bed?\nOptions:\nA. sofa\nB. clock\nC. door\n"
    assert training_prompt(CHOICE, "vanilla") == (
        asked + "Answer with the option's letter from the given choices directly."
    )
    assert training_prompt(CHOICE, "think") == (
        asked + "Please think step by step and enclose your thinking process in <think> </think> "
        "tags and then provide the option's letter from the given choices in <answer> </answer>."
    )
    assert training_prompt(CHOICE, "observe").endswith(
        "and then provide the option's letter from the given choices in <answer> </answer>."
    )


def test_evaluation_prompts_are_vsi_benchs():
    assert evaluation_prompt(NUMBER) == (
        "These are frames of a video.\n"
        "How many table(s) are in this room?\n"
        "Please answer the question using a single word or phrase."
    )
    assert evaluation_prompt(CHOICE) == (
        "These are frames of a video.\n"
        "Which is the closest to the bed?\n"
        "Options:\nA. sofa\nB. clock\nC. door\n"
        "Answer with the option's letter from the given choices directly."
    )


def test_prompts_of_the_prompting_study():
    assert [
        evaluation_prompt(NUMBER, name).splitlines()[-1]
        for name in ("paper-think", "paper-observe", "paper-vanilla")
    ] == [
        "Let\u2019s think step by step and then answer the question using a single word or phrase.",
        (
            "Please observe the video first and then answer the question using a single word or "
            "phrase."
        ),
        "Please answer the question using a single word or phrase.",
    ]
    assert all(
        "letter" in evaluation_prompt(CHOICE, name)
        for name in EVALUATION_PROMPTS
        if name.startswith("paper-")
    )


@pytest.mark.parametrize("mode", ["vanilla", "think", "observe"])
def test_trained_modes_are_evaluated_as_they_were_trained(mode):
    assert evaluation_prompt(WORD, mode) == training_prompt(WORD, mode)
    assert evaluation_prompt(CHOICE, mode) == training_prompt(CHOICE, mode)
    assert EVALUATION_PROMPTS[mode].mode == mode


def test_unknown_prompt_is_an_error():
    with pytest.raises(UsageError, match="prompt 'cot' is not known; known are thinking-in-space"):
        evaluation_prompt(NUMBER, "cot")


def test_questions_of_a_real_log_are_asked_alike(shared_data):
    path = shared_data("vsibench-lmmseval-logs") / "smoke_samples_vsibench.json"
    for sample in json.loads(path.read_text())["logs"]:
        ours, theirs = evaluation_prompt(from_row(sample["doc"])), sample["arguments"][0]
        # That run used the sentence for API models; the lines before it are the same for all.
        assert ours.splitlines()[:-1] == theirs.splitlines()[:-1]
        assert theirs.splitlines()[-1] == "Do not response anything other than a single number!"


def test_target_is_the_right_answer():
    assert [target(q, "vanilla") for q in (WORD, CHOICE, NUMBER)] == ["sink", "B", "4"]
    with pytest.raises(UsageError, match="'observe' needs a written-out observe block"):
        target(NUMBER, "observe")


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("<think>so</think><answer> 3 </answer>", "3"),
        ("<answer>3</answer> or <answer>4</answer>", "4"),
        ("<answer>3</answer></answer>", "3"),
        ("<answer>3</answer> and <answer>4", "3"),
        ("<answer>1<answer>2</answer>", "2"),
        ("</answer>3<answer>", "</answer>3<answer>"),
        ("<answer></answer>", ""),
        ("no tags", "no tags"),
        ("<ANSWER>3</ANSWER>", "<ANSWER>3</ANSWER>"),
        ("", ""),
    ],
)
def test_answer_is_in_the_last_complete_block(text, answer):
    assert extract_answer(text, "think") == answer
    assert extract_answer(text, "observe") == answer
    assert extract_answer(text, "vanilla") == text


@settings(derandomize=True, max_examples=500)
@given(TAGGED)
def test_extracted_answer_is_part_of_any_text_and_no_block_is_left(text):
    answer = extract_answer(text, "think")
    assert answer in text
    assert "</answer>" not in answer or answer == text


@settings(derandomize=True, max_examples=200)
@given(TAGGED, st.text(st.characters(), max_size=20))
def test_a_block_at_the_end_is_what_counts(before, answer):
    if "<answer>" not in answer and "</answer>" not in answer:
        assert extract_answer(f"{before}<answer>{answer}</answer>", "think") == answer.strip()


@pytest.mark.parametrize("tag", ["<answer>", "</answer>", "<answer></answer>", "</", "<answer"])
def test_extraction_of_a_long_hostile_text_ends(tag):
    # Ten million characters: a scan for each tag would take hours.
    text = tag * (10_000_000 // len(tag))
    assert len(extract_answer(text, "think")) in {0, len(text)}


def test_every_mode_has_its_blocks():
    assert {mode: BLOCKS[mode] for mode in BLOCKS} == {
        "vanilla": (),
        "think": ("think", "answer"),
        "observe": ("observe", "answer"),
    }
