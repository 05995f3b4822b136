"""Questions out of files, one at a time, with everything that is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from harness.errors import HarnessError, UsageError
from harness.question import Question
from harness.question_files.checks import checked
from harness.question_files.json_rows import Found, json_lines, json_list
from harness.question_files.parquet_rows import parquet_rows

MOST_PROBLEMS = 20
SUFFIXES = (".jsonl", ".json", ".parquet")

_READERS: dict[str, Callable[[Path], Iterator[tuple[str, Found]]]] = {
    ".jsonl": json_lines,
    ".json": json_list,
    ".parquet": parquet_rows,
}


def read_questions(path: Path, *, repeated_ids: bool = False) -> Iterator[Question]:
    """The questions of a file or folder, in its order; see `numbered_questions`."""
    return (question for _, question in numbered_questions(path, repeated_ids=repeated_ids))


def numbered_questions(path: Path, *, repeated_ids: bool = False) -> Iterator[tuple[int, Question]]:
    """(number, question) of each row of a question set; rows are numbered from 1.

    The rows are the harness's own or VSI-Bench's, whose other columns stay unread. A row without an
    id gets one made from its content. Reading is streaming: nothing but the ids is kept.

    Args:
        path: a `.jsonl` file, a `.json` file with one list, a `.parquet` file, or a folder: its
            `data/*.parquet` (as on the Hub), or else its own `.parquet` or else `.jsonl` files, by
            name.
        repeated_ids: let ids repeat, to describe a set rather than to use it.

    Raises:
        UsageError: there is no such file, or it is of no known form.
        HarnessError: rows are faulty; the first 20 are named with file, line and field. No question
            is given after the first fault. Or the file cannot be read, or has no rows.
    """
    files = question_files(path)
    return _checked_rows(path, files, repeated_ids=repeated_ids)


def question_files(path: Path) -> tuple[Path, ...]:
    """The files behind a path that `read_questions` takes.

    Raises:
        UsageError: there are none.
    """
    if not path.exists():
        raise UsageError(f"{path}: no such file or folder; expected a question set")
    if path.is_dir():
        for folder, suffix in ((path / "data", ".parquet"), (path, ".parquet"), (path, ".jsonl")):
            found = tuple(sorted(file for file in folder.glob(f"*{suffix}") if file.is_file()))
            if found:
                return found
        if next(path.rglob("*.arrow"), None) is not None:
            raise UsageError(
                f"{path}: holds .arrow files, which are no exchange format; write it with "
                "to_parquet or push_to_hub instead of save_to_disk"
            )
        raise UsageError(
            f"{path}: a folder of questions must have data/*.parquet, *.parquet or *.jsonl"
        )
    if path.suffix not in SUFFIXES:
        raise UsageError(
            f"{path}: a file of questions must end in {', '.join(SUFFIXES)}, found {path.suffix!r}"
        )
    return (path,)


def _checked_rows(
    path: Path, files: tuple[Path, ...], *, repeated_ids: bool
) -> Iterator[tuple[int, Question]]:
    seen: dict[str, int] = {}
    problems: list[str] = []
    number = 0
    for number, (where, row) in enumerate(_until_broken(_rows(files), problems), 1):
        try:
            question = checked(_given(row))
            if not repeated_ids:
                _is_new(question, number, seen)
        except HarnessError as error:
            problems.append(f"{where}: {error}")
            if len(problems) >= MOST_PROBLEMS:
                break
        else:
            if not problems:
                yield number, question
    if problems:
        raise HarnessError(_told(path, problems, number))
    if not number:
        raise HarnessError(f"{path}: no rows, expected questions")


def _is_new(question: Question, number: int, seen: dict[str, int]) -> None:
    first = seen.setdefault(question.id, number)
    if first != number:
        raise HarnessError(f"id {question.id!r:.100} repeats that of row {first}")


def _until_broken(
    rows: Iterator[tuple[str, Found]], problems: list[str]
) -> Iterator[tuple[str, Found]]:
    """The rows; a file that ends badly is one more problem if there are others to tell."""
    try:
        yield from rows
    except HarnessError as error:
        if not problems:
            raise
        problems.append(str(error))


def _rows(files: tuple[Path, ...]) -> Iterator[tuple[str, Found]]:
    for file in files:
        yield from _READERS[file.suffix](file)


def _given(row: Found) -> dict[str, Any]:
    if isinstance(row, HarnessError):
        raise row
    return row


def _told(path: Path, problems: list[str], number: int) -> str:
    read = f"the first {number:,}" if len(problems) >= MOST_PROBLEMS else f"{number:,}"
    return f"{path}: {len(problems)} faults in {read} rows:\n  " + "\n  ".join(problems)
