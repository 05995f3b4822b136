"""Which questions of a set are kept: the families' limits and the set's, from their numbers alone.

Nothing here holds a question, so a set is drawn without being in memory.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from harness.generate.family import Family
from harness.generate.randomness import rng_of, sample
from harness.question import Question

Kept = NDArray[np.bool_]

# Weights such as 0.1 and 0.3 are not quite in the ratio they are written in.
_ROUNDING = Fraction(1, 10**9)


def draw(
    counts: Mapping[str, int], families: Iterable[Family], *, seed: int, limit: int | None
) -> dict[str, Kept]:
    """Which of each family's questions are kept, in the order of the scenes.

    Args:
        counts: family -> questions it asked.
        families: for their limits and weights.
        limit: at most this many questions in all, shared by the families' weights; what a family
            cannot give is shared by the others.

    Returns:
        family -> (n,) whether its i-th question is kept.
    """
    by_name = {family.name: family for family in families}
    kept = {
        name: _some(np.arange(count), by_name[name].limit, rng_of(seed, "limit", name))
        for name, count in sorted(counts.items())
    }
    if limit is not None:
        rng = rng_of(seed, "evenly")
        ordered = sorted((len(kept[n]) / by_name[n].weight, n) for n in kept)
        # Exact, as what is left of 1e17 + 1 after the first is not 0.
        weight = {name: Fraction(by_name[name].weight) for name in kept}
        taken, weights = 0, sum(weight.values())
        # Smallest first, so that what a family cannot give is shared by those after it.
        for _, name in ordered:
            share = int((limit - taken) * weight[name] / weights + _ROUNDING)
            kept[name] = _some(kept[name], share, rng)
            taken += len(kept[name])
            weights -= weight[name]
    masks = {name: np.zeros(count, dtype=bool) for name, count in counts.items()}
    for name, places in kept.items():
        masks[name][places] = True
    return masks


def draw_evenly_by_type(
    questions: Sequence[Question], limit: int | None, *, seed: int
) -> list[Question]:
    """At most `limit` questions, as many of each question type as there are, in the order given.

    A type that has fewer than its share gives all it has, and the others share the rest. Within a
    type, right letters are drawn evenly too.
    """
    if limit is None:
        return list(questions)
    return _evenly(questions, limit, [_type, _letter], rng_of(seed, "evenly by type"))


def _some(
    places: NDArray[np.intp], limit: int | None, rng: np.random.Generator
) -> NDArray[np.intp]:
    if limit is None or len(places) <= limit:
        return places
    return places[np.sort(rng.permutation(len(places))[:limit])]


def _evenly(
    questions: Sequence[Question],
    limit: int,
    group_by: Sequence[Callable[[Question], str]],
    rng: np.random.Generator,
) -> list[Question]:
    if not group_by:
        return sample(questions, limit, rng)
    groups: dict[str, list[int]] = defaultdict(list)
    for index, question in enumerate(questions):
        groups[group_by[0](question)].append(index)
    kept: list[int] = []
    # Smallest first, so that what a group cannot give is shared by those after it.
    ordered = sorted(groups.items(), key=lambda group: (len(group[1]), group[0]))
    for position, (_, members) in enumerate(ordered):
        share = (limit - len(kept)) // (len(ordered) - position)
        place = {id(questions[index]): index for index in members}
        drawn = _evenly([questions[index] for index in members], share, group_by[1:], rng)
        kept += [place[id(question)] for question in drawn]
    return [questions[index] for index in sorted(kept)]


def _type(question: Question) -> str:
    return question.question_type


def _letter(question: Question) -> str:
    return "" if question.options is None else question.gold
