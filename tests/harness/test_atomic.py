"""Files are whole or absent."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from harness.atomic import replacing, write_bytes, write_json, write_jsonl, write_text


@pytest.fixture
def there(tmp_path) -> Path:
    path = tmp_path / "file.json"
    path.write_text("old")
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_folders_are_made(tmp_path):
    write_text(tmp_path / "a" / "b" / "c.txt", "ä\n")
    assert (tmp_path / "a" / "b" / "c.txt").read_bytes() == "ä\n".encode()
    assert names(tmp_path / "a" / "b") == ["c.txt"]


def test_bytes_replace_what_was_there(there):
    write_bytes(there, b"\x00new")
    assert there.read_bytes() == b"\x00new"
    assert names(there.parent) == ["file.json"]


def test_what_was_there_stays_until_the_end(there):
    with replacing(there) as temporary:
        temporary.write_text("half")
        assert there.read_text() == "old"
        assert temporary.parent == there.parent  # a rename across disks would be a copy
        assert temporary.suffix == ".json"  # encoders go by it
    assert there.read_text() == "half"


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failure_leaves_what_was_there(there, error):
    with pytest.raises(type(error)), replacing(there) as temporary:  # noqa: PT012
        temporary.write_text("half")
        raise error
    assert there.read_text() == "old"
    assert names(there.parent) == ["file.json"]


def test_a_failure_leaves_nothing_where_nothing_was(tmp_path):
    with pytest.raises(ZeroDivisionError), replacing(tmp_path / "new"):
        1 / 0  # noqa: B018
    assert names(tmp_path) == []


def test_a_removed_temporary_file_is_an_error(there):
    with pytest.raises(FileNotFoundError), replacing(there) as temporary:
        temporary.unlink()
    assert there.read_text() == "old"


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_permissions_are_those_of_a_new_file(tmp_path, mask):
    before = os.umask(mask)
    try:
        write_text(tmp_path / "ours", "")
        (tmp_path / "plain").touch()
        assert os.umask(mask) == mask  # looked at, not changed
    finally:
        os.umask(before)
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_json_is_sorted_and_ends_with_a_line_break(tmp_path):
    write_json(tmp_path / "a.json", {"b": [1, 2.5, None], "a": "ö"})
    text = (tmp_path / "a.json").read_text()
    assert text.endswith("}\n")
    assert list(json.loads(text)) == ["a", "b"]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, Path("x")])
def test_what_json_has_not_is_an_error(there, value):
    with pytest.raises((ValueError, TypeError)):
        write_json(there, {"a": value})
    with pytest.raises((ValueError, TypeError)):
        write_jsonl(there, [{"a": 1}, {"a": value}])
    assert there.read_text() == "old"
    assert names(there.parent) == ["file.json"]


def test_jsonl_has_an_object_a_line(tmp_path):
    rows = [{"text": "one\ntwo\u2028three", "n": 1}, {"n": 2}]
    write_jsonl(tmp_path / "rows.jsonl", iter(rows))
    lines = (tmp_path / "rows.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == rows
    write_jsonl(tmp_path / "rows.jsonl", [])
    assert (tmp_path / "rows.jsonl").read_text() == ""
