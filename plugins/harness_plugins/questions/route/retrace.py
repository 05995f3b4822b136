"""Follows a told route from object to object, and says how to turn on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from harness.scene import Array, SceneObject
from harness_plugins.questions.route.footprints import Footprints
from harness_plugins.questions.route.free_floor import FreeFloor
from harness_plugins.questions.route.turns import AHEAD, TURNS, headings, relative, turn_codes
from harness_plugins.questions.route.wording import Go, Told, Turn


@dataclass(frozen=True)
class Retraced:
    """What came of it.

    Args:
        turns: places in `TURNS` for the steps to fill in, or None where the route cannot be gone
            as told.
        margin: degrees from the least clear of all turns to another one.
        reasons: what is wrong or doubtful about the route, in words.
    """

    turns: tuple[int, ...] | None
    margin: float
    reasons: tuple[str, ...]


def retrace(
    route: Told, things: Mapping[str, SceneObject], reach: float, floor: FreeFloor | None
) -> Retraced:
    """Go along a route by the rules of `search.Search`.

    Args:
        route: the route.
        things: the object that each of its names means.
        reach: how near the robot gets to an object's footprint, metres.
        floor: where the robot can go, or None if that is not known.
    """
    names = list(things)
    footprints = Footprints.of([thing.box for thing in things.values()])
    number = {name: np.array([place]) for place, name in enumerate(names)}
    centre = {name: footprints.centres[place] for place, name in enumerate(names)}
    place = footprints.approach(centre[route.facing][None], number[route.start], reach)[0]
    ahead = centre[route.facing] - place
    if route.backing:
        ahead = centre[route.start] - centre[route.facing]
    heading = float(headings(ahead))
    turn: Turn | None = None
    turns: list[int] = []
    margins: list[float] = []
    wrong: list[str] = []
    doubts: list[str] = []
    for step in route.steps:
        if isinstance(step, Turn):
            turn = step
            continue
        bearing = float(headings(centre[step.name] - place))
        codes, margin = turn_codes(relative(bearing, heading))
        code = int(codes)
        margins.append(float(margin))
        if turn is not None and turn.code is None:
            turns.append(code)
        problem = _problem(step, turn, code)
        wrong += [problem] if problem else []
        stop = footprints.approach(place[None], number[step.name], reach)[0]
        doubts += _doubts(step, place, stop, floor)
        place, heading, turn = stop, bearing, None
    return Retraced(
        None if wrong else tuple(turns), min(margins), tuple(dict.fromkeys((*wrong, *doubts)))
    )


def _problem(step: Go, turn: Turn | None, code: int) -> str | None:
    lies = "is ahead" if code == AHEAD else f"asks to {TURNS[code].lower()}"
    if turn is None and code != AHEAD:
        return f"the robot goes forward to the {step.name}, which {lies}"
    if turn is not None and turn.code is None and code == AHEAD:
        return f"no turn leads to the {step.name}, which {lies}"
    if turn is not None and turn.code not in (None, code):
        return f"the robot is told to {TURNS[turn.code].lower()} to the {step.name}, which {lies}"
    return None


def _doubts(step: Go, place: Array, stop: Array, floor: FreeFloor | None) -> list[str]:
    if (place == stop).all():
        return [f"the robot is beside the {step.name} before it goes there"]
    if floor is not None and not floor.clear(place[None], stop[None], surely=False)[0]:
        return [f"something stands in the way to the {step.name}"]
    return []
