"""What a benchmark gives: rows that can be set side by side."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Result:
    """One comparison.

    Args:
        row: the benchmark's name.
        what: the work. unit: of `ours` and `peer`.
        ours: this project's figure.
        peer: the other's figure from the same run, or None where nobody else does this.
        better: which figures are good ones.
    """

    row: str
    what: str
    unit: str
    ours: float
    peer: float | None = None
    better: str = "low"

    @property
    def ratio(self) -> float | None:
        """How many times better than the peer; below 1 the peer is the better one."""
        if self.peer is None:
            return None
        return self.peer / self.ours if self.better == "low" else self.ours / self.peer

    def to_json(self) -> dict[str, Any]:
        """The row as `results.json` holds it."""
        row = {**asdict(self), "ratio": self.ratio}
        del row["better"]  # the ratio knows
        return row
