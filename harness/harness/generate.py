"""Scenes ─► questions: one set, the same whatever order or process its scenes came from."""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np

from harness.component import QuestionGenerator, SceneSource
from harness.errors import PluginError, SceneError
from harness.question import Question, Style
from harness.scene import Scene

T = TypeVar("T")

# ScanNet names a space `scene0025` and its scans `scene0025_00`, `scene0025_01`, ...
_SCAN = re.compile(r"(scene\d{4})_\d{2}")
_FAULTS_SHOWN = 20


@dataclass(frozen=True)
class Family:
    """A question generator with what a recipe says about it.

    Args:
        name: the family's name in the recipe; it is written into every question.
        settings: the generator's settings as JSON values, for the record.
        limit: at most this many questions in the set.
        per_scene: at most this many questions for each scene.
    """

    name: str
    generator: QuestionGenerator
    settings: Mapping[str, Any] = field(default_factory=dict)
    limit: int | None = None
    per_scene: int | None = None


def load_scenes(
    source: SceneSource,
    *,
    max_faulty: int = 0,
    ids: Sequence[str] | None = None,
    progress: Callable[[int], object] | None = None,
) -> tuple[list[Scene], list[dict[str, str]]]:
    """The scenes of a source, and the faulty ones that were left out as `{scene, reason}`.

    Args:
        max_faulty: faulty scenes that may be left out.
        ids: only these scenes; all of the source if left out.
        progress: called with the number of scenes done after each.

    Raises:
        SceneError: more than `max_faulty` scenes are faulty (they are named), or the source gives
            an id twice or a scene under another id.
    """
    ids = source.scene_ids() if ids is None else ids
    twice = sorted(scene for scene, times in Counter(ids).items() if times > 1)
    if twice:
        raise SceneError(f"{type(source).__name__} gives these ids twice: {', '.join(twice)}")
    scenes: list[Scene] = []
    skipped: list[dict[str, str]] = []
    for done, scene_id in enumerate(ids, 1):
        try:
            scene = source.load(scene_id)
        except SceneError as error:
            skipped.append({"scene": scene_id, "reason": str(error)})
        else:
            if scene.id != scene_id:
                raise SceneError(
                    f"{type(source).__name__} was asked for scene {scene_id} and gave {scene.id}"
                )
            scenes.append(scene)
        if progress is not None:
            progress(done)
    if len(skipped) > max_faulty:
        shown = "".join(f"\n  {s['scene']}: {s['reason']}" for s in skipped[:_FAULTS_SHOWN])
        more = len(skipped) - _FAULTS_SHOWN
        raise SceneError(
            f"{len(skipped)} of {len(ids)} scenes are faulty, scenes.max_faulty is {max_faulty}: "
            "mend them, leave them out, or raise scenes.max_faulty"
            + shown
            + (f"\n  and {more} more" if more > 0 else "")
        )
    return scenes, skipped


def shared_spaces(train: Iterable[str], evaluate: Iterable[str]) -> list[tuple[str, str]]:
    """Pairs (training scene, evaluation scene) that show the same space, sorted.

    ScanNet's scans of one space count as the same, whatever their suffix.
    """
    by_space: dict[str, list[str]] = defaultdict(list)
    for scene in train:
        by_space[_space(scene)].append(scene)
    return sorted({(seen, scene) for scene in evaluate for seen in by_space.get(_space(scene), ())})


def build_questions(
    scenes: Iterable[Scene],
    families: Mapping[str, Family],
    *,
    style: Style,
    seed: int,
    limit: int | None = None,
) -> list[Question]:
    """Ask every family about every scene and make one set of it.

    Each scene and family has random numbers of its own, so neither the order of the scenes nor the
    presence of others changes a question. The set is sorted by scene. Options are shuffled so that
    right answers are spread evenly over the letters of each question type; where the text lists the
    options in brackets, as in `which of these objects (a, b, c, d)`, the list follows.

    Args:
        limit: at most this many questions, drawn evenly from the families.

    Raises:
        PluginError: a generator gave a question about another scene.
    """
    asked: dict[tuple[str, str, str], list[Question]] = {}
    for scene in scenes:
        for family in families.values():
            key = (scene.dataset, scene.id, family.name)
            asked.setdefault(key, []).extend(_ask(family, scene, style, seed))
    by_family: dict[str, list[Question]] = defaultdict(list)
    for (_, _, name), found in sorted(asked.items(), key=_key):
        by_family[name] += found
    limits = {family.name: family.limit for family in families.values()}
    drawn = [
        question
        for name, found in sorted(by_family.items())
        for question in _sample(_distinct(found), limits[name], _rng(seed, "limit", name))
    ]
    if limit is not None:
        drawn = _evenly(drawn, limit, [_family], _rng(seed, "evenly"))
    drawn.sort(key=_place)
    return list(_finished(_balanced(drawn, seed)))


