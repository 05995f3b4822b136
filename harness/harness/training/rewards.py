"""Reward plugins as TRL reward functions, with their answers checked."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

from harness.catalogue import Registered, guard
from harness.component import PromptMode, Reward, Rollout
from harness.errors import PluginError
from harness.question import Question


@dataclass(frozen=True)
class BoundReward:
    """A reward of a recipe: its name there, its weight, and the plugin it comes from."""

    name: str
    weight: float
    reward: Reward
    registered: Registered


def reward_functions(
    rewards: Sequence[BoundReward],
    questions: Sequence[Question],
    mode: PromptMode,
    ends: Collection[int],
) -> list[Callable[..., list[float]]]:
    """TRL's form of rewards: called with completions and the rows' `index` column.

    Args:
        rewards: of the stage.
        questions: what `index` counts in.
        mode: how the model is asked.
        ends: token ids that end an answer; one without such an end was cut off.
    """
    return [_function(reward, questions, mode, ends) for reward in rewards]


def call_reward(bound: BoundReward, rollouts: Sequence[Rollout]) -> list[float]:
    """The rewards of some rollouts.

    Raises:
        PluginError: the plugin raised, gave another number of rewards, or one that is not finite.
    """
    with guard(bound.registered, f"rewarding {len(rollouts)} completions"):
        values: list[Any] = list(bound.reward(rollouts))
    if len(values) != len(rollouts):
        raise PluginError(
            f"{bound.registered}: reward {bound.name!r} gave {len(values)} values for {len(rollouts)} "
            "completions: it must give one for each"
        )
    for value, rollout in zip(values, rollouts, strict=True):
        # Real: numpy's numbers too
        if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
            raise PluginError(
                f"{bound.registered}: reward {bound.name!r} gave {value!r} for the completion "
                f"{rollout.completion[:80]!r} of question {rollout.question.id}: expected a finite number"
            )
    return [float(value) for value in values]


def _function(
    bound: BoundReward, questions: Sequence[Question], mode: PromptMode, ends: Collection[int]
) -> Callable[..., list[float]]:
    def function(
        completions: list[Any], completion_ids: list[list[int]], index: list[int], **_rest: Any
    ) -> list[float]:
        rollouts = [
            Rollout(
                questions[i],
                mode,
                completion[0]["content"],
                tokens=len(ids),
                truncated=not ids or ids[-1] not in ends,
            )
            for completion, ids, i in zip(completions, completion_ids, index, strict=True)
        ]
        return call_reward(bound, rollouts)

    function.__name__ = bound.name
    return function
