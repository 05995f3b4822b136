"""What changes from one question of a type to the next: the phrases in the slots of its template."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

# A word that stands in nine of ten questions of a type belongs to its template.
_TEMPLATE = 0.9
# Route descriptions have no fixed slots; their first dozen phrases tell enough.
_SLOTS, _WORDS = 12, 4


def slot_phrases(rows: Sequence[Sequence[int]], words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """The phrases of each row: runs of words that are not the template's, in their order.

    `Measuring from the closest point of each object, what is the distance between the trash bin
    and the lamp (in meters)?` gives `trash bin` and `lamp`. The template is found by counting, so
    any wording does. Of a set with one question, everything is template.

    Args:
        rows: words and signs of each row, as numbers.
        words: the words by number.
    """
    often = Counter(token for row in rows for token in set(row))
    template = {token for token, times in often.items() if times >= _TEMPLATE * len(rows)}
    signs = {number for number, word in enumerate(words) if not word[0].isalnum()}
    fixed = template | signs
    for row in rows:
        phrases = (
            " ".join(words[token] for token in list(run)[:_WORDS])
            for is_fixed, run in groupby(row, key=fixed.__contains__)
            if not is_fixed
        )
        yield tuple(phrase for _, phrase in zip(range(_SLOTS), phrases, strict=False))
