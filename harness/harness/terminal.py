"""Text of unknown origin, made safe for a terminal."""

from __future__ import annotations


def printable(text: str) -> str:
    r"""The text with control characters and direction marks shown as escapes; line breaks stay.

    Example:
        >>> printable("a\x1b[2Jb")
        'a\\x1b[2Jb'
    """
    if text.isprintable():
        return text
    return "".join(
        character
        if character.isprintable() or character == "\n"
        else character.encode("unicode_escape").decode()
        for character in text
    )


def one_line(text: str) -> str:
    """As `printable`, with line breaks as spaces."""
    return printable(" ".join(text.split()))
