"""Reading a store: an index of ids, and one row group in memory at a time."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from harness.errors import SceneError
from harness.scene import Scene
from harness.store.record import StoreRecord
from harness.store.rows import scene_of
from harness.store.shard import Shard, Tally, shard_name


class Entry(NamedTuple):
    """Where a scene is: file, row group and row in it; its data set and split."""

    shard: int
    group: int
    row: int
    dataset: str
    split: str | None


@dataclass
class SceneStore:
    """A store's folder.

    Files are opened when a scene in them is asked for. `load` holds one row group, whatever the
    number of scenes; `entries` holds a few words a scene.

    Raises:
        SceneError: from every member: the store or a file of it is missing or damaged.
    """

    root: Path
    _open: tuple[int, Shard] | None = field(default=None, init=False, repr=False)
    _held: tuple[tuple[int, int], Any] | None = field(default=None, init=False, repr=False)

    @cached_property
    def record(self) -> StoreRecord:
        """What the store was made from."""
        return StoreRecord.read(self.root)

    def unfinished(self) -> list[str]:
        """Files that an import has still to write."""
        names = map(shard_name, range(self.record.shards))
        return [name for name in names if not (self.root / name).is_file()]

    @cached_property
    def entries(self) -> Mapping[str, Entry]:
        """Scenes by id, in the order of their source; only three columns are read."""
        entries: dict[str, Entry] = {}
        for number in range(self.record.shards):
            shard = self._shard(number)
            for group, columns in shard.columns("id", "dataset", "split"):
                for row, (scene, dataset, split) in enumerate(
                    zip(columns["id"], columns["dataset"], columns["split"], strict=True)
                ):
                    if scene in entries:
                        first = shard_name(entries[scene].shard)
                        raise SceneError(
                            f"{shard.path}: scene {scene!r:.80} is in {first} too: import again "
                            "with --fresh"
                        )
                    entries[scene] = Entry(number, group, row, dataset, split)
        return entries

    def tally(self) -> Tally:
        """What the store holds, out of its files' footers."""
        return sum((self._shard(number).tally for number in range(self.record.shards)), Tally())

    def load(self, scene_id: str) -> Scene:
        """One scene.

        Raises:
            SceneError: no such scene, or its row is faulty; file and scene are named.
        """
        entry = self.entries.get(scene_id)
        if entry is None:
            raise SceneError(f"{self.root}: no scene {scene_id!r:.80} in this store")
        shard = self._shard(entry.shard)
        place = (entry.shard, entry.group)
        if self._held is None or self._held[0] != place:
            self._held = (place, shard.rows(entry.group))
        where = f"{shard.path}: scene {scene_id:.120}"
        scene = scene_of(self._held[1].slice(entry.row, 1), where, self.root)
        if scene.video is not None:
            _check_video(scene.video.path, self.root, where)
        return scene

    def _shard(self, number: int) -> Shard:
        if self._open is None or self._open[0] != number:
            self._open = (number, Shard(self.root / shard_name(number)))
        return self._open[1]


def _check_video(path: Path, root: Path, where: str) -> None:
    # A link in a store from outside must not show somebody else's file.
    # Unlike `Path.resolve`, `realpath` takes links that lead to themselves.
    if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root)):
        raise SceneError(f"{where}: its video {path} leads out of the store")
    if not path.is_file():
        raise SceneError(f"{where}: its video {path} is missing: copy the store with its videos/")
