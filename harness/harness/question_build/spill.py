"""Questions of all scenes on disk, found again scene by scene."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, NamedTuple, Self

from harness.errors import HarnessError
from harness.generate import Block
from harness.question import Question, from_row
from harness.question_build.job import Asked


class _Place(NamedTuple):
    begin: int
    size: int
    counts: dict[str, int]


class Spill:
    """A file without a name, gone when it is closed or the process ends.

    Raises:
        HarnessError: the folder cannot be written to.
    """

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  (`__exit__`)
        except OSError as error:
            raise HarnessError(
                f"{folder}: cannot be written to ({error.strerror}); write to another folder"
            ) from error
        self._places: dict[tuple[str, str], _Place] = {}
        self._end = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def add(self, asked: Asked) -> None:
        """Put a scene's questions down."""
        self._file.seek(self._end)
        self._file.write(asked.rows)
        place = _Place(self._end, len(asked.rows), asked.counts)
        self._places[asked.dataset, asked.scene] = place
        self._end += len(asked.rows)

    def counts(self) -> Counter[str]:
        """Questions of each family."""
        counts: Counter[str] = Counter()
        for place in self._places.values():
            counts.update(place.counts)
        return counts

    def blocks(self) -> Iterator[Block]:
        """Scene after scene, by data set and id."""
        for (dataset, scene), place in sorted(self._places.items()):
            self._file.seek(place.begin)
            lines = iter(self._file.read(place.size).splitlines())
            yield Block(
                dataset,
                scene,
                {
                    name: [_question(next(lines), name, scene) for _ in range(count)]
                    for name, count in sorted(place.counts.items())
                },
            )


def _question(line: bytes, family: str, scene: str) -> Question:
    return from_row(json.loads(line), f"question generator {family!r}, asked about scene {scene}")
