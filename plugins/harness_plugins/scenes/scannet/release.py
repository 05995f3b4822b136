"""Where things lie in the ScanNet release."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from harness.errors import SceneError
from harness_plugins.scenes.files.bounded import read_bytes
from harness_plugins.scenes.scannet.labels import TABLE

_SCAN = re.compile(r"scene\d{4}_\d{2}")
# Bytes; the released lists have under 16 kB.
_MOST_LIST = 1_000_000
SPLITS = ("train", "val")


@dataclass(frozen=True)
class Release:
    """The release's folder, or its `scans` folder."""

    root: Path

    @property
    def scans(self) -> Path:
        """The folder of the annotated scans. Those of `scans_test` have no annotation."""
        inside = self.root / "scans"
        return inside if inside.is_dir() else self.root

    def scan_ids(self) -> list[str]:
        """Folders named as scans are.

        Raises:
            SceneError: the folder cannot be read.
        """
        try:
            paths = list(self.scans.iterdir())
        except OSError as error:
            raise SceneError(f"{self.scans}: cannot be read ({error.strerror})") from error
        return sorted(path.name for path in paths if _SCAN.fullmatch(path.name) and path.is_dir())

    def file(self, scan: str, ending: str) -> Path:
        """A scan's file, such as `_vh_clean_2.ply`."""
        return self.scans / scan / f"{scan}{ending}"

    @property
    def label_table(self) -> Path:
        """The table of labels: in the release, or beside the scans."""
        return self._beside(TABLE)

    def split_list(self, split: str) -> Path:
        """The list of a split: in the release, or beside the scans."""
        return self._beside(f"scannetv2_{split}.txt")

    def split_ids(self, split: str) -> frozenset[str]:
        """The scans of a split; none if the release has no such list.

        Raises:
            SceneError: a line is no scan.
        """
        path = self.split_list(split)
        if not path.is_file():
            return frozenset()
        text = read_bytes(path, _MOST_LIST).decode("utf-8", errors="replace")
        names = text.split()
        if wrong := next((name for name in names if not _SCAN.fullmatch(name)), None):
            raise SceneError(f"{path}: {wrong[:80]!r} is no scan, expected such as scene0000_00")
        return frozenset(names)

    def _beside(self, name: str) -> Path:
        outside = self.root.parent / name
        inside = self.root / name
        return outside if self.root.name == "scans" and not inside.is_file() else inside
