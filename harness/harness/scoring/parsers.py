"""Named, versioned ways to read an answer: the same text scores differently under each.

A result names the parser and its version beside the number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from harness.errors import UsageError
from harness.question import Question

Parsed = str | float | None
ParserName = Literal["thinking-in-space"]


@dataclass(frozen=True)
class Parser:
    """A way to read answers.

    Args:
        name: goes into the result, with `version`, which changes whenever a score may.
        parse: (answer, question) -> a finite number for a numeric question, text for the others,
            None if there is nothing to compare. Never raises, whatever the answer.
    """

    name: ParserName
    version: int
    parse: Callable[[str, Question], Parsed]


def find_parser(name: str) -> Parser:
    """The parser of that name.

    Raises:
        UsageError: there is none.
    """
    if name not in PARSERS:
        raise UsageError(f"parser {name!r} is not known; known are {', '.join(PARSERS)}")
    return PARSERS[name]


def _thinking_in_space(answer: str, question: Question) -> Parsed:
    """The official rule: what stands before the first space, without the full stops at its end.

    A number is what Python's `float` takes, so "1_000" and digits of other scripts count, while
    "3m" and "two" do not. NaN and infinity, which `float` takes too, score zero officially (no
    comparison holds) and are nothing here.

    Free words (VSI-100k) have no official rule: the whole answer, stripped of white space and of
    the full stops at its end.
    """
    kind = question.kind
    if kind == "word":
        return answer.strip().rstrip(".").rstrip() or None
    token = answer.partition(" ")[0].rstrip(".").strip()
    if kind == "letter":
        return token or None
    try:
        number = float(token)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


PARSERS: Mapping[str, Parser] = MappingProxyType(
    {"thinking-in-space": Parser("thinking-in-space", 1, _thinking_in_space)}
)
