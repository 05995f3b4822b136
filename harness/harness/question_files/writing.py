"""Questions into files: streamed, whole or absent, the same bytes for the same questions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Literal, get_args

from harness.errors import HarnessError, UsageError
from harness.question import Question
from harness.question_files import sinks
from harness.question_files.checks import checked
from harness.question_files.columns import (
    BENCHMARK_COLUMNS,
    benchmark_schema,
    in_order,
    own_schema,
    settings_text,
)
from harness.question_files.conversations import check_videos, ms_swift_row, sharegpt_row
from harness.question_files.description import Composition, SetDescription
from harness.question_files.hub_folder import hub_folder, refuse_others
from harness.suggest import suggestion

Form = Literal["jsonl", "parquet", "datasets", "vsi_bench", "sharegpt", "ms_swift"]
FORMS: tuple[Form, ...] = get_args(Form)

_Row = dict[str, Any]
_Encode = Callable[[Question, _Row], _Row]

# Form -> the suffixes its path may have; a folder has none of those that files have.
_SUFFIXES: dict[Form, tuple[str, ...]] = {
    "jsonl": (".jsonl",),
    "parquet": (".parquet",),
    "datasets": (),
    "vsi_bench": (".jsonl", ".parquet"),
    "sharegpt": (".json", ".jsonl"),
    "ms_swift": (".jsonl", ".json"),
}
_INT64 = 2**63


def find_form(path: Path, name: str | None = None) -> Form:
    """The form to write at a path: the one asked for, or the one its suffix says.

    Raises:
        UsageError: there is no such form, or its files end in something else.
    """
    known = next((form for form in FORMS if form == name), None)
    if name is not None and known is None:
        raise UsageError(f"no form {name!r}; {suggestion(name, FORMS, plural='forms')}")
    if known is None:
        by_suffix: dict[str, Form] = {".jsonl": "jsonl", ".parquet": "parquet", "": "datasets"}
        if path.suffix not in by_suffix:
            raise UsageError(
                f"{path}: cannot tell the form from {path.suffix!r}; end it in .jsonl or .parquet, "
                "name a folder, or name the form"
            )
        return by_suffix[path.suffix]
    expected = _SUFFIXES[known]
    if expected and path.suffix not in expected:
        raise UsageError(f"{path}: {known} is written to {' or '.join(expected)} files")
    if not expected and path.suffix in {".json", ".jsonl", ".parquet"}:
        raise UsageError(f"{path}: {known} is written to a folder, not to a {path.suffix} file")
    return known


def check_target(path: Path, form: Form) -> None:
    """Refuse a path that a set of this form cannot take the place of, before any work.

    Raises:
        UsageError: a folder is where a file is to be, or one with other things.
    """
    if form == "datasets":
        refuse_others(path)
    elif path.is_dir():
        raise UsageError(f"{path}: is a folder, expected a file or nothing")


def write_questions(
    questions: Iterable[Question],
    path: Path,
    form: str | None = None,
    about: SetDescription | None = None,
) -> Composition:
    """Write a question set; what was at `path` stays if anything fails.

    At most some thousand questions are held at once. `jsonl`, `parquet` and `datasets` (a folder
    for the Hub with a card) hold all that a question is and are read back by `read_questions`.
    `vsi_bench` has the benchmark's columns alone; its ids are numbers: the questions' own where the
    first has such a one, else the place in the file from 0 on. `sharegpt` (LLaMA-Factory) and
    `ms_swift` are conversations.

    Args:
        form: one of `FORMS`; left out, by the suffix of `path`.
        about: what the card says besides; where conversations find videos and how they ask.

    Returns:
        What was written, counted.

    Raises:
        UsageError: no such form, or `path` is of another. HarnessError: there are no questions, a
            question cannot be written (it is named), or an id repeats.
    """
    told = about or SetDescription()
    check_videos(told.videos)
    chosen = find_form(path, form)
    check_target(path, chosen)
    counted = Composition()
    with _sink(chosen, path, told, counted) as put:
        encode = _encoder(chosen, told)
        for question, row in _sound(questions):
            counted.add(question)
            put(encode(question, row))
        if not counted.questions:
            raise HarnessError(f"{path}: no questions to write")
    return counted


def _sound(questions: Iterable[Question]) -> Iterator[tuple[Question, _Row]]:
    """Questions that can be read back, each id once, with their rows."""
    seen: set[str] = set()
    for question in questions:
        row = in_order(question)
        try:
            identity = checked(row).id
        except HarnessError as error:
            raise HarnessError(
                f"question {question.id or question.text!r:.200} cannot be written: {error}"
            ) from None
        if identity in seen:
            raise HarnessError(f"question {identity!r:.100} comes twice, expected each id once")
        seen.add(identity)
        yield question, row


def _sink(
    form: Form, path: Path, about: SetDescription, counted: Composition
) -> AbstractContextManager[sinks.Put]:
    if form == "datasets":
        return hub_folder(path, about, counted)
    if path.suffix == ".parquet":
        return sinks.parquet(path, benchmark_schema() if form == "vsi_bench" else own_schema())
    return sinks.json_list(path) if path.suffix == ".json" else sinks.json_lines(path)


def _encoder(form: Form, about: SetDescription) -> _Encode:
    if form == "sharegpt":
        return lambda question, _: sharegpt_row(question, about)
    if form == "ms_swift":
        return lambda question, _: ms_swift_row(question, about)
    if form == "vsi_bench":
        return _Benchmark()
    return (lambda _, row: row) if form == "jsonl" else _flat


def _flat(_: Question, row: _Row) -> _Row:
    return {**row, "settings": settings_text(row["settings"])}


class _Benchmark:
    """Rows as VSI-Bench has them."""

    def __init__(self) -> None:
        self._written = 0
        self._own: bool | None = None

    def __call__(self, question: Question, row: _Row) -> _Row:
        if self._own is None:
            self._own = _is_whole(question.id)
        if self._own and not _is_whole(question.id):
            raise HarnessError(
                f"question {question.id!r:.100}: VSI-Bench's ids are whole numbers, as the first "
                "question's is; expected all of them to be, or none"
            )
        number = int(question.id) if self._own else self._written
        self._written += 1
        return {name: row[name] for name in BENCHMARK_COLUMNS} | {"id": number}


def _is_whole(text: str) -> bool:
    """Whether it is a number of 64 bits in its plain form, so that it is read back the same."""
    return (
        text.isascii()
        and text.removeprefix("-").isdigit()
        and len(text) < 20
        and str(int(text)) == text
        and -_INT64 <= int(text) < _INT64
    )
