"""What stands out in a question set, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

from harness.question_stats.describe import SetStats, TypeStats

# One in a thousand by chance: a set has about ten types, and some unevenness is no fault.
UNEVEN = 0.001
# Points above the best fixed answer from which on reading the text pays.
GIVEN_AWAY = 0.05
ONE_ANSWER = 0.5
# Types with as few answers as this, such as directions, are a closed choice.
CLOSED, UNBALANCED = 4, 0.1


def findings(stats: SetStats) -> Iterator[str]:
    """Leaks, contradictions, repetitions, uneven letters, and types that text alone answers."""
    for split, questions in stats.leaks.items():
        yield (
            f"leak ({split}): {counted(questions, 'question')} about its scenes; scores there mean "
            "nothing after training on them"
        )
    if stats.contradicting:
        yield (
            f"{counted(stats.contradicting, 'row')} with another answer than an earlier row has for the "
            "same question about the same scene"
        )
    if stats.repeated:
        yield (
            f"{counted(stats.repeated, 'row')} with the scene, question and answer of an earlier row"
        )
    if stats.repeated_ids:
        yield f"{counted(stats.repeated_ids, 'row')} with the id of an earlier row"
    for one in stats.types:
        yield from _of_type(one)
    if stats.spaces < 2:
        yield "all questions are about one space: what the text gives away cannot be measured"


def _of_type(one: TypeStats) -> Iterator[str]:
    if one.letters is not None and one.letters.p < UNEVEN:
        spread = ", ".join(
            f"{letter} {100 * times / one.questions:.0f} %"
            for letter, times in one.letters.counts.items()
        )
        yield f"{one.question_type}: right letters are uneven ({spread}; p = {one.letters.p:.1g})"
    answer, times = one.top[0]
    share = times / one.questions
    even = _even_share(one)
    if even is not None and share > even + UNBALANCED:
        yield (
            f"{one.question_type}: {answer!r:.60} is right in {100 * share:.0f} % of the questions, "
            f"{100 * even:.0f} % would be even"
        )
    elif even is None and share > ONE_ANSWER:
        yield f"{one.question_type}: {answer!r:.60} is right in {100 * share:.0f} % of the questions"
    fixed = max(one.blind.frequency, one.blind.chance or 0.0, 0.0 if one.numbers else share)
    if one.blind.text is not None and one.blind.text > fixed + GIVEN_AWAY:
        yield (
            f"{one.question_type}: a model that reads the text alone scores "
            f"{100 * one.blind.text:.1f}, one fixed answer {100 * fixed:.1f}"
        )


def _even_share(one: TypeStats) -> float | None:
    """The share each answer would have if all were as frequent; None where they are many."""
    if one.numbers is not None or not 1 < one.answers <= CLOSED:
        return None
    return 1 / one.answers


def counted(count: int, what: str) -> str:
    """`1 row`, `2 rows`."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"
