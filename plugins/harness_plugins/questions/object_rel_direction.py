"""Where an object is, seen from a second one and facing a third."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.component import Recomputed
from harness.errors import UsageError
from harness.geometry import (
    boundary_distances,
    centre_distances,
    closest_distances,
    sectors,
    turn_angles,
)
from harness.question import Question, Style
from harness.scene import Array, Scene, SceneObject
from harness_plugins.questions.recomputing import (
    not_understood,
    of_each_choice,
    overlaps,
    subjects,
    untold,
    word_verdict,
)
from harness_plugins.questions.settings import Level, ObjectRelDirectionSettings
from harness_plugins.questions.subjects import centre, spoken
from harness_plugins.questions.wording import direction

_STAND = "If I am standing by the {} and facing the {}, is the {} "
_TEXT: dict[Level, str] = {
    "easy": _STAND + "to the left or the right of the {}?",
    "medium": _STAND + "to my left, right, or back?\nAn object is to my back if I would have to "
    "turn at least 135 degrees in order to face it.",
    "hard": _STAND + "to my front-left, front-right, back-left, or back-right?\nThe directions "
    "refer to the quadrants of a Cartesian plane (if I am standing at the origin and facing along "
    "the positive y-axis).",
}
# The missing comma is the paper's (R1-Zero-VSI, assets/dataset.jpg).
_TEXT_100K = (
    "If I am standing by the {} and facing the {} is the {} to the left or the right of the {}?"
)


class _Sectors(NamedTuple):
    """Degrees counter-clockwise from where one faces, and what lies there."""

    starts: tuple[float, ...]
    names: tuple[str, ...]
    answers: tuple[str, ...]


_SECTORS: dict[Level, _Sectors] = {
    "easy": _Sectors((0, 135, 225), ("left", "back", "right"), ("left", "right")),
    "medium": _Sectors((0, 135, 225), ("left", "back", "right"), ("left", "right", "back")),
    "hard": _Sectors(
        (0, 90, 180, 270),
        ("front-left", "back-left", "back-right", "front-right"),
        ("front-left", "front-right", "back-left", "back-right"),
    ),
}
# Standing, facing, queried: what VSI-Bench asks of three objects in the annotation's order.
_ORDERS = np.array([(0, 1, 2), (0, 2, 1), (1, 0, 2)])


def build(settings: ObjectRelDirectionSettings) -> ObjectRelDirection:
    """The generator."""
    return ObjectRelDirection(settings)


@dataclass(frozen=True)
class _Views:
    """Admissible triples t in three orders each: indices of objects, angles in degrees."""

    objects_t33: NDArray[np.intp]
    angles_t3: Array
    corners_t38: Array


@dataclass(frozen=True)
class ObjectRelDirection:
    """Directions on the floor plane between centres of objects that occur once.

    One stands at the centre of an object, though the text says by it (VSI-Bench's rule).
    """

    settings: ObjectRelDirectionSettings
    version: int = 1
    question_types: tuple[str, ...] = tuple(f"object_rel_direction_{level}" for level in _TEXT)

    def questions(self, scene: Scene, style: Style, rng: np.random.Generator) -> Iterator[Question]:
        """Up to three questions for each of `max_triples` triples, level by level.

        Raises:
            UsageError: the style is `vsi_100k` and `easy` is not among the levels.
        """
        levels = self.settings.levels
        if style == "vsi_100k":
            if "easy" not in levels:
                raise UsageError(
                    f"object_rel_direction: the style vsi_100k asks left or right only, and levels "
                    f"{list(levels)} leave that out: add easy, or use the style vsi_bench"
                )
            levels = ("easy",)
        objects = scene.singletons
        views = self._views(objects)
        if not len(views.objects_t33):
            return
        for level in levels:
            allowed_t3, sector_t3, margin_t3 = self._judge(views, level)
            drawn = rng.permutation(np.flatnonzero(allowed_t3.any(axis=1)))
            for triple in drawn[: self.settings.max_triples]:
                for order in np.flatnonzero(allowed_t3[triple]):
                    yield self._question(
                        scene,
                        style,
                        level,
                        [objects[i] for i in views.objects_t33[triple, order]],
                        _SECTORS[level].names[sector_t3[triple, order]],
                        float(margin_t3[triple, order]),
                    )

    def _views(self, objects: tuple[SceneObject, ...]) -> _Views:
        rules = self.settings
        triples = _triples(len(objects))
        if not len(triples):
            return _Views(np.empty((0, 3, 3), dtype=np.intp), np.empty((0, 3)), np.empty((0, 3, 8)))
        boxes_nn = closest_distances(tuple(thing.box for thing in objects))
        centres_n3 = np.array([centre(thing) for thing in objects])
        plan_nn = _plan_distances(centres_n3)
        # Two centres at one place of the plan give no direction, whatever the settings.
        clear_nn = (plan_nn > 0) & (plan_nn >= rules.min_plan_distance)
        clear_nn &= (boxes_nn >= rules.min_distance) & (boxes_nn <= rules.max_distance)
        a, b, c = triples.T
        kept = triples[clear_nn[a, b] & clear_nn[a, c] & clear_nn[b, c]]
        return _seen(objects, centres_n3, kept[:, _ORDERS])

    def _judge(
        self, views: _Views, level: Level
    ) -> tuple[NDArray[np.bool_], NDArray[np.intp], Array]:
        """(t, 3) whether a view may be asked about, the sector of the answer, its margin."""
        rules, starts, names = self.settings, _SECTORS[level].starts, _SECTORS[level].names
        sector_t3 = sectors(views.angles_t3, starts)
        margin_t3 = boundary_distances(views.angles_t3, starts)
        checked_t3 = margin_t3
        if level == "hard" and rules.compatible_margin:
            checked_t3 = 90.0 - views.angles_t3 % 90.0
        stray_t3 = (sectors(views.corners_t38, starts) != sector_t3[:, :, None]).sum(axis=2)
        allowed_t3 = (checked_t3 >= rules.margin) & (stray_t3 <= rules.max_stray_corners)
        if level == "easy":
            allowed_t3 &= sector_t3 != names.index("back")
        return allowed_t3, sector_t3, margin_t3

    def _question(
        self,
        scene: Scene,
        style: Style,
        level: Level,
        objects: list[SceneObject],
        answer: str,
        margin: float,
    ) -> Question:
        standing, facing, queried = (spoken(thing.category) for thing in objects)
        text = _TEXT_100K if style == "vsi_100k" else _TEXT[level]
        return Question(
            id="",
            scene=scene.id,
            dataset=scene.dataset,
            question_type=f"object_rel_direction_{level}",
            text=text.format(standing, facing, queried, facing),
            answer=answer,
            options=None if style == "vsi_100k" else _SECTORS[level].answers,
            style=style,
            objects=tuple(thing.id for thing in objects),
            generator="object_rel_direction",
            version=self.version,
            margin=margin,
        )

    def recompute(self, scene: Scene, question: Question) -> Recomputed:
        """Where the object is; the margin is the angle to the next answer's sector, degrees."""
        asked, notes = direction(question.text), list[str]()
        if asked is None:
            return not_understood("a direction from one object, facing another")
        if question.question_type != f"object_rel_direction_{asked.level}":
            notes.append(f"the text asks a question of the level {asked.level}")
        found = subjects(scene, asked[1:], notes)
        if found is None:
            return untold(*notes)
        return of_each_choice(
            found, notes, lambda three: self._verdict(question, asked.level, three)
        )

    def _verdict(
        self, question: Question, level: Level, three: tuple[SceneObject, ...]
    ) -> Recomputed:
        centres_33 = np.array([centre(thing) for thing in three])
        plan_33 = _plan_distances(centres_33)
        if plan_33[0, 1] == 0 or plan_33[0, 2] == 0:
            return untold("one stands where the other object is, on the plan")
        view = _seen(three, centres_33, np.arange(3)[None, None])
        allowed, sector, margin = (float(found[0, 0]) for found in self._judge(view, level))
        answer, angle = _SECTORS[level].names[int(sector)], float(view.angles_t3[0, 0])
        reasons = overlaps(three)
        if level == "easy" and answer == "back":
            reasons.append("it is at the back, where neither left nor right is asked about")
            answer, margin = ("left" if angle < 180 else "right"), abs(angle - 180)
        elif not allowed:
            least, stray = self.settings.margin, self.settings.max_stray_corners
            reasons.append(
                f"{margin:.1f} degrees from the next direction, less than {least:g}"
                if margin < least
                else f"more than {stray} corners of its box lie in other directions"
            )
        return word_verdict(question, answer, margin, [*reasons, *self._far(three, plan_33)])

    def _far(self, three: tuple[SceneObject, ...], plan_33: Array) -> list[str]:
        rules, pairs = self.settings, np.triu_indices(3, 1)
        boxes = closest_distances(tuple(thing.box for thing in three))[pairs]
        reasons = []
        if boxes.min() < rules.min_distance:
            reasons.append(f"two are {boxes.min():.2f} m apart, less than {rules.min_distance:g}")
        if boxes.max() > rules.max_distance:
            reasons.append(f"two are {boxes.max():.2f} m apart, more than {rules.max_distance:g}")
        if (nearest := plan_33[pairs].min()) < rules.min_plan_distance:
            reasons.append(
                f"two centres are {nearest:.2f} m apart on the plan, less than "
                f"{rules.min_plan_distance:g}"
            )
        return reasons


def _plan_distances(centres_n3: Array) -> Array:
    return centre_distances(np.column_stack([centres_n3[:, :2], np.zeros(len(centres_n3))]))


def _seen(
    objects: tuple[SceneObject, ...], centres_n3: Array, objects_t33: NDArray[np.intp]
) -> _Views:
    standing, facing, queried = (objects_t33[:, :, role] for role in range(3))
    corners_n83 = np.array([thing.box.corners for thing in objects])
    return _Views(
        objects_t33,
        turn_angles(centres_n3[standing], centres_n3[facing], centres_n3[queried]),
        turn_angles(
            centres_n3[standing][:, :, None],
            centres_n3[facing][:, :, None],
            corners_n83[queried],
        ),
    )


@lru_cache(maxsize=64)
def _triples(objects: int) -> NDArray[np.intp]:
    """(t, 3) indices, ascending in each row."""
    return np.array(list(combinations(range(objects), 3)), dtype=np.intp).reshape(-1, 3)
