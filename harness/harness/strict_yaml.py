"""YAML without surprises: the subset of YAML 1.2 that recipes are written in.

Maps with text keys, lists, text, numbers, `true`, `false`, `null`; block or flow style; comments.
What YAML 1.1 loaders misread is read as written (`1e-6` is a number; `on`, `no`, `12:30` and
`2024-01-31` are text), and what a reader could take two ways is an error with the way out: `010`,
`0x1F`, `1_000`, `True`, `~`, an empty value, `.nan`, `.inf`. Duplicate keys, tags, anchors, aliases,
merge keys, directives and further documents are errors too. Every value keeps its file and line.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from harness.errors import UsageError

Scalar = str | int | float | bool | None

MAX_BYTES = 128 * 1024
MAX_DEPTH = 32
# A file of something else is told by its first faults.
MOST_TOLD = 40

_WORDS: Mapping[str, Scalar] = {"true": True, "false": False, "null": None}
_EMPTY = "has no value; write null to remove an entry, {} for an empty section, '' for empty text"
_AMBIGUOUS_WORDS = {
    "~": "write null to remove an entry, or put it in quotes if text is meant",
    **dict.fromkeys(("Null", "NULL", "None"), "write null, or put it in quotes if text is meant"),
    **dict.fromkeys(("True", "TRUE"), "write true, or put it in quotes if text is meant"),
    **dict.fromkeys(("False", "FALSE"), "write false, or put it in quotes if text is meant"),
}
_SAFE_INTEGER = 2**63  # beyond it, other JSON readers lose digits
# [0-9], because \d takes digits of all scripts.
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_EXPONENT = r"(?:[eE][-+]?[0-9]+)?"
_FLOAT = re.compile(rf"[-+]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+){_EXPONENT}")
_LEADING_ZERO = re.compile(rf"[-+]?0[0-9]+(?:\.[0-9]*)?{_EXPONENT}")
_OTHER_BASE = re.compile(r"[-+]?0[xXoObB][0-9a-fA-F_]+")
_UNDERSCORES = re.compile(r"[-+]?[0-9][0-9_]*_[0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9_]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.?(?:inf|infinity|nan)", re.IGNORECASE)


@dataclass(frozen=True)
class Where:
    """Where a value was written.

    Args:
        source: a file's name, or an option of the command line.
        line: counted from 1; 0 where lines mean nothing.
    """

    source: str
    line: int = 0

    @property
    def on_command_line(self) -> bool:
        """Whether an option said so, and no file."""
        return not self.line and self.source.startswith("--")

    def __str__(self) -> str:
        return f"{self.source}:{self.line}" if self.line else self.source


@dataclass(frozen=True)
class Node:
    """A value with its place; an entry of a map has the place of its key.

    `of_another` marks a setting that a lower layer gave to a component that another one has since
    taken the place of.
    """

    value: Scalar | dict[str, Node] | list[Node]
    where: Where
    of_another: bool = False

    def plain(self) -> Any:
        """The value without places."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value


def read(path: Path, source: str = "") -> Node:
    """Read a file whose top level is a map; `source` is what errors call it.

    Raises:
        UsageError: unreadable, too large, no UTF-8, or outside the subset (all places at once).
    """
    source = source or str(path)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{source}: cannot be read: {error.strerror or error}") from error
    return parse(data, source)


def parse(data: bytes, source: str) -> Node:
    """As `read`, from bytes."""
    if len(data) > MAX_BYTES:
        raise UsageError(f"{source}: larger than {MAX_BYTES // 1024} KiB, which no recipe needs")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(
            f"{source}:{line}: byte 0x{data[error.start]:02x} is no UTF-8; save the file as UTF-8"
        ) from error
    return _Reading(text, source, numbered=True).document()


def parse_value(text: str, source: str) -> Node:
    """One value of the command line: a scalar, or a list or map in flow style (`[1, 2]`, `{a: 1}`).

    Raises:
        UsageError: outside the subset, or more than one value.
    """
    if len(text) > MAX_BYTES:
        raise UsageError(f"{source}: larger than {MAX_BYTES // 1024} KiB")
    return _Reading(text, source, numbered=False).single_value()


