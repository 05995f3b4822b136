"""Rows of JSON files, streamed: one object a line, or one list of objects."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, TextIO

from harness.errors import HarnessError

# A row is a question and its settings, about 1 kB; a "line" beyond this is another kind of file.
LONGEST_ROW = 16_000_000
_CHUNK = 1_000_000
_BLANK = " \t\r\n"
_LITERAL = len("-Infinity")

Found = dict[str, Any] | HarnessError
"""A row, or what is wrong with it (without the place)."""


def json_lines(path: Path) -> Iterator[tuple[str, Found]]:
    """(where, row) of each line that is not blank.

    Raises:
        HarnessError: the file cannot be read, or a line is longer than any row.
    """
    with _opened(path) as raw:
        for number in itertools.count(1):
            # not a text file's lines: JSON strings may hold the other line breaks that it knows
            line = _line(raw, f"{path}:{number}")
            if not line:
                return
            if number == 1:
                line = line.removeprefix(b"\xef\xbb\xbf")
            if line.strip():
                yield f"{path}:{number}", parsed(line)


def json_list(path: Path) -> Iterator[tuple[str, Found]]:
    """(where, row) of each member of the list that is the file.

    Raises:
        HarnessError: the file cannot be read, or is no list of JSON objects; what follows a member
            that is no JSON cannot be told, so nothing after it is given.
    """
    with _opened(path) as raw, io.TextIOWrapper(raw, "utf-8-sig") as text:
        yield from _List(path, text).members()


def parsed(text: bytes | str) -> Found:
    """One JSON object, strictly: no NaN, no key twice, no half surrogates."""
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
    except UnicodeDecodeError as error:
        return HarnessError(f"not UTF-8: {error}")
    except RecursionError:
        return HarnessError("not JSON that can be read: nested too deeply")
    except ValueError as error:
        return HarnessError(f"not JSON: {error}")
    if not isinstance(value, dict):
        return HarnessError(f"a row must be a JSON object, found {_kind(value)}")
    return value


class _List:
    """Members of a JSON list, taken from a growing window of the text."""

    def __init__(self, path: Path, text: TextIO) -> None:
        self._path, self._text = path, text
        self._window, self._at = "", 0
        self._decoder = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)

    def members(self) -> Iterator[tuple[str, Found]]:
        if self._next() != "[":
            raise HarnessError(f"{self._path}: expected a JSON list of rows; {_FORMS}")
        self._at += 1
        for number in itertools.count(1):
            sign = self._next()
            if sign == "]" and number == 1:
                self._at += 1
                break
            yield f"{self._path}: row {number}", self._member(number)
            sign = self._next()
            self._at += 1
            if sign == "]":
                break
            if sign != ",":
                found = repr(sign) if sign else "the end of the file"
                raise HarnessError(
                    f"{self._path}: row {number} is followed by {found}, expected ',' or ']'"
                )
        if rest := self._next():
            raise HarnessError(f"{self._path}: the list is followed by {rest!r}, expected its end")

    def _member(self, number: int) -> Found:
        while True:
            try:
                value, end = self._decoder.raw_decode(self._window, self._at)
            except RecursionError:
                raise HarnessError(f"{self._path}: row {number}: nested too deeply") from None
            except ValueError as error:
                if not self._cut_off(error) or not self._more(number):
                    raise HarnessError(f"{self._path}: row {number}: not JSON: {error}") from None
                continue
            self._at = end
            if isinstance(value, dict):
                return value
            return HarnessError(f"a row must be a JSON object, found {_kind(value)}")

    def _cut_off(self, error: ValueError) -> bool:
        """Whether a wider window may mend it: a fault elsewhere than at its end is a fault."""
        if not isinstance(error, json.JSONDecodeError):
            return False
        return error.msg.startswith("Unterminated") or error.pos > len(self._window) - _LITERAL

    def _next(self) -> str:
        """The next character that is not blank, or ""."""
        while True:
            while self._at < len(self._window):
                if self._window[self._at] not in _BLANK:
                    return self._window[self._at]
                self._at += 1
            if not self._more(0):
                return ""

    def _more(self, number: int) -> bool:
        """Widen the window by as much again, so that a long row is tried a few times only."""
        rest = len(self._window) - self._at
        if rest > LONGEST_ROW:
            raise HarnessError(
                f"{self._path}: row {number} is longer than {LONGEST_ROW:,} characters"
            )
        try:
            chunk = self._text.read(max(_CHUNK, rest))
        except (OSError, UnicodeDecodeError) as error:
            raise HarnessError(f"{self._path}: cannot be read: {error}") from None
        self._window, self._at = self._window[self._at :] + chunk, 0
        return bool(chunk)


_FORMS = "files of one object a line end in .jsonl"


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise HarnessError(f"{path}: cannot be read: {error.strerror or error}") from None


def _line(raw: BinaryIO, where: str) -> bytes:
    try:
        line = raw.readline(LONGEST_ROW)
    except OSError as error:
        raise HarnessError(f"{where}: cannot be read: {error.strerror or error}") from None
    if len(line) == LONGEST_ROW:
        raise HarnessError(
            f"{where}: longer than {LONGEST_ROW:,} bytes, expected one question a line"
        )
    return line


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r:.80} stands there twice")
    return made


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _kind(value: object) -> str:
    names = {type(None): "null", list: "a list", str: "a string", bool: "true or false"}
    return names.get(type(value), "a number")
