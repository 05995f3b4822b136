"""A table of scores with intervals, and its form on disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

from pydantic import TypeAdapter, ValidationError

from harness.errors import HarnessError


@dataclass(frozen=True)
class Score:
    """A mean over `n` questions, with its 95 % interval.

    `low` and `high` are None where the questions do not allow an interval (see `intervals`).
    """

    value: float
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True)
class ScoreTable:
    """What an evaluation gives.

    Args:
        rows: name -> score in [0, 1]: the tasks in the table's order, then `macro` and `micro`.
        n: questions. scenes: the scenes they are about.
        missing: VSI-Bench question types without a question.
        resamples: bootstrap resamples behind the intervals; seed: their seed.
    """

    rows: Mapping[str, Score]
    n: int
    scenes: int
    missing: tuple[str, ...]
    resamples: int
    seed: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", MappingProxyType(dict(self.rows)))

    @property
    def partial(self) -> bool:
        """Whether a question type is missing, so that `macro` is not VSI-Bench's average."""
        return bool(self.missing)

    @property
    def macro(self) -> Score:
        """The unweighted mean of the tasks."""
        return self.rows["macro"]

    @property
    def micro(self) -> Score:
        """The mean over all questions."""
        return self.rows["micro"]

    def to_json(self) -> dict[str, Any]:
        """A JSON value; rows are a list, whose order survives writers that sort keys."""
        return {
            "rows": [{"name": name, **asdict(score)} for name, score in self.rows.items()],
            "n": self.n,
            "scenes": self.scenes,
            "missing": list(self.missing),
            "partial": self.partial,
            "resamples": self.resamples,
            "seed": self.seed,
        }

    @classmethod
    def from_json(cls, value: Any, where: str = "score table") -> ScoreTable:
        """What `to_json` gave.

        Raises:
            HarnessError: the value is something else.
        """
        try:
            table = _TABLE.validate_python(value, strict=False)
        except ValidationError as error:
            found = "; ".join(
                f"{'.'.join(map(str, e['loc'])) or 'value'}: {e['msg']}" for e in error.errors()
            )
            raise HarnessError(f"{where}: not a table of scores: {found}") from None
        rows = {row.name: Score(row.value, row.low, row.high, row.n) for row in table.rows}
        lacking = [name for name in ("macro", "micro") if name not in rows]
        if lacking or len(rows) != len(table.rows):
            raise HarnessError(
                f"{where}: rows must have names of their own, macro and micro among them, "
                f"found {[row.name for row in table.rows]}"
            )
        return cls(rows, table.n, table.scenes, table.missing, table.resamples, table.seed)


@dataclass(frozen=True)
class _Row(Score):
    name: str


@dataclass(frozen=True)
class _Table:
    rows: tuple[_Row, ...]
    n: int
    scenes: int
    missing: tuple[str, ...]
    resamples: int
    seed: int


_TABLE = TypeAdapter(_Table)
