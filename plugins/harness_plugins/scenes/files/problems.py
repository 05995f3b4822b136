"""All problems of a scene in one error, and a long list cut short."""

from __future__ import annotations

from collections.abc import Sequence

from harness.errors import SceneError

# A broken file of ten thousand rows is told by its first ones.
MOST_SHOWN = 12


def refuse(problems: Sequence[str]) -> None:
    """Raise what was found, if anything was.

    Raises:
        SceneError: there are problems; the first `MOST_SHOWN` are told and the others counted.
    """
    if problems:
        raise SceneError(shortened(problems))


def shortened(words: Sequence[str], separator: str = "; ") -> str:
    """The words in one line; past `MOST_SHOWN` of them, how many more there are."""
    more = len(words) - MOST_SHOWN
    told = separator.join(words[:MOST_SHOWN])
    return f"{told}{separator}and {more} more" if more > 0 else told


def short(value: object) -> str:
    """A found value for a message, at most 80 characters."""
    try:
        text = repr(value)
    except RecursionError:  # JSON may be as deep as its parser goes, and a printer starts deeper
        return f"a {type(value).__name__} nested too deeply"
    return text if len(text) <= 80 else f"{text[:77]}..."
