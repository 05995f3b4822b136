"""One pass over a question set that keeps of each row what its statistics need."""

from __future__ import annotations

import hashlib
import re
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from harness.leak import space_of
from harness.question import AnswerKind, Question
from harness.question_files.description import Composition

_TOKEN = re.compile(r"\w+|[^\w\s]")
_SHOWN = 20


@dataclass
class Group:
    """The rows of one question type whose answers are of one kind.

    Args:
        spaces: of each row, the number of its space; scans of one space have the same.
        answers: of each row, the text of the right answer (not its letter).
        options: of each row, the options' texts in the order shown; () without.
        tokens: of each row, numbers of its question's words and signs in `Rows.vocabulary`.
    """

    question_type: str
    kind: AnswerKind
    spaces: array[int] = field(default_factory=lambda: array("I"))
    answers: list[str] = field(default_factory=list)
    options: list[tuple[str, ...]] = field(default_factory=list)
    tokens: list[array[int]] = field(default_factory=list)
    scenes: set[tuple[str, str]] = field(default_factory=set)

    def gold(self, row: int) -> int:
        """Place of the right option."""
        return self.options[row].index(self.answers[row])


@dataclass(frozen=True)
class Contradiction:
    """One question about one scene with two answers; rows are numbered from 1."""

    scene: str
    question: str
    rows: tuple[int, int]
    answers: tuple[str, str]


@dataclass
class Rows:
    """All groups, and what concerns the set as a whole.

    Args:
        repeated: rows whose question, scene and answer an earlier row has.
        contradicting: rows whose question and scene an earlier row has, with another answer;
            `contradictions` are the first 20.
        repeated_ids: rows whose id an earlier row has.
    """

    groups: dict[tuple[str, AnswerKind], Group] = field(default_factory=dict)
    vocabulary: dict[str, int] = field(default_factory=dict)
    spaces: dict[tuple[str, str], int] = field(default_factory=dict)
    composition: Composition = field(default_factory=Composition)
    repeated: int = 0
    contradicting: int = 0
    contradictions: list[Contradiction] = field(default_factory=list)
    repeated_ids: int = 0
    datasets: Counter[str] = field(default_factory=Counter)


def collect(questions: Iterable[tuple[int, Question]]) -> Rows:
    """Read numbered questions into rows.

    About 300 bytes are kept of each: its words as numbers, its answer and its options, of which
    equal ones are kept once.
    """
    rows = Rows()
    kept: dict[str, str] = {}
    option_sets: dict[tuple[str, ...], tuple[str, ...]] = {}
    space_names: dict[tuple[str, str], int] = {}
    seen: dict[bytes, tuple[int, str]] = {}
    ids: set[str] = set()
    vocabulary: dict[str, int] = defaultdict(lambda: len(vocabulary))
    for number, question in questions:
        scene = (question.dataset, question.scene)
        if scene not in space_names:
            space = (question.dataset, space_of(*scene))
            space_names[scene] = rows.spaces.setdefault(space, len(rows.spaces))
        rows.composition.add(question)
        rows.datasets[question.dataset] += 1
        key = (question.question_type, question.kind)
        group = rows.groups.get(key) or rows.groups.setdefault(key, Group(*key))
        group.scenes.add(scene)
        group.spaces.append(space_names[scene])
        group.answers.append(kept.setdefault(question.answer, question.answer))
        options = question.options or ()
        group.options.append(option_sets.setdefault(options, options))
        words = _TOKEN.findall(question.text.lower())
        group.tokens.append(array("I", (vocabulary[word] for word in words)))
        _compare(rows, number, question, seen)
        rows.repeated_ids += question.id in ids
        ids.add(question.id)
    rows.vocabulary = dict(vocabulary)
    return rows


def _compare(
    rows: Rows, number: int, question: Question, seen: dict[bytes, tuple[int, str]]
) -> None:
    """Count it if an earlier row asks the same; the order of options does not matter."""
    parts = (question.dataset, question.scene, question.question_type, question.style)
    content = "\x1f".join((*parts, question.text, *sorted(question.options or ())))
    key = hashlib.blake2b(content.encode(), digest_size=16).digest()
    first, answer = seen.setdefault(key, (number, question.answer))
    if first == number:
        return
    if answer == question.answer:
        rows.repeated += 1
        return
    rows.contradicting += 1
    if len(rows.contradictions) < _SHOWN:
        rows.contradictions.append(
            Contradiction(
                f"{question.dataset}/{question.scene}",
                question.text,
                (first, number),
                (answer, question.answer),
            )
        )
