"""The five hooks. A plugin implements any of them with `@harness.hookimpl` and is found through
the entry-point group `harness`.
"""

from __future__ import annotations

from collections.abc import Iterable

import pluggy

from harness.component import Backbone, Component, QuestionGenerator, Reward, SceneSource, Task

GROUP = "harness"
hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)


@hookspec
def harness_scene_sources() -> Iterable[Component[SceneSource]]:  # type: ignore[empty-body]
    """Scene sources.

    Example:
        >>> @harness.hookimpl
        ... def harness_scene_sources():
        ...     return [harness.Component("my_rooms", MySettings, "my_package.rooms:build", "my rooms")]
    """


@hookspec
def harness_question_generators() -> Iterable[Component[QuestionGenerator]]:  # type: ignore[empty-body]
    """Question generators, one for each family.

    Example:
        >>> @harness.hookimpl
        ... def harness_question_generators():
        ...     return [harness.Component("colour", MySettings, "my_package.colour:build", "colours")]
    """


@hookspec
def harness_rewards() -> Iterable[Component[Reward]]:  # type: ignore[empty-body]
    """Rewards.

    Example:
        >>> @harness.hookimpl
        ... def harness_rewards():
        ...     return [harness.Component("brevity", MySettings, "my_package.brevity:build", "short is good")]
    """


@hookspec
def harness_backbones() -> Iterable[Component[Backbone]]:  # type: ignore[empty-body]
    """Backbones.

    Example:
        >>> @harness.hookimpl
        ... def harness_backbones():
        ...     return [harness.Component("my_vl", MySettings, "my_package.model:build", "my model")]
    """


@hookspec
def harness_tasks() -> Iterable[Component[Task]]:  # type: ignore[empty-body]
    """Evaluation tasks.

    Example:
        >>> @harness.hookimpl
        ... def harness_tasks():
        ...     return [harness.Component("my_bench", MySettings, "my_package.bench:build", "my benchmark")]
    """
