"""One Parquet file of a store: scenes in row groups, and what was left out in its footer."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from harness.atomic import replacing
from harness.errors import SceneError
from harness.store.columns import SCHEMA

# Source scenes a file. An import puts together and forgets so many at a time.
SHARD = 64
# A scene is read with its whole row group: many small scenes compress well together, and one with
# thousands of frames stands alone.
_GROUP_ROWS, _GROUP_BYTES = 16, 1 << 20
# More in one group is no store of ours, and would fill the memory. Bytes are those in the file:
# what repeats takes few of them, so rows and values are counted too.
_MOST_BYTES, _MOST_ROWS, _MOST_VALUES = 4 << 30, 1024, 50_000_000
_KEY = b"harness.store"
# Of pyarrow, and of the footer's numbers: an infinite one overflows.
_UNREADABLE = (
    OSError, pa.ArrowException, ValueError, KeyError, TypeError, OverflowError, RecursionError,
)  # fmt: skip
_REMEDY = (
    "copy the store again, or delete this file and run the same `harness scenes import`, which "
    "makes it anew"
)


@dataclass(frozen=True)
class Left:
    """A scene, or its video, that was left out of a store, and why."""

    scene: str
    reason: str


@dataclass(frozen=True)
class Tally:
    """What a shard holds: numbers, and what was left out."""

    scenes: int = 0
    objects: int = 0
    frames: int = 0
    videos: int = 0
    skipped: tuple[Left, ...] = ()
    no_video: tuple[Left, ...] = ()

    def __add__(self, other: Tally) -> Tally:
        mine, others = vars(self), vars(other)
        return Tally(**{name: mine[name] + others[name] for name in mine})


def shard_name(number: int) -> str:
    """`scenes-00000.parquet`."""
    return f"scenes-{number:05d}.parquet"


def write_shard(path: Path, scenes: Iterable[tuple[pa.Table | None, Left | None]]) -> None:
    """Write a whole file; the same rows give the same bytes with the same build of pyarrow.

    Args:
        scenes: for each a table of `table_of`, or None, and what was left out: the scene, where
            there is no table, or its video. A few are in memory at a time.
    """
    tally = Tally()

    def rows() -> Iterator[pa.Table]:
        nonlocal tally
        for row, left in scenes:
            if left is not None:
                tally += Tally(skipped=(left,)) if row is None else Tally(no_video=(left,))
            if row is not None:
                yield row

    with replacing(path) as temporary:
        writer = pq.ParquetWriter(
            temporary, SCHEMA, compression="zstd", write_page_checksum=True, version="2.6"
        )
        with writer:
            for group in _groups(rows()):
                writer.write_table(group, row_group_size=len(group))
                tally += _tally(group)
            writer.add_key_value_metadata({_KEY: json.dumps(asdict(tally), sort_keys=True)})


def _groups(rows: Iterable[pa.Table]) -> Iterator[pa.Table]:
    held: list[pa.Table] = []
    for row in rows:
        if held and (
            len(held) == _GROUP_ROWS or sum(one.nbytes for one in (*held, row)) > _GROUP_BYTES
        ):
            yield pa.concat_tables(held).combine_chunks()
            held = []
        held.append(row)
    if held:
        yield pa.concat_tables(held).combine_chunks()


def _tally(group: pa.Table) -> Tally:
    return Tally(
        scenes=len(group),
        objects=sum(len(row) for row in group["objects"]),
        frames=sum(len(row) for row in group["frames"]),
        videos=len(group) - group["video"].null_count,
    )


def _left(entries: Iterable[Mapping[str, object]]) -> tuple[Left, ...]:
    return tuple(Left(str(entry["scene"]), str(entry["reason"])) for entry in entries)


@dataclass(frozen=True)
class Shard:
    """A file of a store, opened.

    Raises:
        SceneError: on making it or reading from it: no such file, truncated, damaged, or with
            other columns than a store's.
    """

    path: Path

    def __post_init__(self) -> None:
        found = self._file.schema_arrow
        if not found.equals(SCHEMA):
            differing = sorted(set(found.names) ^ set(SCHEMA.names)) or [
                name for name in SCHEMA.names if _fields(found, name) != [SCHEMA.field(name)]
            ]
            raise SceneError(
                f"{self.path}: has not the columns of a scene store (differing: "
                f"{', '.join(map(repr, differing))[:300]}): it was written by something else, or "
                "by another version; import the scenes again"
            )

    @cached_property
    def _file(self) -> Any:
        with _reading(self.path):
            return pq.ParquetFile(
                self.path,
                page_checksum_verification=True,
                thrift_string_size_limit=1 << 28,
                thrift_container_size_limit=1 << 22,
            )

    @cached_property
    def tally(self) -> Tally:
        """What it holds."""
        with _reading(self.path):
            entry = json.loads(self._file.metadata.metadata[_KEY])
            tally = Tally(
                scenes=int(entry["scenes"]),
                objects=int(entry["objects"]),
                frames=int(entry["frames"]),
                videos=int(entry["videos"]),
                skipped=_left(entry["skipped"]),
                no_video=_left(entry["no_video"]),
            )
        if tally.scenes != self._file.metadata.num_rows:
            raise SceneError(f"{self.path}: its footer contradicts itself: {_REMEDY}")
        return tally

    def columns(self, *names: str) -> Iterator[tuple[int, Mapping[str, list[Any]]]]:
        """(Number of the row group, its values of these columns), nothing else being read."""
        for group in range(self._file.num_row_groups):
            with _reading(self.path):
                yield group, self._group(group, list(names)).to_pydict()

    def rows(self, group: int) -> pa.Table:
        """The rows of a row group."""
        with _reading(self.path):
            return self._group(group, None)

    def _group(self, group: int, columns: list[str] | None) -> pa.Table:
        claimed = self._file.metadata.row_group(group)
        values = [claimed.column(place).num_values for place in range(claimed.num_columns)]
        for what, size, most in (
            ("bytes", claimed.total_byte_size, _MOST_BYTES),
            ("rows", claimed.num_rows, _MOST_ROWS),
            ("values", max(values, default=0), _MOST_VALUES),
        ):
            if not 0 <= size <= most:
                raise SceneError(
                    f"{self.path}: claims {size:,} {what} in one row group, expected at most "
                    f"{most:,}: {_REMEDY}"
                )
        return self._file.read_row_group(group, columns=columns, use_threads=False)


def _fields(schema: pa.Schema, name: str) -> list[pa.Field]:
    """The columns of a name: damage can make it several."""
    return [schema.field(place) for place in schema.get_all_field_indices(name)]


class _reading:  # noqa: N801  (reads as a function)
    """Names the file in what pyarrow reports."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, FileNotFoundError):
            raise SceneError(f"{self.path}: is missing: {_REMEDY}") from error
        if isinstance(error, _UNREADABLE):
            text = " ".join(str(error).split())
            raise SceneError(
                f"{self.path}: not readable as Parquet ({text:.200}): {_REMEDY}"
            ) from error
