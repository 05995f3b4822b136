"""Questions read back: what a text in VSI-Bench's or VSI-100k's wording asks about.

Case, white space, hyphens and the punctuation between words do not count, nor does anything after
the question mark (VLM-3R adds a sentence there, prompts add their own). Texts are cut at fixed
phrases, so that time grows with their length alone; names come back as `plain` writes them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from harness_plugins.questions.settings import Level

# The longest released question has 330 characters; route plans, which are read elsewhere, 1,000.
_LONGEST = 2_000
_KEPT_SIGNS = re.compile(r"[(),?]")
_OTHER_SIGNS = re.compile(r"[^\w\s(),?/'&+]|_")

_CLOSEST = "measuring from the closest point of each object "
_WORDS_OF: dict[frozenset[str], Level] = {
    frozenset({"left", "right"}): "easy",
    frozenset({"left", "right", "back"}): "medium",
    frozenset({"front", "left", "right", "back"}): "hard",
}


class Nearest(NamedTuple):
    """Which of the options is the closest to the target."""

    options: tuple[str, ...]
    target: str


class Direction(NamedTuple):
    """Where the queried object is, seen from the one stood by, facing another."""

    level: Level
    standing: str
    facing: str
    queried: str


def plain(text: str) -> str:
    """The text in lower case with single spaces; empty if it is too long for any question."""
    if len(text) > _LONGEST:
        return ""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(_KEPT_SIGNS.sub(r" \g<0> ", _OTHER_SIGNS.sub(" ", folded)).split())


def says_closest_points(text: str) -> bool:
    """Whether the text measures from closest points, as all of VSI-Bench's distances do."""
    return "closest point" in plain(text)


def counted(text: str) -> str | None:
    """The category whose instances are counted, or None if the text asks something else."""
    found = _between(
        _first_sentence(text),
        ["how many "],
        [
            f" in {which} {where}"
            for which in ("this", "the")
            for where in ("room", "scene", "video")
        ],
    )
    if found is None:
        return None
    name = found[0]
    for suffix in (" there", " are", " ( s )"):
        name = name.removesuffix(suffix)
    return name


def measured(text: str) -> str | None:
    """The object whose longest side is asked for."""
    opening = "what is the length of the longest dimension "
    found = _between(
        _without_commas(text),
        [f"{opening}( length width or height ) of the ", f"{opening}of the "],
        [
            f" {unit}"
            for spelt in ("centimeters", "centimetres")
            for unit in (f"measured in {spelt}", f"( in {spelt} )", f"in {spelt}")
        ],
    )
    return None if found is None else found[0]


def asks_room_size(text: str) -> bool:
    """Whether the text asks for the floor area in square metres."""
    return (
        re.fullmatch(
            r"what is the size of (this|the) room \( in square met(er|re)s \)",
            _first_sentence(text),
        )
        is not None
    )


def apart(text: str) -> tuple[str, str] | None:
    """The two objects whose distance is asked for, in the order of the text."""
    between = [f"what is the {direct}distance between the " for direct in ("", "direct ")]
    found = _between(
        _without_commas(text).removeprefix(_CLOSEST),
        between,
        [" and the "],
        [" ( in meters )", " ( in metres )", " in meters", " in metres"],
    )
    return None if found is None else (found[0], found[1])


def nearest(text: str) -> Nearest | None:
    """The options listed in the text, and the target."""
    found = _between(
        _first_sentence(text).removeprefix(_CLOSEST).removeprefix(", "),
        ["which of these objects ( "],
        [" ) is the closest to the ", " ) is closest to the "],
        [""],
    )
    if found is None:
        return None
    options = tuple(" ".join(option.split()) for option in found[0].split(","))
    return Nearest(options, found[1]) if all(options) else None


def direction(text: str) -> Direction | None:
    """Who stands where, and between which directions one chooses."""
    sentence = _without_commas(text)
    stand = (["if i am standing by the "], [" and facing the "], [" is the "])
    if found := _between(
        sentence,
        *stand,
        [" to the left or the right of the ", " to the left or right of the "],
        [""],
    ):
        standing, facing, queried, beside = found
        return Direction("easy", standing, facing, queried) if beside == facing else None
    if found := _between(sentence, *stand, [" to my "], [""]):
        standing, facing, queried, choices = found
        level = _WORDS_OF.get(frozenset(choices.split()) - {"or"})
        return None if level is None else Direction(level, standing, facing, queried)
    return None


def _first_sentence(text: str) -> str:
    return plain(text).partition(" ?")[0]


def _without_commas(text: str) -> str:
    return " ".join(_first_sentence(text).replace(",", " ").split())


def _between(text: str, opening: Sequence[str], *following: Sequence[str]) -> list[str] | None:
    """What stands between phrases, each given in all its spellings; the last one ends the text."""
    start = next((phrase for phrase in opening if text.startswith(phrase)), None)
    end = next((phrase for phrase in following[-1] if text.endswith(phrase)), None)
    if start is None or end is None or len(text) < len(start) + len(end):
        return None
    rest = text[len(start) : len(text) - len(end)]
    found = []
    for phrases in following[:-1]:
        place, phrase = min(
            ((at, phrase) for phrase in phrases if (at := rest.find(phrase)) >= 0), default=(0, "")
        )
        if not phrase:
            return None
        found.append(rest[:place])
        rest = rest[place + len(phrase) :]
    found.append(rest)
    return found if all(found) else None