def draw_evenly_by_type(
    questions: Sequence[Question], limit: int | None, *, seed: int
) -> list[Question]:
    """At most `limit` questions, as many of each question type as there are, in the order given.

    A type that has fewer than its share gives all it has, and the others share the rest. Within a
    type, right letters are drawn evenly too.
    """
    if limit is None:
        return list(questions)
    return _evenly(questions, limit, [_type, _letter], _rng(seed, "evenly by type"))


def _evenly(
    questions: Sequence[Question],
    limit: int,
    group_by: Sequence[Callable[[Question], str]],
    rng: np.random.Generator,
) -> list[Question]:
    if not group_by:
        return _sample(questions, limit, rng)
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


def _ask(family: Family, scene: Scene, style: Style, seed: int) -> list[Question]:
    rng = _rng(seed, "ask", scene.dataset, scene.id, family.name)
    found = list(family.generator.questions(scene, style, rng))
    strange = {question.scene for question in found} - {scene.id}
    if strange:
        raise PluginError(
            f"question generator {family.name!r} was given scene {scene.id} and asked about "
            f"{', '.join(sorted(strange))}"
        )
    settings = dict(family.settings)
    return [
        replace(question, generator=family.name, settings=settings, seed=seed)
        for question in _sample(found, family.per_scene, rng)
    ]


def _distinct(questions: Iterable[Question]) -> Iterator[Question]:
    seen: set[object] = set()
    for q in questions:
        content = (q.dataset, q.scene, q.question_type, q.text, frozenset(q.options or ()))
        if content not in seen:
            seen.add(content)
            yield q


def _balanced(questions: Iterable[Question], seed: int) -> Iterator[Question]:
    """Give each right answer the letter its question type has used least, ties by lot."""
    used: dict[str, Counter[int]] = defaultdict(Counter)
    lots: dict[str, np.random.Generator] = {}
    for question in questions:
        if question.options is None:
            yield question
            continue
        kind = question.question_type
        rng = lots.setdefault(kind, _rng(seed, "letters", kind))
        times = [used[kind][letter] for letter in range(len(question.options))]
        least = [letter for letter, count in enumerate(times) if count == min(times)]
        place = least[int(rng.integers(len(least)))]
        used[kind][place] += 1
        wrong = [option for option in question.options if option != question.answer]
        shown = [wrong[i] for i in rng.permutation(len(wrong))]
        shown.insert(place, question.answer)
        before, after = (f"({', '.join(texts)})" for texts in (question.options, shown))
        yield replace(question, options=tuple(shown), text=question.text.replace(before, after, 1))


def _finished(questions: Iterable[Question]) -> Iterator[Question]:
    seen: set[str] = set()
    for question in questions:
        content = question.content_id()
        if content not in seen:
            seen.add(content)
            yield replace(question, id=content)


def _sample(items: Iterable[T], limit: int | None, rng: np.random.Generator) -> list[T]:
    """At most `limit` of the items, each as likely as any other, in the order given."""
    given = list(items)
    if limit is None or len(given) <= limit:
        return given
    return [given[i] for i in sorted(rng.permutation(len(given))[:limit])]


def _rng(seed: int, *names: str) -> np.random.Generator:
    digest = hashlib.sha256("\x1f".join((str(seed), *names)).encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "little")))


def _family(question: Question) -> str:
    return question.generator


def _type(question: Question) -> str:
    return question.question_type


def _letter(question: Question) -> str:
    return "" if question.options is None else question.gold


def _key(item: tuple[tuple[str, str, str], list[Question]]) -> tuple[str, str, str]:
    return item[0]


def _place(question: Question) -> tuple[str, str, str]:
    return question.dataset, question.scene, question.generator


def _space(scene: str) -> str:
    found = _SCAN.fullmatch(scene)
    return found[1] if found else scene
