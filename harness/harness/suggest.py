"""`did you mean …?`, for names of components, keys of a recipe and choices."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def suggestion(wrong: str, known: Iterable[str], *, plural: str = "known") -> str:
    """What to do about an unknown name: the nearest, or the known ones.

    Example:
        >>> suggestion("acuracy", ["accuracy", "format"])
        "did you mean 'accuracy'?"
        >>> suggestion("x", ["accuracy", "format"])
        'known: accuracy, format'
    """
    names = sorted(set(known))
    near = get_close_matches(wrong.casefold(), names, n=1, cutoff=0.6) if wrong else []
    near = near or [name for name in names if wrong and name.startswith(wrong)][:3]
    if near:
        return f"did you mean {' or '.join(map(repr, near))}?"
    if not names:
        return f"{plural}: none"
    shown = ", ".join(names[:40])
    return f"{plural}: {shown}{', …' if len(names) > 40 else ''}"
