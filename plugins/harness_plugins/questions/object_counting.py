"""How many of a category are in the room."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from harness.question import Question, Style
from harness.scene import Scene
from harness_plugins.questions.settings import ObjectCountingSettings
from harness_plugins.questions.subjects import spoken

_TEXT = {
    "vsi_bench": "How many {}(s) are in this room?",
    # The missing space is the paper's (R1-Zero-VSI, assets/dataset.jpg).
    "vsi_100k": "How many {}(s)in the room?",
}


def build(settings: ObjectCountingSettings) -> ObjectCounting:
    """The generator."""
    return ObjectCounting(settings)


@dataclass(frozen=True)
class ObjectCounting:
    """Counts as the annotation gives them, which is not always the number of boxes."""

    settings: ObjectCountingSettings
    version: int = 1

    def questions(self, scene: Scene, style: Style, rng: np.random.Generator) -> Iterator[Question]:
        """One question for each category with enough instances."""
        for category, count in scene.counts.items():
            if count >= self.settings.min_count:
                yield Question(
                    id="",
                    scene=scene.id,
                    dataset=scene.dataset,
                    question_type="object_counting",
                    text=_TEXT[style].format(spoken(category)),
                    answer=str(count),
                    style=style,
                    objects=tuple(thing.id for thing in scene.of(category)),
                    generator="object_counting",
                    version=self.version,
                )
