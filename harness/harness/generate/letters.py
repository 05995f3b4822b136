"""Right answers spread evenly over the letters, and ids: a set's last touch, one scene at a time."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
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
    for question in _balanced(_asked_once(questions), seed):
        yield replace(question, id=question.content_id())


def _asked_once(questions: Iterable[Question]) -> Iterator[Question]:
    """The first of those that ask a scene the same, in whatever order they list the options."""
    scene: tuple[str, str] | None = None
    seen: set[object] = set()
    for question in questions:
        if scene != (scene := (question.dataset, question.scene)):
            seen.clear()
        options = question.options or ()
        text = question.text.replace(_listed(options), "", 1) if options else question.text
        content = (question.question_type, question.style, text, frozenset(options))
        if content not in seen:
            seen.add(content)
            yield question


def _listed(options: Sequence[str]) -> str:
    return f"({', '.join(options)})"


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
        text = question.text.replace(_listed(question.options), _listed(shown), 1)
        yield replace(question, options=tuple(shown), text=text)
