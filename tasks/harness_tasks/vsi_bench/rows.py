"""Reading the benchmark's files: rows of questions and lists of ids."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness import HarnessError, Question, UsageError
from harness.question import from_row

# A message that names a hundred rows has made its point.
_MOST_PROBLEMS = 100
SUFFIXES = (".jsonl", ".parquet")


def read_questions(path: Path) -> tuple[Question, ...]:
    """The questions of a file, in its order.

    A row without an id gets one made from its content.

    Raises:
        UsageError: the file is of no known kind.
        HarnessError: it cannot be read, is empty, or has faulty rows or repeated ids, all of which
            are named in one message.
    """
    questions: list[Question] = []
    first_seen: dict[str, str] = {}
    problems: list[str] = []
    for where, row in _rows(path):
        try:
            question = _question(row, where)
        except (HarnessError, LookupError, TypeError, ValueError) as error:
            # from_row checks the columns of the benchmark; others may hold anything.
            text = str(error)
            problems.append(text if text.startswith(where) else f"{where}: {text}")
            continue
        if question.id in first_seen:
            problems.append(
                f"{where}: id {question.id!r} repeats that of {first_seen[question.id]}"
            )
            continue
        first_seen[question.id] = where
        questions.append(question)
    if problems:
        more = len(problems) - _MOST_PROBLEMS
        raise HarnessError(
            f"{path}: {len(problems)} of {len(problems) + len(questions)} rows are faulty:\n  "
            + "\n  ".join(problems[:_MOST_PROBLEMS])
            + (f"\n  and {more} more" if more > 0 else "")
        )
    if not questions:
        raise HarnessError(f"{path}: no rows, expected VSI-Bench's questions")
    return tuple(questions)


def read_ids(path: Path) -> frozenset[str]:
    """The ids of a list: a JSON list of strings or whole numbers, or one id a line.

    Raises:
        HarnessError: the file cannot be read, is empty, or holds something else.
    """
    text = _text(path)
    if path.suffix != ".json":
        ids: list[Any] = [line.strip() for line in text.splitlines() if line.strip()]
    else:
        ids = _json(text, str(path))
        if not isinstance(ids, list) or not all(_is_id(i) for i in ids):
            raise HarnessError(f"{path}: expected a JSON list of ids (strings or whole numbers)")
    if not ids:
        raise HarnessError(f"{path}: no ids, expected at least one")
    return frozenset(str(i) for i in ids)


def _question(row: Any, where: str) -> Question:
    row = _json(row, where) if isinstance(row, str) else row
    if not isinstance(row, Mapping):
        raise HarnessError(f"{where}: a row must be a JSON object, found {type(row).__name__}")
    # An absent value in one row of a table is a null there.
    given = {name: value for name, value in row.items() if value is not None}
    if not _is_id(given.get("id", 0)):
        raise HarnessError(f"{where}: id must be a string or a whole number, found {given['id']!r}")
    question = from_row(given, where)
    return question if question.id else replace(question, id=question.content_id())


def _is_id(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)


def _rows(path: Path) -> Iterator[tuple[str, Any]]:
    """(where, row) of each row; a row of JSON is still text, so that its faults are its own."""
    if path.suffix == ".jsonl":
        yield from _json_lines(path)
    elif path.suffix == ".parquet":
        yield from _parquet_rows(path)
    else:
        raise UsageError(
            f"{path}: a file of questions must end in {' or '.join(SUFFIXES)}, found {path.suffix!r}"
        )


def _json_lines(path: Path) -> Iterator[tuple[str, str]]:
    # Not splitlines: JSON strings may hold the other line breaks it knows.
    for number, line in enumerate(_text(path).split("\n"), start=1):
        if line.strip():
            yield f"line {number}", line


def _parquet_rows(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        rows = pq.read_table(path).to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise HarnessError(f"{path}: cannot be read as parquet: {error}") from error
    yield from ((f"row {number}", row) for number, row in enumerate(rows, start=1))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise HarnessError(f"{path}: cannot be read: {error}") from error


def _json(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise HarnessError(f"{where}: not JSON: {error}") from None
