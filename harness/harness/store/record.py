"""`store.json`: where a store's scenes come from."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from harness.atomic import write_json
from harness.errors import SceneError

STORE = "store.json"
FORMAT = 1
# A damaged number of scenes must not keep a reader looking for files without end.
MOST_SHARDS = 100_000


@dataclass(frozen=True)
class StoreRecord:
    """What a store was made from.

    Args:
        source: name of the scene source, with `plugin`, `distribution` and `version` behind it.
        settings: of the source, as JSON values.
        harness: version that made the store.
        videos: whether footage was asked for.
        scenes: number of scenes the source listed; `ids` is a digest of their ids.
        shard: scenes for each file.
        format: version of the layout of these files.
    """

    source: str
    settings: dict[str, Any]
    plugin: str
    distribution: str
    version: str
    harness: str
    videos: bool
    scenes: int
    ids: str
    shard: int
    format: int = FORMAT

    def __post_init__(self) -> None:
        if self.scenes < 1 or self.shard < 1:
            raise ValueError(f"{self.scenes} scenes, {self.shard} a file: expected 1 or more")
        if self.shards > MOST_SHARDS:
            raise ValueError(
                f"{self.scenes} scenes, {self.shard} a file: expected at most {MOST_SHARDS:,} files"
            )

    @property
    def shards(self) -> int:
        """Number of files the scenes take."""
        return -(-self.scenes // self.shard)

    def write(self, folder: Path) -> None:
        """Write it into a store's folder."""
        write_json(folder / STORE, asdict(self))

    @classmethod
    def read(cls, folder: Path) -> StoreRecord:
        """The record of a store's folder.

        Raises:
            SceneError: there is none, or it is damaged or of another format.
        """
        path = folder / STORE
        try:
            text = path.read_text(encoding="utf-8")
            content = json.loads(text)
        except FileNotFoundError as error:
            raise SceneError(
                f"{folder} holds no scene store (no {STORE}): make one with `harness scenes import "
                "SOURCE --out FOLDER`"
            ) from error
        except (OSError, ValueError, RecursionError) as error:
            raise SceneError(f"{path}: not readable as JSON ({error}): import again") from error
        found = content.get("format") if isinstance(content, dict) else None
        if found != FORMAT:
            raise SceneError(
                f"{path}: is of format {found!r:.80}, and this version of the harness reads format "
                f"{FORMAT}: import the scenes again with `harness scenes import --fresh`"
            )
        try:
            return TypeAdapter(cls).validate_json(text, strict=True)
        except ValidationError as error:
            faults = "; ".join(
                f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()
            )
            raise SceneError(f"{path}: {faults}: import again with --fresh") from error

    def differences(self, now: StoreRecord) -> list[str]:
        """How another import differs from this one, in words."""
        mine, others = _flat(asdict(self)), _flat(asdict(now))
        if self.ids != now.ids and self.scenes == now.scenes and self.settings == now.settings:
            return ["the source lists other scenes now"]
        del mine["ids"], others["ids"]
        return [
            f"{name}: {_text(mine, name)} in the store, now {_text(others, name)}"
            for name in sorted(mine.keys() | others.keys())
            if _text(mine, name) != _text(others, name)
        ]


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    settings = record.pop("settings")
    return {**record, **{f"settings.{name}": value for name, value in settings.items()}}


def _text(values: dict[str, Any], name: str) -> str:
    return json.dumps(values[name], sort_keys=True) if name in values else "nothing"
