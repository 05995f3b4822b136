"""The campaign finds readers that end in anything else than a valid result or a clear error."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent

SCRIPT = """
import time, warnings
import campaign
from harness.errors import SceneError
from readers import Reader

VALID = '{"number": 1}'


def write(root):
    (root / "a.json").write_text(VALID)


def fault(root, changed, rng):
    CODE


def read(root, changed, rng):
    if not changed.is_file() or changed.read_bytes() != VALID.encode():
        fault(root, changed, rng)


campaign.READERS["a"] = Reader(write, read)
campaign.MOST_SECONDS, campaign.MOST_GROWTH = 0.1, 30_000_000
campaign.main(["a", "0", "6"])
"""


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('raise ValueError("torn")', "ValueError: torn"),
        ('warnings.warn("odd", stacklevel=1)', "UserWarning: odd"),
        ('raise SceneError("it is torn")', "the error names no file: it is torn"),
        ('raise SceneError(f"{changed}: " + 30_000 * "x")', "the error has 30,0"),
        ("bytes(bytearray(50_000_000))", " bytes"),
        ("sum(range(40_000_000))", "took "),
        ("while True: pass", "Hang: "),
        ("[0] * 10**10", "MemoryError: "),
    ],
)
def test_a_bad_reader_is_found(code, found):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.replace("CODE", code)],
        capture_output=True,
        text=True,
        cwd=HERE,
        check=True,
        timeout=120,
    )
    told = json.loads(done.stdout)
    assert (told["run"], told["failed"], told["refused"]) == (6, 6, 0)
    assert all(found in one for one in told["failures"])


def test_a_good_reader_passes():
    code = 'raise SceneError(f"{changed}: number: torn")'
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.replace("CODE", code)],
        capture_output=True,
        text=True,
        cwd=HERE,
        check=True,
        timeout=120,
    )
    told = json.loads(done.stdout)
    assert (told["run"], told["refused"], told["failures"]) == (6, 6, [])
