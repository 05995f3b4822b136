"""Right answers spread evenly over the letters, and ids: a set's last touch, one scene at a time."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from harness.generate.randomness import rng_of
from harness.question import Question


def finished(questions: Iterable[Question], seed: int) -> Iterator[Question]:
    """Questions with options shuffled and ids, without repetitions; scene after scene.

    Options are shuffled so that right answers are spread evenly over the letters of each question
    type and number of options (a type may have three here and four there); where the text lists the options in brackets, as in `which of these objects (a, b, c, d)`,
    the list follows.
    """
    scene: tuple[str, str] | None = None
    seen: set[str] = set()
    for question in _balanced(questions, seed):
        if scene != (scene := (question.dataset, question.scene)):
            seen.clear()
        content = question.content_id()
        if content not in seen:
            seen.add(content)
            yield replace(question, id=content)


def _balanced(questions: Iterable[Question], seed: int) -> Iterator[Question]:
    """Give each right answer the letter least used by its type with as many options, ties by lot."""
    used: dict[tuple[str, int], Counter[int]] = defaultdict(Counter)
    lots: dict[str, np.random.Generator] = {}
    for question in questions:
        if question.options is None:
            yield question
            continue
        kind = question.question_type
        rng = lots.setdefault(kind, rng_of(seed, "letters", kind))
        letters = used[kind, len(question.options)]
        times = [letters[letter] for letter in range(len(question.options))]
        least = [letter for letter, count in enumerate(times) if count == min(times)]
        place = least[int(rng.integers(len(least)))]
        letters[place] += 1
        wrong = [option for option in question.options if option != question.answer]
        shown = [wrong[i] for i in rng.permutation(len(wrong))]
        shown.insert(place, question.answer)
        before, after = (f"({', '.join(texts)})" for texts in (question.options, shown))
        yield replace(question, options=tuple(shown), text=question.text.replace(before, after, 1))
