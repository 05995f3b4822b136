"""Strict reading of the files in a run folder; every error names file and line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError

from harness.errors import HarnessError

T = TypeVar("T")
MAX_PROBLEMS = 10


def read_json(path: Path, adapter: TypeAdapter[T]) -> T | None:
    """One JSON file, or None if it does not exist.

    Raises:
        HarnessError: the file is no JSON of the expected shape.
    """
    if not path.is_file():
        return None
    try:
        return _validate(adapter, path.read_bytes())
    except ValueError as error:
        raise HarnessError(f"{path}: {_reason(error)}; expected what the stage writes") from None


def read_lines(
    path: Path, adapter: TypeAdapter[T], *, finished: bool
) -> tuple[tuple[T, ...], bool]:
    """The rows of a JSONL file, and whether a half-written last line was left out.

    A last line without its line end is a write in progress, so it is let go as long as the stage
    has not `finished`. Blank lines are skipped; a missing file has no rows.

    Raises:
        HarnessError: lines are corrupt (all of them in one message, up to `MAX_PROBLEMS`).
    """
    if not path.is_file():
        return (), False
    content = path.read_bytes()
    lines = content.split(b"\n")
    rows: list[T] = []
    problems: list[str] = []
    half = False
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            rows.append(_validate(adapter, line))
        except ValueError as error:
            if number == len(lines) and not finished:
                half = True
            else:
                problems.append(f"{path}:{number}: {_reason(error)}")
    if problems:
        shown = problems[:MAX_PROBLEMS]
        more = (
            [f"and {len(problems) - len(shown)} more lines"] if len(problems) > len(shown) else []
        )
        raise HarnessError(
            "\n".join((*shown, *more, "Mend or remove these lines, or run the stage again."))
        )
    return tuple(rows), half


def read_yaml(path: Path) -> tuple[dict[str, Any], str] | None:
    """A YAML mapping and its text, or None if the file does not exist.

    Raises:
        HarnessError: the file is no YAML, or no mapping.
    """
    if not path.is_file():
        return None
    try:
        text = path.read_bytes().decode()
        document = yaml.safe_load(text)
    except UnicodeDecodeError as error:
        raise HarnessError(f"{path}: not UTF-8 ({error.reason} at byte {error.start})") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise HarnessError(f"{path}:{line}: not YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        raise HarnessError(f"{path}: not YAML: {error}") from None
    if not isinstance(document, dict):
        raise HarnessError(f"{path}: expected a mapping, found {type(document).__name__}")
    return document, text


def _validate(adapter: TypeAdapter[T], data: bytes) -> T:
    if b"\\ud" in data.lower():
        # Half a surrogate pair is legal in JSON as Python writes it, but in no UTF-8 string.
        text = json.dumps(json.loads(data), ensure_ascii=False)
        data = text.encode("utf-8", "replace")
    return adapter.validate_json(data)


def _reason(error: ValueError) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    problems = error.errors(include_url=False, include_context=False)
    return "; ".join(
        ": ".join(part for part in (".".join(str(place) for place in p["loc"]), p["msg"]) if part)
        for p in problems[:MAX_PROBLEMS]
    )