def scalar(text: str) -> Scalar:
    """What an unquoted scalar means.

    Raises:
        ValueError: it could be taken two ways, or is not finite; the message says what to write.
    """
    if text in _WORDS:
        return _WORDS[text]
    if not text:
        raise ValueError(_EMPTY)
    if text in _AMBIGUOUS_WORDS:
        raise ValueError(f"{text} is ambiguous: {_AMBIGUOUS_WORDS[text]}")
    if _INTEGER.fullmatch(text):
        return _integer(text)
    if _FLOAT.fullmatch(text):
        number = float(text)
        if math.isfinite(number):
            return number
        raise ValueError(f"{text} is larger than any floating-point number")
    for pattern, why in (
        (_LEADING_ZERO, "is ambiguous (octal to some readers): drop the leading zeros"),
        (_OTHER_BASE, "is ambiguous: write the number in decimal"),
        (_UNDERSCORES, "is ambiguous: write the number without underscores"),
        (_NOT_FINITE, "is no usable number: write a finite one"),
    ):
        if pattern.fullmatch(text):
            raise ValueError(f"{text} {why}, or put it in quotes if text is meant")
    return text


def _integer(text: str) -> int:
    # The length is checked first: Python refuses to convert thousands of digits.
    if len(text) > 20 or not -_SAFE_INTEGER <= int(text) < _SAFE_INTEGER:
        raise ValueError(f"{text[:24]} has more digits than a 64-bit integer holds")
    return int(text)


