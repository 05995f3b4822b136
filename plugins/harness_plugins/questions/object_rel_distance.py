"""Which of four objects is the closest to another one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

from harness.component import Recomputed
from harness.question import Question, Style
from harness.scene import Scene, SceneObject
from harness_plugins.questions.naming import category_named
from harness_plugins.questions.recomputing import (
    Subject,
    not_understood,
    of_each_choice,
    overlaps,
    ruled_by,
    subjects,
    untold,
    word_verdict,
)
from harness_plugins.questions.settings import ObjectRelDistanceSettings
from harness_plugins.questions.subjects import distances, nearest_of, spoken
from harness_plugins.questions.wording import nearest, plain

_TEXT = {
    "vsi_bench": "Measuring from the closest point of each object, which of these objects ({}) is "
    "the closest to the {}?",
    # The missing space is the paper's (R1-Zero-VSI, assets/dataset.jpg).
    "vsi_100k": "Which of these objects ({})is the closest to the {}?",
}
_OPTIONS = 4
# 27 candidate categories have 17,550 sets of four; in scenes with more, this many are looked at.
_MOST_SETS = 20_000


def build(settings: ObjectRelDistanceSettings) -> ObjectRelDistance:
    """The generator."""
    return ObjectRelDistance(settings)


@dataclass(frozen=True)
class _Option:
    nearest: SceneObject
    metres: float


@dataclass(frozen=True)
class ObjectRelDistance:
    """The target occurs once; an option that occurs several times counts by its nearest instance.

    In the style `vsi_100k` options occur once too, and centres are compared.
    """

    settings: ObjectRelDistanceSettings
    version: int = 1
    question_types: tuple[str, ...] = ("object_rel_distance",)

    def questions(self, scene: Scene, style: Style, rng: np.random.Generator) -> Iterator[Question]:
        """`sets_per_target` questions for each object that occurs once."""
        targets = scene.singletons
        groups = (
            [(thing,) for thing in targets]
            if style == "vsi_100k"
            else [group for category in scene.counts if (group := scene.of(category))]
        )
        if len(groups) <= _OPTIONS:
            return
        objects = tuple(thing for group in groups for thing in group)
        metres = distances(objects, style, self.settings.mode)
        sets_s4 = _sets_of_four(len(groups) - 1, rng)
        position = {thing.id: index for index, thing in enumerate(objects)}
        for target in targets:
            row = metres[position[target.id]]
            others = [
                min(
                    (_Option(thing, float(row[position[thing.id]])) for thing in group), key=_metres
                )
                for group in groups
                if group[0] is not target
            ]
            for options in self._sets(others, sets_s4, scene.room_area, rng):
                yield self._question(scene, style, rng, target, options)

    def _sets(
        self,
        others: list[_Option],
        sets_s4: NDArray[np.intp],
        area: float,
        rng: np.random.Generator,
    ) -> Iterator[list[_Option]]:
        rules, gap = self.settings, self._gap(area)
        nearest_first = sorted(range(len(others)), key=lambda o: others[o].metres)
        metres_s4 = np.array([others[o].metres for o in nearest_first])[sets_s4]
        clear_s = metres_s4[:, 0] >= rules.min_distance
        clear_s &= (metres_s4[:, 1:] - metres_s4[:, :-1] > gap).all(axis=1)
        for index in rng.permutation(np.flatnonzero(clear_s))[: rules.sets_per_target]:
            # In the annotation's order, so that the order shown tells nothing.
            yield [others[o] for o in sorted(nearest_first[i] for i in sets_s4[index])]

    def _question(
        self,
        scene: Scene,
        style: Style,
        rng: np.random.Generator,
        target: SceneObject,
        options: list[_Option],
    ) -> Question:
        by_distance = sorted(options, key=_metres)
        # Without options there is nothing the core could shuffle: the list in the text is all.
        shown = options if style == "vsi_bench" else [options[i] for i in rng.permutation(_OPTIONS)]
        names = tuple(spoken(option.nearest.category) for option in shown)
        return Question(
            id="",
            scene=scene.id,
            dataset=scene.dataset,
            question_type="object_rel_distance",
            text=_TEXT[style].format(", ".join(names), spoken(target.category)),
            answer=spoken(by_distance[0].nearest.category),
            options=names if style == "vsi_bench" else None,
            style=style,
            objects=(target.id, *(option.nearest.id for option in options)),
            generator="object_rel_distance",
            version=self.version,
            margin=by_distance[1].metres - by_distance[0].metres,
        )

    def recompute(self, scene: Scene, question: Question) -> Recomputed:
        """The closest option; the margin is how much farther the second one is, metres."""
        asked, notes = nearest(question.text), list[str]()
        if asked is None:
            return not_understood("which of several objects is the closest to another")
        if len(asked.options) < _OPTIONS:
            notes.append(f"fewer options than {_OPTIONS}: {len(asked.options)}")
        listed = question.options or asked.options
        if {plain(option) for option in listed} != {plain(option) for option in asked.options}:
            notes.append("the text lists other objects than the options")
        found = subjects(scene, [asked.target, *listed], notes)
        if found is None or len(listed) < 2:
            return untold(*notes)
        style = ruled_by(question)
        names = {subject.category: name for subject, name in zip(found[1:], listed, strict=True)}
        chosen = category_named(scene, question.answer)
        if chosen in names:  # the answer may be spelt otherwise than in the list
            question = replace(question, options=None, answer=names[chosen])
        return of_each_choice(
            found[:1],
            notes,
            lambda target: self._verdict(scene, question, style, target[0], found[1:], names),
        )

    def _verdict(
        self,
        scene: Scene,
        question: Question,
        style: Style,
        target: SceneObject,
        subjects: list[Subject],
        names: Mapping[str, str],
    ) -> Recomputed:
        rules, gap = self.settings, self._gap(scene.room_area)
        first, second = sorted(
            (
                _Option(*nearest_of(target, subject.instances, style, rules.mode))
                for subject in subjects
            ),
            key=_metres,
        )[:2]
        margin = second.metres - first.metres
        reasons = overlaps((target, first.nearest)) if style == "vsi_bench" else []
        if style == "vsi_100k":
            several = [s for s in subjects if max(s.count, len(s.instances)) > 1]
            reasons += [f"the option {s.category!r} occurs more than once" for s in several]
        if margin <= gap:
            reasons.append(
                f"{second.nearest.category!r} is {margin:.2f} m farther than the closest, within "
                f"the gap of {gap:g}"
            )
        if first.metres < rules.min_distance:
            reasons.append(
                f"the closest is {first.metres:.3f} m away, less than min_distance "
                f"{rules.min_distance:g}"
            )
        return word_verdict(question, names[first.nearest.category], margin, reasons)

    def _gap(self, area: float) -> float:
        rules = self.settings
        return rules.large_room_gap if area > rules.large_room_area else rules.min_gap


def _metres(option: _Option) -> float:
    return option.metres


def _sets_of_four(others: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """(s, 4) positions of options, each row ascending."""
    if comb(others, _OPTIONS) <= _MOST_SETS:
        return _all_sets(others)
    drawn = rng.random((_MOST_SETS, others)).argpartition(_OPTIONS, axis=1)[:, :_OPTIONS]
    return np.asarray(np.unique(np.sort(drawn, axis=1), axis=0))


@lru_cache(maxsize=32)
def _all_sets(others: int) -> NDArray[np.intp]:
    return np.array(list(combinations(range(others), _OPTIONS)), dtype=np.intp)
