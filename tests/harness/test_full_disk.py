"""A disk that fills up: the run says so, keeps what it finished, and goes on once there is room."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

FIXTURES = Path(__file__).parent / "fixtures"
MESSAGE = (
    "error: the disk is full, or your quota on it; free some space, then run the same command again: "
    "finished work is kept\n"
)


@pytest.fixture
def disk(tmp_path) -> Iterator[Path]:
    """A small file system, which only root may make."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if not mounted("-t", "tmpfs", "-o", "size=4k", "tmpfs", folder):
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", folder], check=True)


def mounted(*arguments: str | Path) -> bool:
    try:
        return (
            subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode == 0
        )
    except FileNotFoundError:
        return False


def resize(disk: Path, size: str) -> None:
    assert mounted("-o", f"remount,size={size}", disk)


def run(disk: Path, recipe: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *(sys.executable, "-m", "harness.cli", "run", FIXTURES / recipe),
            *("--out", disk / "runs", *options),
        ],
        env={
            **os.environ,
            "PYTHONPATH": str(FIXTURES / "plugins" / "fragile"),
            "OMP_NUM_THREADS": "1",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_a_run_goes_on_when_there_is_room_again(disk):
    done = disk / "runs/light/questions/done.json"
    for size in ("4k", "40k", "80k"):  # in the folder, in a video, in the questions
        resize(disk, size)
        ended = run(disk, "light.yaml")
        assert ended.returncode == 1, (size, ended.stderr)
        assert ended.stderr.endswith(MESSAGE)
        assert "Traceback" not in ended.stderr
        assert not done.exists()
        assert not list(disk.rglob(".writing-*"))
    resize(disk, "1m")
    ended = run(disk, "light.yaml")
    assert ended.returncode == 0, ended.stderr


@pytest.mark.slow
def test_training_goes_on_when_there_is_room_again(disk):
    short = ["--set", "train.grpo=null", "--set", "evaluate.blind=false"]
    for size, done in (
        ("500k", "questions"),  # in the untrained model
        ("3m", "evaluate-base"),  # in an optimizer's state, which torch writes
    ):
        resize(disk, size)
        ended = run(disk, "small.yaml", *short)
        assert ended.returncode == 1, (size, ended.stderr)
        assert ended.stderr.endswith(MESSAGE)
        assert "Traceback" not in ended.stderr
        assert (disk / "runs/small" / done / "done.json").is_file()
    resize(disk, "100m")
    ended = run(disk, "small.yaml", *short)
    assert ended.returncode == 0, ended.stderr
    assert "evaluate-base: done before" in ended.stderr
