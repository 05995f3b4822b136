"""Format: the strict check, and the loose one that the paper saw hacked."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import Question, Rollout
from harness_rewards.format import build, keeps_format
from harness_rewards.settings import FormatSettings

PIECES = ["<think>", "</think>", "<answer>", "</answer>", "x", " ", "\n", "<observe>"]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=9).map("".join)
GOOD = "<think>x</think><answer>x</answer>"


@pytest.mark.parametrize(
    ("text", "strict", "loose"),
    [
        ("<think>a</think><answer>b</answer>", True, True),
        ("\n <think> a\nb </think> \n<answer>\nb </answer>\n", True, True),
        ("<think></think><answer>b</answer>", False, True),
        ("<think> \n</think><answer>b</answer>", False, True),
        ("<think>a</think><answer> </answer>", False, True),
        ("<think>a</think><think>a</think><answer>b</answer>", False, True),
        ("<think>a</think><answer>b</answer><answer>c</answer>", False, True),
        ("<think>a<think>b</think></think><answer>c</answer>", False, True),
        ("<think>a</think>so<answer>b</answer>", False, False),
        ("so <think>a</think><answer>b</answer>", False, False),
        ("<think>a</think><answer>b</answer>.", False, False),
        ("<answer>b</answer><think>a</think>", False, False),
        ("<think>a<answer>b</think></answer>", False, False),
        ("<think>a</think>", False, False),
        ("<answer>b</answer>", False, False),
        ("<think>a<answer>b</answer>", False, False),
        ("<Think>a</Think><answer>b</answer>", False, False),
        ("<observe>a</observe><answer>b</answer>", False, False),
        ("", False, False),
    ],
)
def test_think(text, strict, loose):
    assert keeps_format(text, "think") == strict
    assert keeps_format(text, "think", strict=False) == loose


def test_observe_has_its_own_tag():
    assert keeps_format("<observe>a</observe><answer>b</answer>", "observe")
    assert not keeps_format("<think>a</think><answer>b</answer>", "observe")


@settings(derandomize=True, max_examples=2000, deadline=None)
@given(TEXTS | TEXTS.map(lambda t: GOOD.replace("x", t, 1)) | TEXTS.map(lambda t: GOOD + t))
def test_is_what_the_patterns_say(text):
    inside = r"(?:(?!</?(?:think|answer)>).)*"
    strict = re.fullmatch(
        rf"\s*<think>({inside})</think>\s*<answer>({inside})</answer>\s*", text, re.DOTALL
    )
    assert keeps_format(text, "think") == bool(strict and all(g.strip() for g in strict.groups()))
    loose = re.fullmatch(r"\s*<think>.*?</think>\s*<answer>.*?</answer>\s*", text, re.DOTALL)
    assert keeps_format(text, "think", strict=False) == bool(loose)


@pytest.mark.parametrize("middle", ["</think>", "<answer>", "</think> ", " ", "</answer><think>"])
def test_long_hostile_texts_end(middle):
    # Five million characters, on which a backtracking pattern would take hours.
    text = "<think>" + middle * (5_000_000 // len(middle)) + "</answer>"
    assert not keeps_format(text, "think")
    assert not keeps_format(text, "think", strict=False)


def test_reward_is_one_or_zero_and_one_in_vanilla():
    question = Question("q", "s", "d", "object_counting", "How many?", "2")
    rollouts = [
        Rollout(question, "think", "<think>a</think><answer>2</answer>"),
        Rollout(question, "think", "<think></think><answer>2</answer>"),
        Rollout(question, "observe", "2"),
        Rollout(question, "vanilla", "2"),
        Rollout(question, "vanilla", ""),
    ]
    assert build(FormatSettings())(rollouts) == [1, 0, 0, 1, 1]
    assert build(FormatSettings(strict=False))(rollouts) == [1, 1, 0, 1, 1]
