"""Somebody's questions ─► which answers the scenes confirm, and why the others cannot be told."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Protocol

from harness.component import Recomputed
from harness.errors import SceneError
from harness.question import CHOICE_TYPES, NUMERIC_TYPES, Question, to_row
from harness.scene import Scene

# Rows held at a time, about 20 MB. A scene is loaded once for each such block that asks about it,
# so once in all for VSI-Bench's 5,130 rows, which jump between scenes.
BLOCK = 20_000


class Recomputes(Protocol):
    """A question family that answers questions of its types."""

    def recompute(self, scene: Scene, question: Question) -> Recomputed:
        """The answer of anybody's question."""
        ...


@dataclass(frozen=True)
class Audited:
    """A row and what the scene says about it.

    Args:
        row: its place among the rows, from 1.
    """

    row: int
    question: Question
    found: Recomputed

    def as_row(self) -> dict[str, Any]:
        """The question's row with `recomputed`, `agrees`, `margin` and `reasons`."""
        return {
            **to_row(self.question),
            "recomputed": self.found.answer,
            "agrees": self.found.agrees,
            "margin": self.found.margin,
            "reasons": list(self.found.reasons),
        }


def audit(
    questions: Iterable[Question],
    scene_of: Callable[[str], Scene | None],
    families: Mapping[str, Recomputes],
) -> Iterator[Audited]:
    """A verdict on each question, in their order; at most `BLOCK` of them are held at a time.

    Args:
        scene_of: the scene of an id, or None if there is none. A `SceneError`, here or from a
            family, is taken as the reason why nothing can be told.
        families: by question type. Other types cannot be told.

    Raises:
        PluginError: a family fails.
    """
    remaining, done = iter(questions), 0
    while block := list(islice(remaining, BLOCK)):
        verdicts: list[Recomputed | None] = [None] * len(block)
        for scene_id, places in _by_scene(block).items():
            told = _about(scene_id, [block[place] for place in places], scene_of, families)
            for place, verdict in zip(places, told, strict=True):
                verdicts[place] = verdict
        for place, (question, found) in enumerate(zip(block, verdicts, strict=True), 1):
            assert found is not None
            yield Audited(done + place, question, found)
        done += len(block)


def _by_scene(questions: Sequence[Question]) -> Mapping[str, list[int]]:
    places: dict[str, list[int]] = defaultdict(list)
    for place, question in enumerate(questions):
        places[question.scene].append(place)
    return places


def _about(
    scene_id: str,
    questions: Sequence[Question],
    scene_of: Callable[[str], Scene | None],
    families: Mapping[str, Recomputes],
) -> Iterator[Recomputed]:
    if not any(question.question_type in families for question in questions):
        yield from (_untold(_no_family(question)) for question in questions)
        return
    scene, reason = None, f"the source has no scene {scene_id!r}"
    try:
        scene = scene_of(scene_id)
    except SceneError as error:
        reason = f"the scene cannot be read: {error}"
    for question in questions:
        family = families.get(question.question_type)
        if family is None:
            yield _untold(_no_family(question))
        elif scene is None:
            yield _untold(reason)
        else:
            yield _recomputed(family, scene, question)


def _recomputed(family: Recomputes, scene: Scene, question: Question) -> Recomputed:
    try:
        found = family.recompute(scene, question)
    except SceneError as error:
        return _untold(f"the scene cannot be used: {error}")
    if question.dataset.casefold() == scene.dataset.casefold():
        return found
    other = f"the row says {question.dataset!r}, the scene is of {scene.dataset!r}"
    return replace(found, reasons=(other, *found.reasons))


def _untold(reason: str) -> Recomputed:
    return Recomputed(None, None, reasons=(reason,))


def _no_family(question: Question) -> str:
    return f"no question family recomputes the type {question.question_type!r}"


@dataclass
class Tally:
    """How many rows were looked at, could be told, and agree, for each question type."""

    rows: Counter[str] = field(default_factory=Counter)
    recomputed: Counter[str] = field(default_factory=Counter)
    agree: Counter[str] = field(default_factory=Counter)

    def add(self, audited: Audited) -> None:
        """Count one row."""
        kind, agrees = audited.question.question_type, audited.found.agrees
        self.rows[kind] += 1
        self.recomputed[kind] += agrees is not None
        self.agree[kind] += agrees is True

    @property
    def types(self) -> list[str]:
        """The types that occurred: VSI-Bench's in the order of its tables, then others."""
        known = (*NUMERIC_TYPES, *CHOICE_TYPES)
        return [
            *(kind for kind in known if kind in self.rows),
            *sorted(self.rows.keys() - set(known)),
        ]

    def as_json(self) -> dict[str, Any]:
        """`{rows, recomputed, agree, by_type: {type: {rows, recomputed, agree}}}`."""
        counted = {"rows": self.rows, "recomputed": self.recomputed, "agree": self.agree}
        return {
            **{name: counter.total() for name, counter in counted.items()},
            "by_type": {
                kind: {name: counter[kind] for name, counter in counted.items()}
                for kind in self.types
            },
        }
