"""What is told about a question set: by its maker, and by counting."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.leak import leaked
from harness.prompt import PromptName
from harness.question import AnswerKind, Question
from harness.question_files.columns import settings_text

Scene = tuple[str, str]
"""(dataset, scene)."""


@dataclass(frozen=True)
class SetDescription:
    """What the rows themselves do not say.

    Args:
        name: name of the set, for its card.
        split: name of the split on the Hub.
        seed: the seed it was drawn with.
        preset: the preset and its changes, in words.
        sources: where the scenes came from, in words.
        harness: version of the harness.
        settings: settings of the whole set, for the card.
        notes: what a reader must know, a sentence each.
        videos: path of a scene's video in conversations, with `{dataset}` and `{scene}`;
            VSI-Bench's by default.
        prompt: how conversations ask.
    """

    name: str = "questions"
    split: str = "train"
    seed: int | None = None
    preset: str = ""
    sources: tuple[str, ...] = ()
    harness: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    videos: str = "{dataset}/{scene}.mp4"
    prompt: PromptName = "thinking-in-space"


@dataclass
class TypeCounts:
    """One question type: scenes, kinds of answers, letters, and the answers that are no letters."""

    questions: int = 0
    scenes: set[Scene] = field(default_factory=set)
    kinds: Counter[AnswerKind] = field(default_factory=Counter)
    letters: Counter[str] = field(default_factory=Counter)
    numbers: Counter[float] = field(default_factory=Counter)
    words: Counter[str] = field(default_factory=Counter)


@dataclass
class Composition:
    """What a set holds, counted while it passes: grows with scenes and answers, not with rows."""

    questions: int = 0
    types: dict[str, TypeCounts] = field(default_factory=lambda: defaultdict(TypeCounts))
    scenes: dict[Scene, str] = field(default_factory=dict)
    """(dataset, scene) -> the benchmark or split that shows it, or ""."""
    generators: Counter[tuple[str, int, str]] = field(default_factory=Counter)
    """(name, version, settings as text) -> questions."""
    seeds: Counter[int | None] = field(default_factory=Counter)
    styles: Counter[str] = field(default_factory=Counter)
    leaks: Counter[str] = field(default_factory=Counter)
    """Benchmark or split -> questions about its scenes."""

    def add(self, question: Question) -> None:
        """Count one question."""
        self.questions += 1
        scene = (question.dataset, question.scene)
        if scene not in self.scenes:
            self.scenes[scene] = leaked(*scene) or ""
        if split := question.leak or self.scenes[scene]:
            self.leaks[split] += 1
        counts = self.types[question.question_type]
        counts.questions += 1
        counts.scenes.add(scene)
        kind = question.kind
        counts.kinds[kind] += 1
        if kind == "letter":
            counts.letters[question.gold] += 1
        elif kind == "number":
            counts.numbers[float(question.answer)] += 1
        else:
            counts.words[question.answer] += 1
        self.styles[question.style] += 1
        self.seeds[question.seed] += 1
        made_by = (question.generator, question.version, settings_text(dict(question.settings)))
        self.generators[made_by] += 1

    def scenes_of(self, dataset: str) -> int:
        """Scenes of a data set."""
        return sum(1 for name, _ in self.scenes if name == dataset)


def quantiles(counts: Mapping[float, int], shares: tuple[float, ...]) -> tuple[float, ...]:
    """Values that so many shares of the counted numbers do not exceed (lower quantiles)."""
    total = sum(counts.values())
    ordered = sorted(counts.items())
    found = []
    for share in shares:
        wanted, seen = max(1.0, share * total), 0
        for value, times in ordered:
            seen += times
            if seen >= wanted:
                found.append(value)
                break
    return tuple(found)
