"""How far two objects are from each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from harness.question import Question, Style
from harness.scene import Scene
from harness_plugins.questions.settings import ObjectAbsDistanceSettings
from harness_plugins.questions.subjects import distances, rounded, spoken

_TEXT = {
    "vsi_bench": "Measuring from the closest point of each object, what is the distance between "
    "the {} and the {} (in meters)?",
    "vsi_100k": "What is the distance between the {} and the {} (in meters)?",
}


def build(settings: ObjectAbsDistanceSettings) -> ObjectAbsDistance:
    """The generator."""
    return ObjectAbsDistance(settings)


@dataclass(frozen=True)
class ObjectAbsDistance:
    """Closest points in the style `vsi_bench`, geometric centres in `vsi_100k`."""

    settings: ObjectAbsDistanceSettings
    version: int = 1

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
            )
