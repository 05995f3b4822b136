"""A bar on a terminal, one line elsewhere."""

from __future__ import annotations

import io
import re
import sys

import pytest

from harness.progress import bar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_elsewhere_one_line_tells_the_end(capsys):
    with bar("train sft (sft)", "steps") as step:
        for done in range(1, 4):
            step(done, 3, f"loss {1 / done:.2f}")
            assert capsys.readouterr().err == ""
    said = capsys.readouterr()
    assert re.fullmatch(r"train sft \(sft\): 3 steps in \d+\.\d s\n", said.err)
    assert said.out == ""


def test_what_fails_ends_without_a_line(capsys):
    with pytest.raises(ZeroDivisionError), bar("train", "steps") as step:
        step(1, 0, str(1 / 0))
    assert capsys.readouterr().err == ""


def test_a_terminal_shows_label_count_rate_and_numbers(monkeypatch):
    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setattr(sys, "stderr", terminal)
    with bar("train [a]", "steps") as step:
        step(1, 4, "")
        step(4, 4, "reward [0.5]")
    last = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", terminal.getvalue()).rstrip().splitlines()[-1]
    assert last.startswith("train [a]")  # no markup
    assert "4/4" in last
    assert last.endswith("reward [0.5]")
