"""A row becomes a question, or a sentence about everything that is wrong with it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from harness.errors import HarnessError
from harness.question import Question, from_row
from harness.question_files.json_rows import parsed

# What Parquet's columns hold; whoever reads a set must be able to write it in any form.
_INT32, _INT64 = 2**31, 2**63


def checked(row: Mapping[str, Any]) -> Question:
    """The question of a row, with an id made from its content where it has none.

    Raises:
        HarnessError: what is wrong, without the place.
    """
    # An absent value in one row of a table is a null there.
    given = {name: value for name, value in row.items() if value is not None}
    if isinstance(given.get("settings"), str):  # as Parquet has it
        settings = parsed(given["settings"])
        if isinstance(settings, HarnessError):
            raise HarnessError(f"settings: {settings}")
        given["settings"] = settings
    try:
        _refuse(list(_problems(given)))
        question = from_row(given)
        return question if question.id else replace(question, id=question.content_id())
    except HarnessError as error:
        raise HarnessError(str(error).removeprefix("row: ")) from None
    except RecursionError:
        raise HarnessError("a value is nested too deeply") from None


def _refuse(problems: list[str]) -> None:
    if problems:
        raise HarnessError("; ".join(problems))


def _problems(row: Mapping[str, Any]) -> Iterator[str]:
    """What `from_row` would let pass or trip over."""
    identity = row.get("id", "")
    if not isinstance(identity, str | int) or isinstance(identity, bool):
        yield f"id must be a string or a whole number, found {identity!r:.80}"
    truth = row.get("ground_truth")
    if isinstance(truth, float) and not math.isfinite(truth):
        yield f"ground_truth must be finite, found {truth!r}"
    margin = row.get("margin")
    if _is_number(margin) and not _is_finite(margin):
        yield f"margin must be finite, found {margin!r:.80}"
    for name in ("version", "seed"):
        value = row.get(name)
        if isinstance(value, int) and not -_INT64 <= value < _INT64:
            yield f"{name} must fit in 64 bits, found {value!r:.80}"
    objects = row.get("objects", ())
    if isinstance(objects, list) and not all(isinstance(one, str) for one in objects):
        yield f"objects must be strings, found {objects!r:.80}"
    frames = row.get("frames", ())
    if isinstance(frames, list) and not all(map(_is_places, frames)):
        yield f"frames must be lists of whole numbers from 0 on, found {frames!r:.80}"
    if isinstance(row.get("settings"), dict):
        yield from _settings_problems(row["settings"])
    yield from (
        f"{name} holds half a surrogate pair, which is no text"
        for name in _TEXTS
        if not _is_text(row.get(name))
    )


_TEXTS = (
    "id", "dataset", "scene_name", "question_type", "question", "ground_truth", "options",
    "style", "objects", "generator", "leak",
)  # fmt: skip


def _settings_problems(settings: dict[str, Any]) -> Iterator[str]:
    try:
        json.dumps(settings, allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, TypeError, RecursionError):
        yield "settings must be JSON values: text, finite numbers, lists and objects of them"


def _is_text(value: Any) -> bool:
    if isinstance(value, str):
        return value.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in value)
    return not isinstance(value, list) or all(map(_is_text, value))


def _is_places(value: Any) -> bool:
    return isinstance(value, list) and (
        not value
        or ({int}.issuperset(map(type, value)) and min(value) >= 0 and max(value) < _INT32)
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_finite(value: Any) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond any float
        return False
