"""Finds routes: ways from object to object on the free floor whose turns are clear.

Shapes: n landmarks, s ways, p pairs of a way and its next landmark; k places of a walk.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.scene import Array
from harness_plugins.questions.route.footprints import Footprints, Indices
from harness_plugins.questions.route.free_floor import FreeFloor, Mask
from harness_plugins.questions.route.turns import (
    AHEAD,
    EXACT,
    TURNS,
    headings,
    relative,
    turn_codes,
)
from harness_plugins.questions.settings import RoutePlanningSettings

# Ways looked at for each number of turns: where some routes are drawn, and where all are wanted.
_WAYS, _MOST_WAYS = 48, 4000
# Walks of so many pairs at a time, so that memory is bounded.
_PAIRS_AT_A_TIME = 2048


class Route(NamedTuple):
    """A way the robot is told.

    Args:
        start: the landmark it begins at. facing: the one it faces.
        ahead: whether it first goes forward to the one it faces, without a turn.
        stops: landmarks it goes to after each turn.
        turns: places in `TURNS`, one before each stop.
        margin: degrees from the least clear turn to another one.
    """

    start: int
    facing: int
    ahead: bool
    stops: tuple[int, ...]
    turns: tuple[int, ...]
    margin: float


@dataclass(frozen=True)
class _Ways:
    """Ways so far. The landmarks are the start, the one faced at first, and the stops."""

    landmarks: Indices
    turns: Indices
    ahead: Mask
    margin: Array
    place: Array
    heading: Array

    def __len__(self) -> int:
        return len(self.margin)

    def of(self, which: Indices | Mask) -> _Ways:
        return _Ways(*(values[which] for values in self._columns))

    def and_also(self, others: _Ways) -> _Ways:
        return _Ways(*map(np.concatenate, zip(self._columns, others._columns, strict=True)))

    @property
    def _columns(self) -> tuple[Any, ...]:
        return tuple(self.__dict__.values())

    def routes(self) -> Iterator[Route]:
        for landmarks, turns, ahead, margin in zip(
            self.landmarks.tolist(),
            self.turns.tolist(),
            self.ahead.tolist(),
            self.margin.tolist(),
            strict=True,
        ):
            start, facing, *stops = landmarks
            yield Route(start, facing, ahead, tuple(stops), tuple(turns), margin)


@dataclass(frozen=True)
class Search:
    """Routes between landmarks on a floor.

    The robot begins at the place where one, coming straight from the landmark it faces, first is
    beside the one it begins at: within `reach` of its footprint. Each leg goes straight towards the
    middle of the next landmark, and ends where the robot is first beside it. A turn is clear if the
    next landmark's middle is at least `margin` from where another turn would face it, and if after
    neither of the other turns, taken exactly, the robot would get beside it.
    """

    floor: FreeFloor
    footprints: Footprints
    rules: RoutePlanningSettings

    def routes(self, rng: np.random.Generator) -> list[Route]:
        """As many as the settings want, the numbers of turns in equal parts, in random order."""
        wanted = self.rules.routes
        most = _MOST_WAYS if wanted is None else max(_WAYS, wanted)
        ways = _drawn(self._begin(most, rng), most, rng)
        found: list[list[Route]] = []
        for blanks in range(1, self.rules.max_blanks + 1):
            longer = self._extend(ways)
            if blanks >= self.rules.min_blanks:
                found.append(list(_drawn(longer, len(longer), rng).routes()))
            ways = _drawn(longer, most, rng)
        return _in_turns(found, wanted)

    def _begin(self, most: int, rng: np.random.Generator) -> _Ways:
        """Ways without a turn: one stands at the start, or has gone to the landmark faced."""
        count = len(self.footprints.centres)
        start, facing = np.nonzero(~np.eye(count, dtype=bool))
        drawn = rng.permutation(len(start))[: 4 * most]
        start, facing = start[drawn], facing[drawn]
        centres = self.footprints.centres
        place = self.footprints.approach(centres[facing], start, self.rules.reach)
        beyond = self.footprints.approach(place, facing, self.rules.reach)
        length = np.linalg.norm(beyond - place, axis=1)
        fair = (length >= self.rules.min_leg) & self.floor.at(place)
        start, facing, place, beyond = start[fair], facing[fair], place[fair], beyond[fair]
        heading = headings(beyond - place)
        gone = self.floor.clear(place, beyond)
        standing = _Ways(
            np.stack([start, facing], axis=1),
            np.empty((len(place), 0), dtype=np.intp),
            np.zeros(len(place), dtype=bool),
            np.full(len(place), np.inf),
            place,
            heading,
        )
        gone_ahead = replace(standing, ahead=~standing.ahead, place=beyond).of(gone)
        return standing.and_also(gone_ahead)

    def _extend(self, ways: _Ways) -> _Ways:
        """Every way followed by each turn and leg that is clear."""
        centres = self.footprints.centres
        bearing_sn = headings(centres[None] - ways.place[:, None])
        code_sn, margin_sn = turn_codes(relative(bearing_sn, ways.heading[:, None]))
        fair_sn = (code_sn != AHEAD) & (margin_sn >= self.rules.margin)
        fair_sn[np.arange(len(ways))[:, None], ways.landmarks] = False
        way, to = np.nonzero(fair_sn)
        code, margin = code_sn[way, to], margin_sn[way, to]
        origin = ways.place[way]
        place = self.footprints.approach(origin, to, self.rules.reach)
        clear = np.linalg.norm(place - origin, axis=1) >= self.rules.min_leg
        clear[clear] = self.floor.clear(origin[clear], place[clear])
        clear[clear] = ~self._met_otherwise(
            origin[clear], ways.heading[way[clear]], to[clear], code[clear]
        )
        way, to, code, margin = way[clear], to[clear], code[clear], margin[clear]
        before = ways.of(way)
        return _Ways(
            np.column_stack([before.landmarks, to]),
            np.column_stack([before.turns, code]),
            before.ahead,
            np.minimum(before.margin, margin),
            place[clear],
            bearing_sn[way, to],
        )

    def _met_otherwise(
        self, origins: Array, heading: Array, to: Indices, code: NDArray[np.intp]
    ) -> Mask:
        """(p,) whether a landmark is met after another turn than the right one, taken exactly."""
        met = np.zeros(len(origins), dtype=bool)
        for turn in range(len(TURNS)):
            others = np.flatnonzero(code != turn)
            for at in range(0, len(others), _PAIRS_AT_A_TIME):
                pairs = others[at : at + _PAIRS_AT_A_TIME]
                met[pairs] |= self._meets(origins[pairs], heading[pairs] + EXACT[turn], to[pairs])
        return met

    def _meets(self, origins: Array, degrees: Array, to: Indices) -> Mask:
        places_pk2, gone_pk = self.floor.until_blocked(origins, degrees)
        pair, step = np.nonzero(gone_pk)
        metres = self.footprints.distances(places_pk2[pair, step], to[pair])
        met = np.zeros(len(origins), dtype=bool)
        met[pair[metres <= self.rules.reach + self.floor.cell]] = True
        return met


def _drawn(ways: _Ways, most: int, rng: np.random.Generator) -> _Ways:
    return ways.of(rng.permutation(len(ways))[:most])


def _in_turns(kinds: list[list[Route]], wanted: int | None) -> list[Route]:
    """One of each kind after the other, until so many are taken."""
    longest = max(map(len, kinds), default=0)
    mixed = [kind[place] for place in range(longest) for kind in kinds if place < len(kind)]
    return mixed[:wanted]
