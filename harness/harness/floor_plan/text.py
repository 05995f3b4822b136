"""Text in pictures: the font, and names of unknown origin cut to what fits."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from harness.terminal import one_line

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont, ImageFont

INK, QUIET = (30, 34, 40), (105, 112, 122)


@cache
def font(size: int) -> FreeTypeFont | ImageFont:
    """Pillow's own font, so that a picture is the same on every machine."""
    from PIL.ImageFont import load_default

    return load_default(size)


def width(text: str, size: int) -> int:
    """Pixels that a line takes."""
    left, _, right, _ = font(size).getbbox(text)
    return round(right - left)


def shortened(text: str, size: int, room: int) -> str:
    """One line of printable text, cut with dots where it is wider than the room."""
    text = one_line(text)[:400]
    if width(text, size) <= room:
        return text
    while text and width(text + "...", size) > room:
        text = text[:-1]
    return text + "..."


def clean(name: str, most: int = 24) -> str:
    """A name as it is shown: one printable line of so many characters."""
    name = one_line(name)
    return name if len(name) <= most else f"{name[: most - 3]}..."
