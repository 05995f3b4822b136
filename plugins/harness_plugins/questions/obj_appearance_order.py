"""In which order four categories come into view."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise, permutations

import numpy as np
from numpy.typing import NDArray

from harness.component import Recomputed
from harness.question import Question, Style
from harness.scene import Scene, Visibility
from harness_plugins.questions.recomputing import subjects, untold, word_verdict
from harness_plugins.questions.settings import ObjAppearanceOrderSettings
from harness_plugins.questions.subjects import spoken

_TEXT = "What will be the first-time appearance order of the following categories in the video: {}?"
_LISTED = re.compile(r"following categories in the video:(?P<names>[^?]{1,1000})\?")
_CATEGORIES = 4
_OPTIONS = 4


def build(settings: ObjAppearanceOrderSettings) -> ObjAppearanceOrder:
    """The generator."""
    return ObjAppearanceOrder(settings)


@dataclass(frozen=True)
class ObjAppearanceOrder:
    """A category appears when the pixels of all its instances together pass a threshold.

    The VSI-Bench paper takes the time at which a category's visible pixels first cross a
    threshold, and leaves out categories that appear close together (arXiv 2412.14171, section 3.2).
    It does not publish the threshold.
    """

    settings: ObjAppearanceOrderSettings
    version: int = 1
    needs = ("visibility",)
    question_types = ("obj_appearance_order",)

    def questions(self, scene: Scene, style: Style, rng: np.random.Generator) -> Iterator[Question]:
        """`sets` sets of four categories, each as likely as any other that may be asked about."""
        if scene.visibility is None:
            return
        seconds = first_seconds(scene, scene.visibility, self.settings.min_share)
        # What a list could not tell apart is not asked about.
        called = Counter(map(spoken, scene.counts))
        clear = {
            category: second
            for category, second in seconds.items()
            if called[spoken(category)] == 1 and "," not in category
        }
        for order in _drawn(clear, self.settings, rng):
            yield self._question(scene, style, rng, order, seconds)

    def recompute(self, scene: Scene, question: Question) -> Recomputed:
        """Order the categories that the text lists, by the scene's visibility."""
        listed = _LISTED.search(question.text)
        if listed is None:
            return untold("the text lists no categories after 'in the video:'")
        if scene.visibility is None:
            return untold(f"nobody measured what the frames of scene {scene.id} show")
        notes: list[str] = []
        named = [name.strip() for name in listed["names"].split(",")]
        meant = subjects(scene, named, notes)
        if meant is None or len(meant) < 2:
            return untold(*notes or ["the text lists fewer than two categories"])
        seconds = first_seconds(scene, scene.visibility, self.settings.min_share)
        unseen = [
            f"when the {name} appears is not known, or never"
            for name, what in zip(named, meant, strict=True)
            if what.category not in seconds
        ]
        if unseen:
            return untold(*notes, *unseen)
        shown = sorted(
            (seconds[what.category], name) for name, what in zip(named, meant, strict=True)
        )
        margin = _smallest_gap([second for second, _ in shown])
        if margin == 0:
            return untold(*notes, "two of the categories appear in the same frame")
        if margin <= self.settings.min_gap:
            notes.append(f"two of the categories appear {margin:.2f} s apart")
        return word_verdict(question, ", ".join(name for _, name in shown), margin, notes)

    def _question(
        self,
        scene: Scene,
        style: Style,
        rng: np.random.Generator,
        order: tuple[str, ...],
        seconds: Mapping[str, float],
    ) -> Question:
        names = [spoken(category) for category in order]
        # Listed without regard to the options, so that the list tells nothing about them. (In
        # the released rows the list is always one of the wrong options.)
        listed = [names[i] for i in rng.permutation(_CATEGORIES)]
        # The first permutation is the order itself.
        wrong = [", ".join(other) for other in permutations(names)][1:]
        drawn = [wrong[i] for i in rng.permutation(len(wrong))[: _OPTIONS - 1]]
        answer = ", ".join(names)
        return Question(
            id="",
            scene=scene.id,
            dataset=scene.dataset,
            question_type="obj_appearance_order",
            text=_TEXT.format(", ".join(listed)),
            answer=answer,
            options=(answer, *drawn) if style == "vsi_bench" else None,
            style=style,
            objects=tuple(thing.id for category in order for thing in scene.of(category)),
            generator="obj_appearance_order",
            version=self.version,
            margin=_smallest_gap([seconds[category] for category in order]),
        )


def first_seconds(scene: Scene, visibility: Visibility, min_share: float) -> dict[str, float]:
    """Category -> seconds at which its instances together first fill `min_share` of a picture.

    Left out are categories that never do, and those with an instance that has no box or was not
    measured: it may have come first.
    """
    times = np.array([frame.time for frame in scene.frames])
    areas = np.array([frame.intrinsics.width * frame.intrinsics.height for frame in scene.frames])
    found: dict[str, float] = {}
    for category, count in scene.counts.items():
        things = scene.of(category)
        if len(things) < count or any(thing.id not in visibility.column for thing in things):
            continue
        columns = [visibility.column[thing.id] for thing in things]
        shown = visibility.pixels[:, columns].sum(axis=1, dtype=np.int64) >= min_share * areas
        if shown.any():
            found[category] = float(times[shown].min())
    return found


def _drawn(
    seconds: Mapping[str, float], rules: ObjAppearanceOrderSettings, rng: np.random.Generator
) -> Iterator[tuple[str, ...]]:
    """Sets of four categories in the order of appearance, further apart than the gap.

    With n categories there are up to n choose 4 sets; they are counted, and drawn by their number.
    """
    order = sorted(seconds, key=seconds.__getitem__)
    times = np.array([seconds[category] for category in order])
    later = times[None, :] - times[:, None] > rules.min_gap
    # chains[k][i]: in how many ways k + 1 categories can follow each other from the i-th on.
    chains = [np.ones(len(order), dtype=np.int64)]
    for _ in range(_CATEGORIES - 1):
        chains.append(later @ chains[-1])
    total = int(chains[-1].sum())
    wanted = total if rules.sets is None else min(rules.sets, total)
    for number in rng.choice(total, wanted, replace=False) if total else ():
        yield tuple(order[i] for i in _chain(int(number), chains, later))


def _chain(number: int, chains: list[NDArray[np.int64]], later: NDArray[np.bool_]) -> Iterator[int]:
    """The places of the categories in set `number`, counted in alphabetical order of places."""
    allowed = np.ones(len(chains[0]), dtype=bool)
    for ways in reversed(chains):
        up_to = np.cumsum(np.where(allowed, ways, 0))
        place = int(np.searchsorted(up_to, number, side="right"))
        number -= int(up_to[place - 1]) if place else 0
        allowed = later[place]
        yield place


def _smallest_gap(ascending: list[float]) -> float:
    return min(after - before for before, after in pairwise(ascending))
