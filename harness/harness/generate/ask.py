"""One scene ─► its questions, before anything is drawn from the whole set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from harness.errors import PluginError
from harness.generate.categories import Categories
from harness.generate.family import Family
from harness.generate.randomness import rng_of, sample
from harness.generate.seen import (
    SHOWN,
    SeenRule,
    frames_showing,
    shown_frames,
    with_drawn_frames,
)
from harness.question import Question, Style
from harness.scene import Scene

if TYPE_CHECKING:
    from harness.schema import LayoutVideo


@dataclass(frozen=True)
class AskRules:
    """How scenes are asked about.

    Args:
        style: wording and kind of answer. seed: of everything random.
        categories: what is done to a scene's categories first.
        seen: drop questions about what the model does not see, or None.
        layout: how scenes without footage are drawn, to find out what their videos show where a
            family or `seen` must know; None for scenes that will not be shown as layout videos.
    """

    style: Style = "vsi_bench"
    seed: int = 0
    categories: Categories = field(default_factory=Categories)
    seen: SeenRule | None = None
    layout: LayoutVideo | None = None


@dataclass(frozen=True)
class Block:
    """The questions of one scene.

    Args:
        dataset, scene: of the scene.
        questions: by family; each family's are distinct, within its limit for a scene.
        unseen: questions dropped because the model would not see an object.
        unknown: questions dropped because nobody knows what the frames show.
    """

    dataset: str
    scene: str
    questions: Mapping[str, Sequence[Question]]
    unseen: int = 0
    unknown: int = 0


def ask(scene: Scene, families: Iterable[Family], rules: AskRules) -> Block:
    """Ask every family about a scene.

    Each scene and family has random numbers of its own, so neither the order of the scenes nor the
    presence of others changes a question.

    Raises:
        PluginError: a generator gave a question about another scene.
    """
    families = sorted(families, key=_name)
    if rules.layout is not None and (
        rules.seen is not None
        or scene.visibility is not None  # of other frames than those that will be shown
        or any(family.needs_visibility for family in families)
    ):
        scene = with_drawn_frames(scene, rules.layout, rules.seed)
    scene = rules.categories.applied(scene)
    shown = shown_frames(scene, rules.seen.share if rules.seen else SHOWN)
    seen = rules.seen.seen(scene) if rules.seen else None
    asked: dict[str, list[Question]] = {}
    unseen = 0
    for family in families:
        rng = rng_of(rules.seed, "ask", scene.dataset, scene.id, family.name)
        found = (
            [] if family.needs_visibility and shown is None else _given(family, scene, rules, rng)
        )
        if seen is not None:
            kept = [
                question
                for question in found
                if shown is not None and seen.issuperset(question.objects)
            ]
            unseen += len(found) - len(kept)
            found = kept
        settings = dict(family.settings)
        asked[family.name] = [
            replace(
                question,
                generator=family.name,
                settings=settings,
                seed=rules.seed,
                frames=frames_showing(scene, question.objects, shown),
            )
            for question in distinct(sample(found, family.per_scene, rng))
        ]
    unknown = unseen if shown is None else 0
    return Block(scene.dataset, scene.id, asked, unseen - unknown, unknown)


def distinct(questions: Iterable[Question]) -> Iterator[Question]:
    """The questions without those that ask the same again."""
    seen: set[object] = set()
    for q in questions:
        content = (q.dataset, q.scene, q.question_type, q.text, frozenset(q.options or ()))
        if content not in seen:
            seen.add(content)
            yield q


def _given(
    family: Family, scene: Scene, rules: AskRules, rng: np.random.Generator
) -> list[Question]:
    found = list(family.generator.questions(scene, rules.style, rng))
    strange = {question.scene for question in found} - {scene.id}
    if strange:
        raise PluginError(
            f"question generator {family.name!r} was given scene {scene.id} and asked about "
            f"{', '.join(sorted(strange))}"
        )
    return found


def _name(family: Family) -> str:
    return family.name
