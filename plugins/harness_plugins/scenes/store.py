"""Scenes from a store, as `harness scenes import` writes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from harness.errors import SceneError
from harness.scene import Scene
from harness.store import SceneStore
from harness_plugins.scenes.settings import StoreSettings

_REMEDY = (
    "make a store with `harness scenes import SOURCE --out FOLDER`, and give it with "
    "--set root=FOLDER (in a recipe: --set scenes.train.root=FOLDER)"
)


def build(settings: StoreSettings) -> Store:
    """The source; files are read on first use."""
    return Store(settings)


@dataclass(frozen=True)
class Store:
    """A scene source over a store's folder; one group of scenes is in memory at a time."""

    settings: StoreSettings

    def missing(self) -> Sequence[str]:
        """What this machine lacks, each with its remedy."""
        root = self.settings.root
        if root is None:
            return [f"root is not set: {_REMEDY}"]
        if not root.is_dir():
            return [f"root {root} is no folder: {_REMEDY}"]
        try:
            unfinished = SceneStore(root).unfinished()
        except SceneError as error:
            return [str(error)]
        if unfinished:
            lacking = f"{len(unfinished)} files are missing, {unfinished[0]} the first"
            return [f"root {root}: {lacking}: run its `harness scenes import` again to finish it"]
        return []

    def scene_ids(self) -> Sequence[str]:
        """Ids in the order of the release they were imported from.

        Raises:
            SceneError: the store is missing, unfinished or damaged, or the filters name what is
                not in it.
        """
        return self._chosen

    def load(self, scene_id: str) -> Scene:
        """One scene.

        Raises:
            SceneError: the id is unknown or its row is faulty; file, scene and field are named.
        """
        return self._store.load(scene_id)

    @cached_property
    def _store(self) -> SceneStore:
        lacking = self.missing()
        if lacking or self.settings.root is None:
            raise SceneError("store: " + "; ".join(lacking))
        return SceneStore(self.settings.root)

    @cached_property
    def _chosen(self) -> tuple[str, ...]:
        entries, settings = self._store.entries, self.settings
        problems = [
            f"{name}: {', '.join(unknown)} not in {settings.root}" + known
            for name, wanted, present, known in (
                ("only", settings.only, entries.keys(), ""),
                *(
                    (name, wanted, present, f", which has {', '.join(sorted(present)) or 'none'}")
                    for name, wanted, present in (
                        ("datasets", settings.datasets, {e.dataset for e in entries.values()}),
                        (
                            "split",
                            settings.split and (settings.split,),
                            {e.split for e in entries.values() if e.split is not None},
                        ),
                    )
                ),
            )
            if wanted is not None and (unknown := sorted(set(wanted) - present))
        ]
        if problems:
            raise SceneError("store: " + "; ".join(problems))
        ids = [
            scene
            for scene, entry in entries.items()
            if (settings.only is None or scene in settings.only)
            and (settings.datasets is None or entry.dataset in settings.datasets)
            and settings.split in (None, entry.split)
        ]
        return tuple(ids[: settings.limit])
