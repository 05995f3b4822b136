"""What holds for all built-in rewards, found as a recipe finds them."""

from __future__ import annotations

import json
import math
import random
import subprocess
import sys

import pytest
from hypothesis import given as given_text
from hypothesis import settings
from hypothesis import strategies as st

from harness import Question, Reward, Rollout
from harness_rewards.hooks import harness_rewards

COMPONENTS = {c.name: c for c in harness_rewards()}
SETTINGS = [
    ("accuracy", {}),
    ("accuracy", {"numeric": "mra"}),
    ("accuracy", {"numeric": "exact"}),
    ("accuracy", {"denominator": "gold", "shape": "inverse"}),
    ("format", {}),
    ("format", {"strict": False}),
    ("mra", {}),
    ("relative_error", {}),
    ("relative_error", {"denominator": "gold"}),
    ("relative_error", {"shape": "inverse"}),
]
QUESTIONS = (
    Question("n", "s", "d", "object_abs_distance", "How far?", "2.4"),
    Question("z", "s", "d", "object_counting", "How many?", "0"),
    Question("c", "s", "d", "route_planning", "Which?", "Left", ("Left", "Right")),
    Question("w", "s", "d", "object_rel_distance", "Which?", "trash can", style="vsi_100k"),
)
MODES = ("vanilla", "think", "observe")
TAGS = ["<answer>", "</answer>", "<think>", "</think>", "<observe>", "</observe>", "2.4", "A", " "]
HOSTILE = st.lists(st.sampled_from(TAGS) | st.text(st.characters()), max_size=8).map("".join)


def built(name, given):
    component = COMPONENTS[name]
    return component.create(component.config.model_validate_json(json.dumps(given)))


def gold(question, mode):
    reasoning = (
        "" if mode == "vanilla" else f"<{mode}>I look.</{mode}> <answer>{question.gold}</answer>"
    )
    return Rollout(question, mode, reasoning or question.gold)


def test_names():
    assert list(COMPONENTS) == ["accuracy", "format", "mra", "relative_error"]
    assert all(c.summary for c in COMPONENTS.values())


@pytest.mark.parametrize(("name", "given"), SETTINGS)
@pytest.mark.parametrize("mode", MODES)
def test_the_right_answer_earns_most(name, given, mode):
    reward = built(name, given)
    assert isinstance(reward, Reward)
    handled = [q for q in QUESTIONS if name in {"accuracy", "format"} or q.kind == "number"]
    others = [q for q in QUESTIONS if q not in handled]
    assert reward([gold(q, mode) for q in handled]) == [1.0] * len(handled)
    assert reward([gold(q, mode) for q in others]) == [0.0] * len(others)


@pytest.mark.parametrize(("name", "given"), SETTINGS)
def test_hostile_text_gets_a_number_in_range(name, given):
    reward = built(name, given)

    @settings(derandomize=True, max_examples=150, deadline=None)
    @given_text(HOSTILE, st.sampled_from(MODES))
    def check(text, mode):
        rewards = reward([Rollout(q, mode, text) for q in QUESTIONS])
        assert len(rewards) == len(QUESTIONS)
        assert all(isinstance(r, float) and math.isfinite(r) and 0 <= r <= 1 for r in rewards)

    check()


@pytest.mark.parametrize(("name", "given"), SETTINGS)
def test_order_does_not_matter(name, given):
    reward, rng = built(name, given), random.Random(0)
    rollouts = [
        Rollout(q, mode, text)
        for q in QUESTIONS
        for mode in MODES
        for text in ("2.4", "A", "trash can", "1.9", "<think>x</think><answer>2</answer>", "")
    ]
    expected = dict(zip(map(id, rollouts), reward(rollouts), strict=True))
    shuffled = rng.sample(rollouts, len(rollouts))
    assert list(reward(shuffled)) == [expected[id(r)] for r in shuffled]
    assert [reward([r])[0] for r in rollouts] == list(expected.values())


def test_listing_imports_no_heavy_library():
    code = (
        "import sys, harness_rewards.hooks as h; list(h.harness_rewards()); "
        "print(sorted({'numpy', 'torch'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
