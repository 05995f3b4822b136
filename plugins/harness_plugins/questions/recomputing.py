"""Answers told again: which objects a question means, and whether its answer is theirs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product

from harness.component import Recomputed
from harness.geometry import overlap
from harness.question import Question, Style
from harness.scene import Scene, SceneObject
from harness_plugins.questions.naming import category_named
from harness_plugins.questions.subjects import rounded, rounding_margin, spoken
from harness_plugins.questions.wording import plain, says_closest_points

# An answer on a rounding boundary is right on either side of it.
ROUNDING = 1e-9
# Choices of one instance for each name; the most of any released question would be 39.
_MOST_CHOICES = 500


@dataclass(frozen=True)
class Subject:
    """What a name in a question means: a category, how often it occurs, and its boxes.

    Boxes that are exactly another's are left out of `instances`.
    """

    category: str
    count: int
    instances: tuple[SceneObject, ...]


def untold(*reasons: str) -> Recomputed:
    """Nothing can be said about the question."""
    return Recomputed(None, None, reasons=reasons)


def not_understood(asks: str) -> Recomputed:
    """The text is none of the known wordings."""
    return untold(f"the text is no known wording of a question about {asks}")


def ruled_by(question: Question) -> Style:
    """Whose rules hold: closest points where the text says so, else as the row is built.

    VSI-100k's rows have no options, and their distances do not say where they are measured from.
    """
    if says_closest_points(question.text):
        return "vsi_bench"
    without = question.options is None
    return "vsi_100k" if question.style == "vsi_100k" or without else "vsi_bench"


def subject(scene: Scene, name: str, notes: list[str]) -> Subject | None:
    """What a name means, or None; what is odd about it is added to the notes."""
    category = category_named(scene, name)
    if category is None:
        notes.append(f"the scene has no category {name!r}, or several it may mean")
        return None
    if plain(name) not in (plain(category), plain(spoken(category))):
        notes.append(f"took {name!r} for the scene's {category!r}")
    boxes = scene.of(category)
    count = scene.counts.get(category, len(boxes))
    distinct = tuple({thing.box: thing for thing in reversed(boxes)}.values())[::-1]
    if len(distinct) < len(boxes):
        notes.append(f"{len(boxes) - len(distinct)} boxes of {category!r} are exactly another's")
    label = f" {plain(category)} "
    faults = [fault for fault in scene.faults if label in f" {plain(fault)} "]
    notes += [f"fault of the annotation: {fault}" for fault in faults]
    if count != len(boxes) and not faults:
        notes.append(f"the scene counts {count} {category!r} and has boxes for {len(boxes)}")
    return Subject(category, count, distinct)


def subjects(scene: Scene, names: Sequence[str], notes: list[str]) -> list[Subject] | None:
    """What each name means; None if one is unknown, has no box, or two mean the same."""
    found = [known for name in names if (known := subject(scene, name, notes)) is not None]
    boxless = [known.category for known in found if not known.instances]
    notes += [f"the scene has no box of {category!r}" for category in boxless]
    named = [known.category for known in found]
    twice = [category for category in dict.fromkeys(named) if named.count(category) > 1]
    notes += [f"{category!r} is named twice" for category in twice]
    return None if len(found) < len(names) or boxless or twice else found


def of_each_choice(
    single: Sequence[Subject],
    notes: Sequence[str],
    recompute: Callable[[tuple[SceneObject, ...]], Recomputed],
) -> Recomputed:
    """The answer where each subject should occur once.

    Where one occurs several times, it is told for each choice of instances: an answer that all
    agree on stands, and whether the row is right cannot be told unless all say the same.
    """
    notes = [
        *notes,
        *(
            f"{s.category!r} occurs {max(s.count, len(s.instances))} times"
            for s in single
            if s.count != 1 or len(s.instances) != 1
        ),
    ]
    if math.prod(len(s.instances) for s in single) > _MOST_CHOICES:
        return untold(*notes, "too many instances to tell which are meant")
    told = [recompute(chosen) for chosen in product(*(s.instances for s in single))]
    if len(told) == 1:
        return replace(told[0], reasons=(*notes, *told[0].reasons))
    answers, verdicts = {one.answer for one in told}, {one.agrees for one in told}
    margins = [one.margin for one in told if one.margin is not None]
    same = len(answers) == 1
    return Recomputed(
        answer=answers.pop() if same else None,
        agrees=verdicts.pop() if len(verdicts) == 1 else None,
        margin=min(margins) if same and margins else None,
        reasons=tuple(notes),
    )


def number_verdict(
    question: Question, value: float, decimals: int, tolerance: float | None = None
) -> Recomputed:
    """Compare the row's number with the true value, before rounding.

    Args:
        tolerance: how far they may be apart, in the question's unit; half the last decimal if None.
    """
    answer, margin = rounded(value, decimals), rounding_margin(value, decimals)
    try:
        off = abs(float(question.answer) - value)
    except ValueError:
        off = math.nan
    if not math.isfinite(off):
        reason = f"the row's answer {question.answer!r:.80} is no number"
        return Recomputed(answer, None, margin, (reason,))
    rounding = 0.5 * 10.0**-decimals + ROUNDING
    allowed = rounding if tolerance is None else tolerance + ROUNDING
    reasons: tuple[str, ...] = ()
    if rounding < off <= allowed:
        reasons = (f"{off:.2f} off the true value, within the tolerance of {tolerance:g}",)
    return Recomputed(answer, off <= allowed, margin, reasons)


def word_verdict(
    question: Question, answer: str, margin: float, reasons: Sequence[str]
) -> Recomputed:
    """Compare the row's word, or the text of its option, with the true one."""
    wanted, notes = plain(answer), list(reasons)
    if question.options is not None:
        fitting = [option for option in question.options if plain(option) == wanted]
        if fitting:
            answer = fitting[0]
        else:
            notes.append(f"no option says {answer!r}")
    return Recomputed(answer, plain(question.answer) == wanted, margin, tuple(notes))


def overlaps(things: Sequence[SceneObject]) -> list[str]:
    """Which of the objects share volume, in words."""
    return [
        f"the boxes of {a.category!r} and {b.category!r} overlap"
        for a, b in combinations(things, 2)
        if overlap(a.box, b.box)
    ]
