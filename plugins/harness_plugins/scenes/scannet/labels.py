"""From the annotators' labels to categories: label maps are files, and may be one's own.

A map takes labels by the columns of `scannetv2-labels.combined.tsv`: `category` holds the names of
ScanNet200, `nyu40class` those of NYU40 and so of ScanNetV2-20, `raw` is the label itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.errors import SceneError
from harness.suggest import suggestion
from harness_plugins.scenes.files.bounded import read_bytes

TABLE = "scannetv2-labels.combined.tsv"
BUILT_IN = ("vsi_bench", "scannet200", "nyu40", "raw")
# Bytes; the released table has 56 kB.
MOST_TABLE, MOST_MAP = 16_000_000, 1_000_000
_RAW = "raw"


class Rule(BaseModel):
    """Labels to take by one column of the table; `*` takes all that are not empty."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    column: str
    labels: frozenset[str] | Literal["*"]


class LabelMap(BaseModel):
    """Which labels become which categories.

    Rules are tried in order. `exclude` holds names that no rule takes; `rename` goes from a taken
    name to the category; `order` is the order of categories in a scene, others follow.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    about: str
    take: Annotated[tuple[Rule, ...], Field(min_length=1)]
    exclude: frozenset[str] = frozenset()
    rename: Mapping[str, str] = {}
    order: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the table it looks at; none if it needs no table."""
        return tuple(dict.fromkeys(rule.column for rule in self.take if rule.column != _RAW))


@dataclass(frozen=True)
class Labels:
    """A label map with the table it looks into: label -> column -> name."""

    chosen: LabelMap
    table: Mapping[str, Mapping[str, str]]

    def knows(self, label: str) -> bool:
        """Whether the table has the label; True for maps that need none."""
        return not self.chosen.columns or normalised(label) in self.table

    def category(self, label: str) -> str | None:
        """The category of an annotator's label, None if the map takes no such thing."""
        label = normalised(label)
        row = {**self.table.get(label, {}), _RAW: label}
        names = [(row.get(rule.column, ""), rule.labels) for rule in self.chosen.take]
        if not self.chosen.exclude.isdisjoint([name for name, _ in names]):
            return None
        taken = (name for name, wanted in names if name and (wanted == "*" or name in wanted))
        name = next(taken, None)
        return None if name is None else self.chosen.rename.get(name, name)


def normalised(label: str) -> str:
    """A label without its stray blanks and capitals, of which the annotation has some."""
    return " ".join(label.split()).lower()


def read_map(name: str | Path) -> LabelMap:
    """A built-in map by its name, or one's own by its path.

    Raises:
        SceneError: no such map, or the file is no label map; every fault is named.
    """
    if str(name) in BUILT_IN:
        data = files("harness_plugins.scenes.scannet").joinpath(f"{name}.json").read_bytes()
    elif Path(name).is_file():
        data = read_bytes(Path(name), MOST_MAP)
    else:
        raise SceneError(
            f"labels: {str(name)!r} is neither a file nor a label map of ours: "
            f"{suggestion(str(name), BUILT_IN)}"
        )
    try:
        return LabelMap.model_validate_json(data)
    except ValidationError as error:
        faults = (
            f"{name}: {'.'.join(map(str, fault['loc'])) or 'file'}: {fault['msg']}"
            for fault in error.errors()
        )
        raise SceneError("; ".join(faults)) from error


def read_labels(chosen: LabelMap, path: Path) -> Labels:
    """The map with the columns it needs of the table at `path`, which is not read if it needs none.

    Raises:
        SceneError: the table is missing, too large, no text, or lacks a column.
    """
    if not chosen.columns:
        return Labels(chosen, {})
    try:
        text = read_bytes(path, MOST_TABLE).decode("utf-8")
    except UnicodeDecodeError as error:
        raise SceneError(f"{path}: is no UTF-8 text ({error}); download it again") from error
    head, *rows = [line.rstrip("\r").split("\t") for line in text.split("\n")]
    needed = ("raw_category", *chosen.columns)
    if lacking := [column for column in needed if column not in head]:
        raise SceneError(
            f"{path}: no column {', '.join(lacking)}, found {', '.join(head)[:200]!r}; "
            "download it again"
        )
    places = {column: head.index(column) for column in needed}
    table: dict[str, dict[str, str]] = {}
    for number, row in enumerate(rows, 2):
        if row == [""]:
            continue
        if len(row) <= max(places.values()):
            raise SceneError(f"{path}: line {number}: {len(row)} columns, expected {len(head)}")
        names = {column: normalised(row[place]) for column, place in places.items()}
        table.setdefault(names["raw_category"], names)
    return Labels(chosen, table)
