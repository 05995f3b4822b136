"""How large the floor of the room is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from harness.component import Recomputed
from harness.question import Question, Style
from harness.scene import Scene
from harness_plugins.questions.recomputing import not_understood, number_verdict
from harness_plugins.questions.settings import RoomSizeEstimationSettings
from harness_plugins.questions.subjects import rounded, rounding_margin
from harness_plugins.questions.wording import asks_room_size

_TEXT = {
    # Space and line break as in the released rows.
    "vsi_bench": "What is the size of this room (in square meters)? \n"
    "If multiple rooms are shown, estimate the size of the combined space.",
    "vsi_100k": "What is the size of this room (in square meters)?",
}


def build(settings: RoomSizeEstimationSettings) -> RoomSizeEstimation:
    """The generator."""
    return RoomSizeEstimation(settings)


@dataclass(frozen=True)
class RoomSizeEstimation:
    """The scene's floor area, in square metres."""

    settings: RoomSizeEstimationSettings
    version: int = 1
    question_types: tuple[str, ...] = ("room_size_estimation",)

    def questions(self, scene: Scene, style: Style, rng: np.random.Generator) -> Iterator[Question]:
        """One question."""
        yield Question(
            id="",
            scene=scene.id,
            dataset=scene.dataset,
            question_type="room_size_estimation",
            text=_TEXT[style],
            answer=rounded(scene.room_area, self.settings.decimals),
            style=style,
            generator="room_size_estimation",
            version=self.version,
            margin=rounding_margin(scene.room_area, self.settings.decimals),
        )

    def recompute(self, scene: Scene, question: Question) -> Recomputed:
        """The floor area; the margin is how far it is from being printed otherwise."""
        if not asks_room_size(question.text):
            return not_understood("the size of the room, in square metres")
        return number_verdict(question, scene.room_area, self.settings.decimals)
