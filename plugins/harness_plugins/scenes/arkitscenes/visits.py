"""Which scans show the same room: `3dod_train_val_splits.csv`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from harness_plugins.scenes.files.csv_file import csv_rows
from harness_plugins.scenes.files.problems import refuse

TABLE = "3dod_train_val_splits.csv"
MOST_BYTES = 16 * 2**20
_UNKNOWN = {"", "NA", "nan"}


def read_visits(path: Path) -> dict[str, str | None]:
    """Scan -> visit, None where the table does not know it.

    Raises:
        SceneError: the table is missing or truncated, lacks columns, or has a scan twice.
    """
    visits: dict[str, str | None] = {}
    problems = []
    for where, (video, visit, _) in csv_rows(
        path, ["video_id", "visit_id", "fold"], most_bytes=MOST_BYTES
    ):
        if video in visits:
            problems.append(f"{where}: video_id: {video} is in the table twice")
        visits[video] = None if visit in _UNKNOWN else visit
    refuse(problems)
    return visits


def one_of_each(scans: Iterable[str], visits: Mapping[str, str | None]) -> list[str]:
    """The first scan of each visit, and every scan whose visit is not known."""
    taken: set[str] = set()
    kept = []
    for scan in sorted(scans):
        visit = visits.get(scan)
        if visit is None or visit not in taken:
            kept.append(scan)
        if visit is not None:
            taken.add(visit)
    return kept
