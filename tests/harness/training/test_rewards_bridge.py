"""Rewards as TRL calls them: what they are shown, and what is said of their answers."""

from __future__ import annotations

import numpy as np
import pytest

from harness.catalogue import Registered, Source
from harness.component import Component, Rollout, Settings
from harness.errors import PluginError
from harness.question import Question
from harness.training.rewards import BoundReward, call_reward, reward_functions

QUESTIONS = [
    Question(f"q{i}", "room", "test", "object_counting", "How many?", str(i)) for i in range(3)
]
WHO = "plugin 'acme' (acme-rewards 1.2)"
END, PAD = 2, 0


def bind(reward, name="mine", weight=1.0):
    component = Component(name, Settings, "acme:build", "a reward")
    return BoundReward(
        name,
        weight,
        reward,
        Registered("rewards", component, Source("acme", "acme-rewards", "1.2")),
    )


def chat(text):
    return [{"role": "assistant", "content": text}]


def test_rewards_see_rollouts():
    seen = []

    def reward(rollouts):
        seen.extend(rollouts)
        return [1.0, 2, 3.5, -1]

    (function,) = reward_functions([bind(reward)], QUESTIONS, "think", {END, PAD})
    values = function(
        prompts=["ignored"] * 4,
        completions=[chat("a"), chat("b b"), chat(""), chat("c")],
        completion_ids=[[7, END], [7, 8, 9], [], [7, PAD]],
        index=[2, 0, 0, 1],
        trainer_state=None,
    )
    assert values == [1.0, 2.0, 3.5, -1.0]
    assert all(type(value) is float for value in values)
    assert seen == [
        Rollout(QUESTIONS[2], "think", "a", tokens=2, truncated=False),
        Rollout(QUESTIONS[0], "think", "b b", tokens=3, truncated=True),
        Rollout(QUESTIONS[0], "think", "", tokens=0, truncated=True),
        Rollout(QUESTIONS[1], "think", "c", tokens=2, truncated=False),
    ]


def test_rewards_keep_their_names_and_order():
    bound = [bind(lambda rollouts: [0.0] * len(rollouts), name) for name in ("b", "a")]
    functions = reward_functions(bound, QUESTIONS, "vanilla", {END})
    assert [function.__name__ for function in functions] == ["b", "a"]


@pytest.mark.parametrize(
    "value", [1, 0.5, -2.0, np.float64(0.25), np.float32(0.25), np.int64(3)], ids=repr
)
def test_numbers_of_any_make_are_rewards(value):
    (given,) = call_reward(bind(lambda _rollouts: [value]), [Rollout(QUESTIONS[0], "vanilla", "x")])
    assert type(given) is float
    assert given == value


def test_an_array_is_a_sequence_of_rewards():
    rollouts = [Rollout(q, "vanilla", "x") for q in QUESTIONS]
    assert call_reward(bind(lambda _r: np.array([0.0, 0.5, 1.0])), rollouts) == [0.0, 0.5, 1.0]


@pytest.mark.parametrize(
    "value", [None, True, "1", float("nan"), float("inf"), [1.0], np.float32("nan"), np.True_],
    ids=repr,
)  # fmt: skip
def test_anything_else_is_the_plugins_fault(value):
    rollouts = [Rollout(QUESTIONS[1], "vanilla", "x" * 200)]
    with pytest.raises(PluginError) as error:
        call_reward(bind(lambda _rollouts: [value]), rollouts)
    assert WHO in str(error.value)
    expected = f"reward 'mine' gave {value!r} for the completion {'x' * 80!r} of question q1"
    assert expected in str(error.value)


@pytest.mark.parametrize(
    ("reward", "message"),
    [
        (lambda _r: [1.0], "gave 1 values for 3 completions: it must give one for each"),
        (lambda _r: [], "gave 0 values for 3 completions"),
        (lambda _r: 1.0, "TypeError"),
        (lambda _r: 1 / 0, "ZeroDivisionError"),
        (lambda r: [x.no_such_field for x in r], "AttributeError"),
    ],
)
def test_what_a_plugin_does_wrong_is_named(reward, message):
    rollouts = [Rollout(q, "vanilla", "x") for q in QUESTIONS]
    with pytest.raises(PluginError, match=message) as error:
        call_reward(bind(reward), rollouts)
    assert WHO in str(error.value)
