from __future__ import annotations

import errno

import pytest

from harness.errors import PluginError, UsageError
from harness.failure import explain
from harness.terminal import one_line, printable


class OutOfMemoryError(RuntimeError):
    """As torch names it."""


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


FULL = OSError(errno.ENOSPC, "No space left on device", "/runs/x\x1b")
ADVICE = "then run the same command again: finished work is kept"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (UsageError("what\nto do\x07"), "what\nto do\\x07"),
        (FULL, rf"the disk is full, or your quota on it (/runs/x\x1b); free some space, {ADVICE}"),
        (
            caused(PluginError("saving failed"), OSError(errno.EDQUOT, "quota")),
            f"the disk is full, or your quota on it; free some space, {ADVICE}",
        ),
        (
            RuntimeError("I/O error: No space left on device (os error 28)"),
            f"the disk is full, or your quota on it; free some space, {ADVICE}",
        ),
        (
            RuntimeError(
                "[enforce fail at inline_container.cc:672] . unexpected pos 740544 vs 740432"
            ),
            f"the disk is full, or your quota on it; free some space, {ADVICE}",
        ),
        (MemoryError(), f"out of memory; lower video.frames or the batch sizes, {ADVICE}"),
    ],
)
def test_foreseen_failures_are_explained(error: Exception, expected: str) -> None:
    assert explain(error) == expected


def test_a_full_gpu_names_the_settings_that_help() -> None:
    explained = explain(caused(RuntimeError("step"), OutOfMemoryError("CUDA out of memory")))
    assert explained is not None
    assert "gradient_checkpointing: true" in explained


@pytest.mark.parametrize("error", [KeyError("x"), OSError(errno.EACCES, "no"), RuntimeError("?")])
def test_what_nobody_foresaw_keeps_its_traceback(error: Exception) -> None:
    assert explain(error) is None


def test_a_chain_that_bites_its_tail_ends() -> None:
    first, second = ValueError("a"), ValueError("b")
    first.__context__, second.__context__ = second, first
    assert explain(first) is None


def test_printable() -> None:
    assert printable("naïve ✓\nline") == "naïve ✓\nline"
    assert printable("a\x1b[2J\u202e\r\t") == r"a\x1b[2J\u202e\r\t"
    assert one_line(" a\n\t b\x00 ") == r"a b\x00"
