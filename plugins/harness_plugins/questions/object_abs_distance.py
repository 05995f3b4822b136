"""How far two objects are from each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from harness.component import Recomputed
from harness.question import Question, Style
from harness.scene import Scene, SceneObject
from harness_plugins.questions.recomputing import (
    not_understood,
    number_verdict,
    of_each_choice,
    overlaps,
    ruled_by,
    subjects,
    untold,
)
from harness_plugins.questions.settings import ObjectAbsDistanceSettings
from harness_plugins.questions.subjects import (
    distances,
    nearest_of,
    rounded,
    rounding_margin,
    spoken,
)
from harness_plugins.questions.wording import apart

_TEXT = {
    "vsi_bench": "Measuring from the closest point of each object, what is the distance between "
    "the {} and the {} (in meters)?",
    "vsi_100k": "What is the distance between the {} and the {} (in meters)?",
}
# VSI-Bench's sampling measures up to 0.1 m more than the boxes are apart, and it rounds to 0.1 m.
_TOLERANCE = {"vsi_bench": 0.1, "exact": 0.15}


def build(settings: ObjectAbsDistanceSettings) -> ObjectAbsDistance:
    """The generator."""
    return ObjectAbsDistance(settings)


@dataclass(frozen=True)
class ObjectAbsDistance:
    """Closest points in the style `vsi_bench`, geometric centres in `vsi_100k`."""

    settings: ObjectAbsDistanceSettings
    version: int = 1
    question_types: tuple[str, ...] = ("object_abs_distance",)

    def questions(self, scene: Scene, style: Style, rng: np.random.Generator) -> Iterator[Question]:
        """One question for each pair of categories that occur once.

        The later category of the annotation is named first, as VSI-Bench does. It has at most 7
        in each scene: give the family `per_scene`.
        """
        objects = scene.singletons
        metres = distances(objects, style, self.settings.mode)
        for i, j in combinations(range(len(objects)), 2):
            if metres[i, j] < self.settings.min_distance:
                continue
            earlier, later = objects[i], objects[j]
            yield Question(
                id="",
                scene=scene.id,
                dataset=scene.dataset,
                question_type="object_abs_distance",
                text=_TEXT[style].format(spoken(later.category), spoken(earlier.category)),
                answer=rounded(float(metres[i, j]), self.settings.decimals),
                style=style,
                objects=(later.id, earlier.id),
                generator="object_abs_distance",
                version=self.version,
                margin=rounding_margin(float(metres[i, j]), self.settings.decimals),
            )

    def recompute(self, scene: Scene, question: Question) -> Recomputed:
        """The distance; a row is right within `audit_tolerance`.

        The margin is how far the distance is from being printed otherwise.
        """
        names, notes = apart(question.text), list[str]()
        if names is None:
            return not_understood("the distance between two objects, in metres")
        found = subjects(scene, names, notes)
        if found is None:
            return untold(*notes)
        style = ruled_by(question)
        return of_each_choice(found, notes, lambda pair: self._verdict(question, style, pair))

    def _verdict(
        self, question: Question, style: Style, pair: tuple[SceneObject, ...]
    ) -> Recomputed:
        rules = self.settings
        _, metres = nearest_of(pair[0], pair[1:], style, rules.mode)
        reasons = overlaps(pair) if style == "vsi_bench" else []
        if metres < rules.min_distance:
            reasons.append(f"{metres:.2f} m apart, less than min_distance {rules.min_distance:g}")
        tolerance = rules.audit_tolerance
        if tolerance is None:
            tolerance = _TOLERANCE[rules.mode]
        told = number_verdict(question, metres, rules.decimals, tolerance)
        return replace(told, reasons=(*reasons, *told.reasons))
