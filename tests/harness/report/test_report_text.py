from __future__ import annotations

import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.report.text import clip, one_line, visible

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()))


def test_unseen_characters_are_spelt_out() -> None:
    assert visible("a\x00b\x1b[31m\x7f") == "a⟨U+0000⟩b⟨U+001B⟩[31m⟨U+007F⟩"
    assert visible("\u202eevil\u2066") == "⟨U+202E⟩evil⟨U+2066⟩"
    assert visible("half \ud800 pair") == "half \ufffd pair"


def test_tab_newline_and_foreign_scripts_stay() -> None:
    text = "tab\tline\nÄ 部屋 غرفة 👩‍🔬"
    assert visible(text) == text


def test_one_line_folds_white_space_and_ends_in_time() -> None:
    assert one_line("a\n\n  b\tc") == "a b c"
    assert one_line("x" * 100, 10) == "x" * 9 + "…"


def test_clip_says_what_it_left_out() -> None:
    assert clip("abc", 3) == "abc"
    assert clip("a" * 5000, 4) == "aaaa… [4,996 more characters]"


@settings(derandomize=True, max_examples=200)
@given(ANY_TEXT)
def test_nothing_unseen_is_left(text: str) -> None:
    shown = visible(text)
    shown.encode()
    kinds = {unicodedata.category(char) for char in shown if char not in "\t\n"}
    bidirectional = {unicodedata.bidirectional(char) for char in shown}
    assert "Cc" not in kinds
    assert not bidirectional & {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    assert visible(shown) == shown


@settings(derandomize=True, max_examples=100)
@given(ANY_TEXT, st.integers(2, 40))
def test_one_line_is_one_line(text: str, limit: int) -> None:
    line = one_line(text, limit)
    assert len(line) <= limit
    assert line.splitlines() in ([], [line])
