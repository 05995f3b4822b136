"""A folder that the Hub shows and `datasets.load_dataset` loads: Parquet files and a card."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from harness.atomic import write_text
from harness.errors import UsageError
from harness.question_files.card import card
from harness.question_files.columns import own_schema
from harness.question_files.description import Composition, SetDescription
from harness.question_files.sinks import Put, Row, parquet_rows

ROWS_PER_FILE = 250_000
_SPLIT = re.compile(r"\w+(\.\w+)*", re.ASCII)


@contextmanager
def hub_folder(path: Path, about: SetDescription, counted: Composition) -> Iterator[Put]:
    """Rows into `data/SPLIT-00000-of-0000N.parquet`, then the card into `README.md`.

    The folder is made beside `path` and takes its place at the end. `counted` is read then.

    Raises:
        UsageError: `path` holds other things than such a folder.
    """
    if not _SPLIT.fullmatch(about.split):
        raise UsageError(f"split: {about.split!r} is no name the Hub takes, such as train or test")
    path = path.resolve()  # a link stays, and what it leads to is replaced
    refuse_others(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".writing-{path.name}-", dir=path.parent))
    try:
        data = made / "data"
        data.mkdir()
        with _files(data, about.split) as put:
            yield put
        write_text(made / "README.md", card(about, counted))
        made.chmod(0o755)
        _take_place(made, path)
    finally:
        shutil.rmtree(made, ignore_errors=True)


@contextmanager
def _files(data: Path, split: str) -> Iterator[Put]:
    """A new file after each `ROWS_PER_FILE` rows; names tell the number of files, known at the end."""
    written: list[Path] = []
    with ExitStack() as last:
        here: list[Put] = []
        rows = 0

        def put(row: Row) -> None:
            nonlocal rows
            if rows % ROWS_PER_FILE == 0:
                last.close()
                written.append(data / f"{len(written)}.parquet")
                here[:] = [last.enter_context(parquet_rows(written[-1], own_schema()))]
            here[0](row)
            rows += 1

        yield put
    for place, file in enumerate(written):
        file.rename(data / f"{split}-{place:05}-of-{len(written):05}.parquet")


def refuse_others(path: Path) -> None:
    """Complain about a path that is no such folder and not free for one.

    Raises:
        UsageError: it holds other things.
    """
    if not path.exists():
        return
    if not path.is_dir():
        raise UsageError(f"{path}: is a file, expected a folder or nothing")
    others = [
        str(file.relative_to(path))
        for file in sorted(path.rglob("*"))
        if not _is_ours(file.relative_to(path))
    ]
    if others:
        raise UsageError(
            f"{path}: holds other files than a question set ({', '.join(others[:3])}"
            f"{', …' if len(others) > 3 else ''}); name another folder"
        )


def _is_ours(file: Path) -> bool:
    return str(file) in {"README.md", "data", ".gitattributes"} or (
        file.parent == Path("data") and file.suffix == ".parquet"
    )


def _take_place(made: Path, path: Path) -> None:
    if not path.exists():
        made.rename(path)
        return
    old = Path(tempfile.mkdtemp(prefix=f".old-{path.name}-", dir=path.parent))
    os.replace(path, old)  # noqa: PTH105 - takes the place of an empty folder
    made.rename(path)
    shutil.rmtree(old)
