"""Routes in words, as VSI-Bench tells them, and back.

People wrote the benchmark's routes, in wordings of their own; what is read here are the forms that
were seen, and what is not is said to be unclear.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from harness_plugins.questions.route.turns import TURNS

BLANK = "[please fill in]"
_TEXT = (
    "You are a robot beginning at the {} facing the {}. You want to navigate to the {}. You will "
    f"perform the following actions (Note: for each {BLANK}, choose either 'turn back,' "
    "'turn left,' or 'turn right.'): {} You have reached the final destination."
)

_LONGEST = 4000
# Bounded, so that reading takes no longer than the text is long.
_NAME = r"(?:the |a |an )?([^.,:;()]{1,80}?)"
_FACING = re.compile(rf"beginning at {_NAME},? (?:and )?facing {_NAME}[.,;]")
_BACKING = re.compile(rf"beginning at {_NAME},? (?:and )?with your back to {_NAME}[.,;]")
_STEP = re.compile(r"(?:^|\s)\d{1,2}\.\s")
_GO = re.compile(
    r"(?:go|walk|move) (?:straight |forward |ahead ){0,2}until (?:you (?:reach|are at) )?"
    r"(?:the |a |an )?(.{1,80})"
)
_SIDE = re.compile(r"(.{1,80}?),? is (?:on|to) your (?:left|right)")
_TURN = re.compile(r"turn (left|right|back)")
_TELLABLE = re.compile(r"[^.,:;()]{1,80}")
_END = "you have reached the final destination"


@dataclass(frozen=True)
class Go:
    """Forward, to the object called so."""

    name: str


@dataclass(frozen=True)
class Turn:
    """A turn that is told, by its place in `TURNS`, or left out (None)."""

    code: int | None


@dataclass(frozen=True)
class Told:
    """A route as told.

    Args:
        start: the object the robot begins at.
        facing: the object it faces at first; with `backing` the one it has its back to.
        steps: what it does.
    """

    start: str
    facing: str
    backing: bool
    steps: tuple[Go | Turn, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """All that is named, each once: where it begins, what it faces, and where it goes."""
        goes = (step.name for step in self.steps if isinstance(step, Go))
        return tuple(dict.fromkeys((self.start, self.facing, *goes)))


class UnclearRouteError(ValueError):
    """The text tells no route that is understood; the message says why."""


def tellable(name: str) -> bool:
    """Whether a name can be read back out of a text: it is short, and without punctuation."""
    return _TELLABLE.fullmatch(name) is not None


def told(start: str, facing: str, stops: Sequence[str], *, ahead: bool) -> str:
    """The question's text, with a blank before each stop.

    Args:
        start: what the robot begins at.
        facing: what it faces.
        stops: where it goes, one after the other; the last is where it wants to.
        ahead: whether it first goes forward to what it faces.
    """
    steps = [f"Go forward until the {facing}."] if ahead else []
    for stop in stops:
        steps += [BLANK, f"Go forward until the {stop}."]
    numbered = " ".join(f"{number}. {step}" for number, step in enumerate(steps, 1))
    return _TEXT.format(start, facing, stops[-1], numbered)


def read(text: str) -> Told:
    """The route that a text tells; names come in lower case.

    Raises:
        UnclearRouteError: it tells none that is understood.
    """
    if len(text) > _LONGEST:
        raise UnclearRouteError(f"the text is longer than {_LONGEST} characters")
    folded = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    facing, backing = _FACING.search(folded), _BACKING.search(folded)
    first = facing or backing
    if first is None:
        raise UnclearRouteError("the text does not say what the robot begins at and faces")
    start, faced = (name.strip() for name in first.groups())
    if start == faced:
        raise UnclearRouteError(f"where the robot faces cannot be told from the {start} alone")
    _, _, listed = folded.partition("'):")
    before, *steps = _STEP.split(listed)
    if before.strip() or not steps:
        raise UnclearRouteError("the text has no numbered steps after the note on what to choose")
    read_steps = tuple(_step(number, step) for number, step in enumerate(steps, 1))
    last = read_steps[-1]
    if not any(isinstance(step, Turn) and step.code is None for step in read_steps):
        raise UnclearRouteError("no step is left to fill in")
    if isinstance(last, Turn):
        raise UnclearRouteError("the last step is a turn, which leads nowhere")
    for number, (step, following) in enumerate(pairwise(read_steps), 1):
        if isinstance(step, Turn) and isinstance(following, Turn):
            raise UnclearRouteError(f"steps {number} and {number + 1} are both turns")
    return Told(start, faced, facing is None, read_steps)


def _step(number: int, text: str) -> Go | Turn:
    text = text.replace(_END, "").strip(" .,;")
    if text == BLANK:
        return Turn(None)
    if turn := _TURN.fullmatch(text):
        return Turn([name.casefold() for name in TURNS].index(f"turn {turn[1]}"))
    if gone := _GO.fullmatch(text):
        name = gone[1]
        side = _SIDE.fullmatch(name)
        return Go((side[1] if side else name).strip())
    raise UnclearRouteError(f"step {number} is neither a turn nor a way to an object: {text!r:.80}")
