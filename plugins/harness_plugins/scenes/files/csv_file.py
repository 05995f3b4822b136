"""CSV tables of a release, row by row: bounded, with named columns, and errors that name the line."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.errors import SceneError
from harness_plugins.scenes.files.problems import short

# Bytes. Aria Digital Twin's `scene_objects.csv` of a long recording, a row for each moving object
# thirty times a second, has some hundred megabytes.
MOST_BYTES = 1024 * 2**20


def csv_rows(
    path: Path, columns: Sequence[str], *, most_bytes: int = MOST_BYTES
) -> Iterator[tuple[str, list[str]]]:
    """Each row of a table as ("path: line N", values of the wanted columns in their order).

    Args:
        path: UTF-8 with a header line; further columns are passed over, and so are empty lines.
        columns: names that the header must have.
        most_bytes: a larger file is refused before it is read.

    Raises:
        SceneError: the file is missing, too large, no text, lacks columns, or a row is cut off.
    """
    if not path.is_file():
        raise SceneError(f"{path}: no such file; download it")
    try:
        size = path.stat().st_size
        if size > most_bytes:
            raise SceneError(
                f"{path}: {size} bytes, expected at most {most_bytes}: this is not the release's "
                "file; download it again"
            )
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from _rows(path, csv.reader(file), columns)
    except OSError as error:
        raise SceneError(f"{path}: cannot be read ({error.strerror})") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise SceneError(f"{path}: not readable as CSV ({error}); download it again") from error


def _rows(
    path: Path, reader: Iterator[list[str]], columns: Sequence[str]
) -> Iterator[tuple[str, list[str]]]:
    header = [name.strip() for name in next(reader, [])]
    if lacking := [name for name in columns if name not in header]:
        raise SceneError(
            f"{path}: no column {', '.join(lacking)}; its columns are {short(', '.join(header))}"
        )
    places = [header.index(name) for name in columns]
    for line, row in enumerate(reader, 2):
        if not row:
            continue
        if len(row) != len(header):
            raise SceneError(
                f"{path}: line {line}: {len(row)} values, expected {len(header)}; the file may be "
                "truncated: download it again"
            )
        yield f"{path}: line {line}", [row[place].strip() for place in places]
