"""JSON of a release: bounded, and every error names the file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from harness.errors import SceneError
from harness_plugins.scenes.files.bounded import read_bytes

# Bytes. The largest JSON of the releases, ScanNet++'s segments of a large mesh, has about 100 MB;
# parsed, a file takes ten times its size in memory.
MOST_BYTES = 512 * 2**20


def read_json_object(path: Path, *, most_bytes: int = MOST_BYTES) -> dict[str, Any]:
    """The object that a JSON file holds. NaN and Infinity are read as the numbers they name.

    Args:
        path: a UTF-8 file.
        most_bytes: a larger file is refused.

    Raises:
        SceneError: the file is missing, too large, truncated or holds something else; it is named.
    """
    found: dict[str, Any] = _read(path, dict, "an object", most_bytes)
    return found


def read_json_list(path: Path, *, most_bytes: int = MOST_BYTES) -> list[Any]:
    """The list that a JSON file holds; as `read_json_object`.

    Raises:
        SceneError: as `read_json_object`.
    """
    found: list[Any] = _read(path, list, "a list", most_bytes)
    return found


def _read(path: Path, kind: type, words: str, most_bytes: int) -> Any:
    try:
        data = read_bytes(path, most_bytes)
        content = json.loads(data.decode())
        if rb"\ud" in data.lower():
            # Half a surrogate pair is no text, and nothing could write it down again.
            json.dumps(content, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise SceneError(
            f"{path}: not readable as JSON ({error}); it may be truncated: download it again"
        ) from error
    if not isinstance(content, kind):
        raise SceneError(f"{path}: expected {words}, found {type(content).__name__}")
    return content
