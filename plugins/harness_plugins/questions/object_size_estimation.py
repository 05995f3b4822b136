"""How long the longest side of an object is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from harness.component import Recomputed
from harness.question import Question, Style
from harness.scene import Scene, SceneObject
from harness_plugins.questions.recomputing import (
    not_understood,
    number_verdict,
    of_each_choice,
    subjects,
    untold,
)
from harness_plugins.questions.settings import ObjectSizeEstimationSettings
from harness_plugins.questions.subjects import rounded, rounding_margin, spoken
from harness_plugins.questions.wording import measured

_TEXT = {
    "vsi_bench": "What is the length of the longest dimension (length, width, or height) of the {}, "
    "measured in centimeters?",
    # The missing space is the paper's (R1-Zero-VSI, assets/dataset.jpg).
    "vsi_100k": "What is the length of the longest dimension (length,width, or height) of the {}, "
    "measured in centimeters?",
}


def build(settings: ObjectSizeEstimationSettings) -> ObjectSizeEstimation:
    """The generator."""
    return ObjectSizeEstimation(settings)


@dataclass(frozen=True)
class ObjectSizeEstimation:
    """The longest side of the oriented box, in centimetres."""

    settings: ObjectSizeEstimationSettings
    version: int = 1
    question_types: tuple[str, ...] = ("object_size_estimation",)

    def questions(self, scene: Scene, style: Style, rng: np.random.Generator) -> Iterator[Question]:
        """One question for each category that occurs once."""
        for thing in scene.singletons:
            centimetres = _longest(thing)
            yield Question(
                id="",
                scene=scene.id,
                dataset=scene.dataset,
                question_type="object_size_estimation",
                text=_TEXT[style].format(spoken(thing.category)),
                answer=rounded(centimetres, self.settings.decimals),
                style=style,
                objects=(thing.id,),
                generator="object_size_estimation",
                version=self.version,
                margin=rounding_margin(centimetres, self.settings.decimals),
            )

    def recompute(self, scene: Scene, question: Question) -> Recomputed:
        """The longest side; the margin is how far it is from being printed otherwise."""
        name, notes = measured(question.text), list[str]()
        if name is None:
            return not_understood("the longest side of an object, in centimetres")
        found = subjects(scene, [name], notes)
        if found is None:
            return untold(*notes)
        return of_each_choice(
            found,
            notes,
            lambda chosen: number_verdict(question, _longest(chosen[0]), self.settings.decimals),
        )


def _longest(thing: SceneObject) -> float:
    return max(thing.box.size) * 100