class _Reading:
    """One pass over the parser's events; problems are collected, syntax errors end it."""

    def __init__(self, text: str, source: str, *, numbered: bool) -> None:
        self.text = text
        self.source = source
        self.numbered = numbered
        self.problems: list[str] = []
        self.end = 0  # where the last value ended

    def document(self) -> Node:
        return self._guarded(self._document)

    def single_value(self) -> Node:
        return self._guarded(self._single_value)

    def _guarded(self, build: Callable[[Iterator[yaml.Event]], Node]) -> Node:
        try:
            root = build(yaml.parse(self.text, Loader=yaml.SafeLoader))
        except yaml.YAMLError as error:
            self.problems.append(self._syntax(error))
        except (ValueError, OverflowError) as error:
            # PyYAML converts escapes such as "\UFFFFFFFF" without checking them.
            self.problems.append(f"{self._where(0)}: is no YAML: {error}")
        if self.problems:
            told, more = self.problems[:MOST_TOLD], len(self.problems) - MOST_TOLD
            raise UsageError("\n".join([*told, *([f"and {more:,} more"] if more > 0 else [])]))
        return root

    def _syntax(self, error: yaml.YAMLError) -> str:
        if isinstance(error, yaml.reader.ReaderError):
            line = self.text.count("\n", 0, error.position) + 1
            return f"{self._where(line)}: character U+{error.character:04X} is not allowed"
        assert isinstance(error, yaml.MarkedYAMLError)
        mark = error.problem_mark or error.context_mark
        problem = error.problem or "is no YAML"
        if r"'\t'" in problem:
            problem = "a tab stands where only spaces may: indent with spaces"
        text = f"{problem} ({error.context})" if error.context else problem
        return f"{self._where(mark.line + 1 if mark else 1)}: {text}"

    def _where(self, line: int) -> Where:
        return Where(self.source, line if self.numbered else 0)

    def _start(self, event: yaml.Event) -> Where:
        return self._where(event.start_mark.line + 1 if event.start_mark else 0)

    def _problem(self, event: yaml.Event, text: str) -> None:
        self.problems.append(f"{self._start(event)}: {text}")

    def _document(self, events: Iterator[yaml.Event]) -> Node:
        next(events)  # start of the stream
        start = next(events)
        if not isinstance(start, yaml.DocumentStartEvent):
            self.problems.append(f"{self.source}: is empty")
            return Node(None, self._where(1))
        if start.version or start.tags:
            self._problem(start, "directives (%YAML, %TAG) are not supported")
        root = self._node(next(events), events, 0)
        next(events)  # end of the document
        further = next(events)
        if not isinstance(further, yaml.StreamEndEvent):
            self._problem(further, "a second document begins; only one is allowed")
        elif not isinstance(root.value, dict):
            self._problem(start, "expected a map of keys and values at the top level")
        return root

    def _single_value(self, events: Iterator[yaml.Event]) -> Node:
        next(events)  # start of the stream
        start = next(events)
        if not isinstance(start, yaml.DocumentStartEvent):
            comment = f"{self.text!r} is a comment; put it in quotes"
            self.problems.append(f"{self.source}: {comment if self.text.strip() else _EMPTY}")
            return Node(None, self._where(0))
        if start.explicit:
            self._problem(start, "expected one value, not a document")
        first = next(events)
        if isinstance(first, yaml.CollectionStartEvent) and not first.flow_style:
            self._problem(first, "put text with ': ' or '- ' in quotes, a map in {}, a list in []")
        root = self._node(first, events, 0)
        rest = self.text[self.end :].strip()
        if rest and not self.problems:
            self._problem(first, f"{rest!r} would be dropped; put the whole value in quotes")
        return root

    def _node(self, event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> Node:
        where = self._start(event)
        if depth > MAX_DEPTH:
            raise UsageError(f"{where}: more than {MAX_DEPTH} levels deep")
        if isinstance(event, yaml.AliasEvent):
            self._problem(event, f"*{event.anchor}: aliases are not supported; use extends")
            return Node("", where)
        assert isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent)
        if event.anchor is not None:
            self._problem(event, f"&{event.anchor}: anchors are not supported; use extends")
        if event.tag is not None:
            self._problem(event, f"{event.tag}: tags are not supported")
        if isinstance(event, yaml.ScalarEvent):
            self.end = _end(event)
            return Node(self._scalar(event), where)
        if isinstance(event, yaml.SequenceStartEvent):
            return Node(list(self._items(events, depth)), where)
        return Node(self._entries(events, depth), where)

    def _scalar(self, event: yaml.ScalarEvent) -> Scalar:
        if any("\ud800" <= character <= "\udfff" for character in event.value):
            self._problem(event, "half a surrogate pair is no character")
            return ""
        if event.style is not None or event.tag is not None:
            return str(event.value)
        try:
            return scalar(event.value)
        except ValueError as error:
            self._problem(event, str(error))
            return ""

    def _items(self, events: Iterator[yaml.Event], depth: int) -> Iterator[Node]:
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            yield self._node(event, events, depth + 1)
        self.end = _end(event)

    def _entries(self, events: Iterator[yaml.Event], depth: int) -> dict[str, Node]:
        entries: dict[str, Node] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            key = self._node(event, events, depth + 1)
            value = self._node(next(events), events, depth + 1).value
            plain = isinstance(event, yaml.ScalarEvent) and event.style is None
            if key.value == "<<" and plain:
                self._problem(event, "<<: merge keys are not supported; use extends")
            elif not isinstance(key.value, str):
                self._problem(event, "a key must be text: put it in quotes")
            elif key.value in entries:
                first = entries[key.value].where
                self._problem(event, f"{key.value}: duplicate key, first at {first}")
            else:
                entries[key.value] = Node(value, key.where)
        self.end = _end(event)
        return entries


def _end(event: yaml.Event) -> int:
    return event.end_mark.index if event.end_mark else 0


def dump(value: Any) -> str:
    """Text that `parse` reads back as the same value (maps, lists, scalars; order kept)."""
    text: str = yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=math.inf
    )
    return text


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True

    def text(self, value: str) -> yaml.ScalarNode:
        # PyYAML knows what *it* would misread without quotes; `scalar` says what we would.
        try:
            quoted = scalar(value) != value or not value.isprintable()
        except ValueError:
            quoted = True
        return self.represent_scalar("tag:yaml.org,2002:str", value, style='"' if quoted else None)


_Dumper.add_representer(str, _Dumper.text)
