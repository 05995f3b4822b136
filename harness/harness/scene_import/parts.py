"""Finished scenes that wait for the others of their shard: a file each, whole or absent."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa

from harness.atomic import replacing, write_json
from harness.errors import SceneError
from harness.store import Left

PARTS = ".parts"
_NO_VIDEO = b"harness.no_video"


@dataclass(frozen=True)
class Parts:
    """The folder of the parts of a store; scenes go by their number in the source."""

    store: Path

    def keep(self, number: int, row: pa.Table, no_video: str) -> None:
        """Put down a scene; `no_video` tells why its video is not there, if it should be."""
        with replacing(self._row(number)) as temporary:
            schema = row.schema.with_metadata({_NO_VIDEO: no_video.encode()})
            with pa.ipc.new_file(str(temporary), schema) as writer:
                writer.write_table(row.replace_schema_metadata(schema.metadata))

    def skip(self, number: int, left: Left) -> None:
        """Put down that a scene was left out."""
        write_json(self._skipped(number), asdict(left))

    def has(self, number: int) -> bool:
        """Whether the scene is done."""
        return self._row(number).is_file() or self._skipped(number).is_file()

    def read(self, number: int, scene: str) -> tuple[pa.Table | None, Left | None]:
        """The scene's row, or None; and what was left out of it, or all of it.

        Raises:
            SceneError: the part is damaged.
        """
        row, skipped = self._row(number), self._skipped(number)
        try:
            if not row.is_file():
                return None, Left(**json.loads(skipped.read_text(encoding="utf-8")))
            # Not mapped into memory: it is deleted soon.
            with pa.ipc.open_file(row.read_bytes()) as reader:
                table = reader.read_all()
        except (OSError, ValueError, TypeError, pa.ArrowException) as error:
            raise SceneError(
                f"{row}: not readable ({error}): delete it and run the same command again"
            ) from error
        why = table.schema.metadata[_NO_VIDEO].decode()
        return table.replace_schema_metadata(None), Left(scene, why) if why else None

    def video(self, number: int) -> Path:
        """Where a video is written until it is whole."""
        return self.store / PARTS / f"{number:08d}.mp4"

    def forget(self, numbers: range) -> None:
        """Delete the parts of these scenes."""
        for number in numbers:
            for path in (self._row(number), self._skipped(number), self.video(number)):
                path.unlink(missing_ok=True)

    def _row(self, number: int) -> Path:
        return self.store / PARTS / f"{number:08d}.arrow"

    def _skipped(self, number: int) -> Path:
        return self.store / PARTS / f"{number:08d}.json"
