"""How many of a category are in the room."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from harness.component import Recomputed
from harness.question import Question, Style
from harness.scene import Scene
from harness_plugins.questions.recomputing import not_understood, number_verdict, subject, untold
from harness_plugins.questions.settings import ObjectCountingSettings
from harness_plugins.questions.subjects import spoken
from harness_plugins.questions.wording import counted

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
    question_types: tuple[str, ...] = ("object_counting",)

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

    def recompute(self, scene: Scene, question: Question) -> Recomputed:
        """The scene's count; whole numbers have no margin."""
        name, notes = counted(question.text), list[str]()
        if name is None:
            return not_understood("how many of a category there are")
        found = subject(scene, name, notes)
        if found is None:
            return untold(*notes)
        if found.count < self.settings.min_count:
            notes.append(
                f"{found.category!r} occurs {found.count} times, fewer than are asked about"
            )
        told = number_verdict(question, found.count, 0, tolerance=0.0)
        return replace(told, margin=None, reasons=(*notes, *told.reasons))
