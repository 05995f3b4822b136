"""The columns of a question set, VSI-Bench's first."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from harness.question import Question, to_row

if TYPE_CHECKING:
    import pyarrow as pa

BENCHMARK_COLUMNS = (
    "id",
    "dataset",
    "scene_name",
    "question_type",
    "question",
    "ground_truth",
    "options",
)
COLUMNS = (
    *BENCHMARK_COLUMNS,
    "answer",
    "style",
    "objects",
    "frames",
    "generator",
    "version",
    "settings",
    "margin",
    "seed",
    "leak",
)


def in_order(question: Question) -> dict[str, Any]:
    """The row of a question, its columns in the order of `COLUMNS`."""
    row = to_row(question)
    return {name: row[name] for name in COLUMNS}


def settings_text(settings: dict[str, Any]) -> str:
    """Settings as one string: a column of Parquet cannot hold values of many shapes.

    Raises:
        ValueError, TypeError: they are no JSON values.
    """
    return json.dumps(settings, sort_keys=True, allow_nan=False, ensure_ascii=False)


def own_schema() -> pa.Schema:
    """The Parquet schema of the harness's rows."""
    import pyarrow as pa

    types = {
        "options": pa.list_(pa.string()),
        "objects": pa.list_(pa.string()),
        "frames": pa.list_(pa.list_(pa.int32())),
        "version": pa.int64(),
        "margin": pa.float64(),
        "seed": pa.int64(),
    }
    return pa.schema([(name, types.get(name, pa.string())) for name in COLUMNS])


def benchmark_schema() -> pa.Schema:
    """The Parquet schema of VSI-Bench's rows, whose ids are numbers."""
    import pyarrow as pa

    types = {"id": pa.int64(), "options": pa.list_(pa.string())}
    return pa.schema([(name, types.get(name, pa.string())) for name in BENCHMARK_COLUMNS])
