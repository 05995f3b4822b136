"""How long the longest side of an object is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from harness.question import Question, Style
from harness.scene import Scene
from harness_plugins.questions.settings import ObjectSizeEstimationSettings
from harness_plugins.questions.subjects import rounded, spoken

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

    def questions(self, scene: Scene, style: Style, rng: np.random.Generator) -> Iterator[Question]:
        """One question for each category that occurs once."""
        for thing in scene.singletons:
            yield Question(
                id="",
                scene=scene.id,
                dataset=scene.dataset,
                question_type="object_size_estimation",
                text=_TEXT[style].format(spoken(thing.category)),
                answer=rounded(max(thing.box.size) * 100, self.settings.decimals),
                style=style,
                objects=(thing.id,),
                generator="object_size_estimation",
                version=self.version,
            )
