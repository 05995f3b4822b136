"""Where rows go: files that are whole or absent, the same bytes for the same rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from harness.atomic import replacing

if TYPE_CHECKING:
    import pyarrow as pa

Row = Mapping[str, Any]
Put = Callable[[Row], None]

# Rows held at once; a row group of Parquet is about 1 MB on disk.
ROW_GROUP = 5_000


@contextmanager
def json_lines(path: Path) -> Iterator[Put]:
    """One object a line."""
    with replacing(path) as temporary, _text(temporary) as file:
        yield lambda row: _write(file, _json(row) + "\n")


@contextmanager
def json_list(path: Path) -> Iterator[Put]:
    """One list, an object a line."""
    with replacing(path) as temporary, _text(temporary) as file:
        before = "[\n"

        def put(row: Row) -> None:
            nonlocal before
            _write(file, before + _json(row))
            before = ",\n"

        yield put
        _write(file, "\n]\n" if before.startswith(",") else "[]\n")


@contextmanager
def parquet(path: Path, schema: pa.Schema) -> Iterator[Put]:
    """Row groups of 5,000; no time, host or path goes into the file."""
    with replacing(path) as temporary, parquet_rows(temporary, schema) as put:
        yield put


@contextmanager
def parquet_rows(path: Path, schema: pa.Schema) -> Iterator[Put]:
    """As `parquet`, into a file nobody reads yet."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    held: list[Row] = []
    options = {"version": "2.6", "data_page_version": "1.0", "compression": "zstd"}
    with pq.ParquetWriter(path, schema, **options) as writer:

        def flush() -> None:
            writer.write_table(pa.Table.from_pylist(held, schema), row_group_size=ROW_GROUP)
            held.clear()

        def put(row: Row) -> None:
            held.append(row)
            if len(held) == ROW_GROUP:
                flush()

        yield put
        if held:
            flush()


def _text(path: Path) -> TextIO:
    return path.open("w", encoding="utf-8", newline="\n")


def _json(row: Row) -> str:
    text = json.dumps(row, ensure_ascii=False, allow_nan=False)
    # line breaks to some readers of lines, though not to JSON
    for letter in "\u2028\u2029\x85":
        if letter in text:
            text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text


def _write(file: TextIO, text: str) -> None:
    file.write(text)
