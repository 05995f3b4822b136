"""How to turn on the way from one object to another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from harness.component import Recomputed
from harness.layout.drawing import floor_height
from harness.question import Question, Style
from harness.scene import Scene, SceneObject
from harness_plugins.questions.recomputing import of_each_choice, subjects, untold, word_verdict
from harness_plugins.questions.route.footprints import Footprints
from harness_plugins.questions.route.free_floor import FreeFloor
from harness_plugins.questions.route.retrace import retrace
from harness_plugins.questions.route.search import Route, Search
from harness_plugins.questions.route.turns import TURNS
from harness_plugins.questions.route.wording import UnclearRouteError, read, tellable, told
from harness_plugins.questions.settings import RoutePlanningSettings
from harness_plugins.questions.subjects import spoken

# One blank has the three turns as options, more have four sequences of them (VSI-Bench's rows).
_OPTIONS = 4
# Nobody goes up to what hangs higher than this above the floor, metres.
_HIGHEST_LANDMARK = 2.0


def build(settings: RoutePlanningSettings) -> RoutePlanning:
    """The generator."""
    return RoutePlanning(settings)


@dataclass(frozen=True)
class RoutePlanning:
    """Routes of straight legs between objects that occur once, with the turns left out.

    VSI-Bench's were written by people; these are planned on the floor (`route.search.Search` says
    by which rules).
    """

    settings: RoutePlanningSettings
    version: int = 1
    question_types = ("route_planning",)

    def questions(self, scene: Scene, style: Style, rng: np.random.Generator) -> Iterator[Question]:
        """`routes` routes, none where the floor's outline is not known (see the setting `floor`)."""
        landmarks = self._landmarks(scene)
        floor = FreeFloor.of(scene, self.settings) if len(landmarks) > 2 else None
        if floor is None:
            return
        footprints = Footprints.of([thing.box for thing in landmarks])
        for route in Search(floor, footprints, self.settings).routes(rng):
            yield self._question(scene, style, rng, landmarks, route)

    def recompute(self, scene: Scene, question: Question) -> Recomputed:
        """Follow the route that the text tells, straight from object to object.

        Ways are checked against the floor where its outline is known.
        """
        try:
            route = read(question.text)
        except UnclearRouteError as error:
            return untold(str(error))
        notes: list[str] = []
        named = subjects(scene, route.names, notes)
        if named is None:
            return untold(*notes)
        floor = FreeFloor.of(scene, self.settings)

        def one(things: tuple[SceneObject, ...]) -> Recomputed:
            meant = dict(zip(route.names, things, strict=True))
            found = retrace(route, meant, self.settings.reach, floor)
            if found.turns is None:
                return untold(*found.reasons)
            close = (f"a turn is {found.margin:.0f} degrees from another one",)
            unclear = close if found.margin < self.settings.margin else ()
            return word_verdict(
                question, _sequence(found.turns), found.margin, (*found.reasons, *unclear)
            )

        return of_each_choice(named, notes, one)

    def _landmarks(self, scene: Scene) -> tuple[SceneObject, ...]:
        highest = floor_height(scene) + _HIGHEST_LANDMARK
        called = Counter(map(spoken, scene.counts))
        return tuple(
            thing
            for thing in scene.singletons
            if called[spoken(thing.category)] == 1
            and tellable(spoken(thing.category))
            and max(thing.box.size) >= self.settings.min_landmark
            and thing.box.corners[:, 2].min() < highest
        )

    def _question(
        self,
        scene: Scene,
        style: Style,
        rng: np.random.Generator,
        landmarks: Sequence[SceneObject],
        route: Route,
    ) -> Question:
        visited = [landmarks[place] for place in (route.start, route.facing, *route.stops)]
        start, facing, *stops = (spoken(thing.category) for thing in visited)
        answer = _sequence(route.turns)
        options: tuple[str, ...] = TURNS
        if len(route.turns) > 1:
            sequences = map(", ".join, product(TURNS, repeat=len(route.turns)))
            wrong = [sequence for sequence in sequences if sequence != answer]
            drawn = rng.permutation(len(wrong))[: _OPTIONS - 1]
            options = (answer, *(wrong[place] for place in drawn))
        return Question(
            id="",
            scene=scene.id,
            dataset=scene.dataset,
            question_type="route_planning",
            text=told(start, facing, stops, ahead=route.ahead),
            answer=answer,
            options=options if style == "vsi_bench" else None,
            style=style,
            objects=tuple(thing.id for thing in visited),
            generator="route_planning",
            version=self.version,
            margin=route.margin,
        )


def _sequence(turns: Sequence[int]) -> str:
    return ", ".join(TURNS[turn] for turn in turns)
