"""Rows of Parquet files, streamed by row batches."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.errors import HarnessError
from harness.question_files.columns import COLUMNS
from harness.question_files.json_rows import Found

# Rows decoded at a time: no slower than thousands, and a value that the file holds once for many
# rows is not written out for many.
_BATCH = 64
_MOST_BYTES = 64_000_000


def parquet_rows(path: Path) -> Iterator[tuple[str, Found]]:
    """(where, row) of each row; columns that questions do not have stay unread.

    Raises:
        HarnessError: the file cannot be read.
    """
    number = 0
    for batch in _batches(path):
        for row in batch:
            number += 1
            yield f"{path}: row {number}", row


def _batches(path: Path) -> Iterator[list[dict[str, Any]]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise HarnessError(f"{path}: columns stand there twice: {', '.join(twice)}")
            known = [name for name in COLUMNS if name in names]
            if not known:
                raise HarnessError(
                    f"{path}: no column of a question; found {', '.join(names)[:200] or 'none'}"
                )
            for batch in file.iter_batches(_BATCH, columns=known):
                if batch.nbytes > _MOST_BYTES:
                    raise HarnessError(
                        f"{path}: {batch.nbytes:,} bytes in {len(batch)} rows, expected questions "
                        "of some kilobytes each"
                    )
                yield batch.to_pylist()
    except (OSError, UnicodeDecodeError, pa.ArrowException) as error:
        raise HarnessError(f"{path}: cannot be read as Parquet: {error}") from None
