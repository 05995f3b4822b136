"""VSI-Bench's table: eight tasks and their mean (thinking-in-space @ 51e089c)."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from harness.component import Scored
from harness.errors import HarnessError

# Task -> its question types, in the order of VSI-Bench's table.
TASKS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "object_counting": ("object_counting",),
        "object_abs_distance": ("object_abs_distance",),
        "object_size_estimation": ("object_size_estimation",),
        "room_size_estimation": ("room_size_estimation",),
        "object_rel_distance": ("object_rel_distance",),
        "object_rel_direction": (
            "object_rel_direction_easy",
            "object_rel_direction_medium",
            "object_rel_direction_hard",
        ),
        "route_planning": ("route_planning",),
        "obj_appearance_order": ("obj_appearance_order",),
    }
)
_TASK_OF = {question_type: task for task, types in TASKS.items() for question_type in types}


def task_of(question_type: str) -> str:
    """The task a question type counts for: itself, but for the three levels of direction."""
    return _TASK_OF.get(question_type, question_type)


def table_order(question_types: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The tasks that occur, in the table's order, each with its types that occur.

    Types that VSI-Bench does not know are tasks of their own, after the eight, by name.
    """
    present = set(question_types)
    own = {name: (name,) for name in sorted(present - _TASK_OF.keys())}
    occurring = {
        task: tuple(t for t in types if t in present) for task, types in {**TASKS, **own}.items()
    }
    return {task: types for task, types in occurring.items() if types}


def missing_types(question_types: Iterable[str]) -> tuple[str, ...]:
    """The question types of VSI-Bench that do not occur: with any, a macro score is partial."""
    present = set(question_types)
    return tuple(t for t in _TASK_OF if t not in present)


def summarise(scored: Sequence[Scored]) -> dict[str, float]:
    """Scores in [0, 1]: each task that occurs, in the table's order, then `macro` and `micro`.

    A task is the mean over its questions; relative direction is the unweighted mean of its levels
    that occur. `macro` is the unweighted mean of the tasks that occur (VSI-Bench's own average when
    all eight do), `micro` the mean over all questions.

    Raises:
        HarnessError: there is nothing to summarise, or a score is not finite.
    """
    check_scores(scored)
    by_type: dict[str, list[float]] = defaultdict(list)
    for one in scored:
        by_type[one.question.question_type].append(one.score)
    # fsum: the same answers in any order give the same number.
    means = {t: math.fsum(scores) / len(scores) for t, scores in by_type.items()}
    rows = {
        task: math.fsum(means[t] for t in types) / len(types)
        for task, types in table_order(means).items()
    }
    macro = math.fsum(rows.values()) / len(rows)
    micro = math.fsum(one.score for one in scored) / len(scored)
    return rows | {"macro": macro, "micro": micro}


def check_scores(scored: Sequence[Scored]) -> None:
    """Raise HarnessError unless there are scores, all finite."""
    if not scored:
        raise HarnessError("scoring: there are no scored answers, expected at least one")
    unusable = [one.question.id for one in scored if not math.isfinite(one.score)]
    if unusable:
        raise HarnessError(
            f"scoring: {len(unusable)} scores are not finite numbers, first of them those of the "
            f"questions {', '.join(unusable[:10])}; a task's score() must give numbers in [0, 1]"
        )
