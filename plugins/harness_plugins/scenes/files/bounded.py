"""Files that are read whole: never more of them than a limit."""

from __future__ import annotations

from pathlib import Path

from harness.errors import SceneError


def read_bytes(path: Path, most: int) -> bytes:
    """A whole file of at most `most` bytes.

    Raises:
        SceneError: it is missing, unreadable, no regular file or too large.
    """
    if not path.is_file():
        raise SceneError(f"{path}: no such file; download it")
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise SceneError(f"{path}: cannot be read ({error.strerror})") from error
    if len(data) > most:
        raise SceneError(f"{path}: more than {most:,} bytes, which no such file of a release has")
    return data
