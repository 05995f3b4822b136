"""Which of four objects is the closest to another one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

from harness.question import Question, Style
from harness.scene import Scene, SceneObject
from harness_plugins.questions.settings import ObjectRelDistanceSettings
from harness_plugins.questions.subjects import distances, spoken

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
        rules = self.settings
        gap = rules.large_room_gap if area > rules.large_room_area else rules.min_gap
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
