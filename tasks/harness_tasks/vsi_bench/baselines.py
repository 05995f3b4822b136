"""Scores that others published on VSI-Bench, to set a run beside."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal

Subset = Literal["full", "tiny"]


@dataclass(frozen=True)
class PublishedBaseline:
    """One row of a published table.

    Args:
        name: the model or rule, as printed.
        source: paper and table.
        subset: `full`, the 5,130 questions, or `tiny`, 400 of them. Not comparable with each other.
        macro: the printed average in [0, 1], or None where none is printed.
        tasks: scores in [0, 1] by task, in the table's order.
        note: what to know before comparing, or "".
    """

    name: str
    source: str
    subset: Subset
    macro: float | None
    tasks: Mapping[str, float]
    note: str = ""


def published_baselines() -> tuple[PublishedBaseline, ...]:
    """All rows, in the order of their tables; percentages there, shares in [0, 1] here."""
    value = json.loads(files(__package__).joinpath("baselines.json").read_text(encoding="utf-8"))
    return tuple(
        PublishedBaseline(
            name=row["name"],
            source=value["sources"][row["source"]],
            subset=row["subset"],
            macro=None if row["macro"] is None else _share(row["macro"]),
            tasks={
                task: _share(percent)
                for task, percent in zip(value["tasks"], row["percent"], strict=True)
                if percent is not None
            },
            note=row.get("note", ""),
        )
        for row in value["rows"]
    )


def _share(percent: float) -> float:
    return round(percent / 100, 4)
