"""Foreign text made safe to read: nothing invisible, nothing that turns the line around, an end.

Model output and plugin text can hold terminal escapes, null bytes, bidirectional overrides and
lone surrogates. Escaping for HTML or Markdown is a further step, done where the text is written.
"""

from __future__ import annotations

import re

# Everything that changes what the reader sees without being seen: C0 and C1 controls except tab
# and newline, bidirectional marks and overrides, invisible separators, surrogates, tag characters.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)


def visible(text: str) -> str:
    """The text with every unseen character spelt out (`⟨U+202E⟩`); tab and newline stay."""
    return _UNSEEN.sub(lambda match: _spelt(ord(match[0])), text)


def one_line(text: str, limit: int = 80) -> str:
    """The text visible, in one line, of at most `limit` characters."""
    line = " ".join(visible(text[: 4 * limit]).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def clip(text: str, limit: int) -> str:
    """At most `limit` characters of the text, and a note on how many were left out."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… [{len(text) - limit:,} more characters]"


def _spelt(code: int) -> str:
    return "\ufffd" if 0xD800 <= code <= 0xDFFF else f"⟨U+{code:04X}⟩"
