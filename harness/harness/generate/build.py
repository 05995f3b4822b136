"""Scenes ─► one set of questions, the same whatever order or process its scenes came from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from harness.generate.ask import AskRules, Block, ask
from harness.generate.draw import Kept, draw
from harness.generate.family import Family
from harness.generate.letters import finished
from harness.question import Question
from harness.scene import Scene


def build_questions(
    scenes: Iterable[Scene],
    families: Mapping[str, Family],
    rules: AskRules,
    *,
    limit: int | None = None,
) -> list[Question]:
    """Ask every family about every scene and make one set of it, sorted by scene.

    Args:
        limit: at most this many questions, drawn from the families by their weights.

    Raises:
        PluginError: a generator gave a question about another scene.
    """
    once = {(scene.dataset, scene.id): scene for scene in scenes}
    blocks = [ask(scene, families.values(), rules) for _, scene in sorted(once.items(), key=_place)]
    counts = count(blocks)
    masks = draw(counts, families.values(), seed=rules.seed, limit=limit)
    return list(finished(kept_of(blocks, masks), rules.seed))


def count(blocks: Iterable[Block]) -> Counter[str]:
    """Questions of each family."""
    counts: Counter[str] = Counter()
    for block in blocks:
        counts.update({name: len(found) for name, found in block.questions.items()})
    return counts


def kept_of(blocks: Iterable[Block], masks: Mapping[str, Kept]) -> Iterator[Question]:
    """The drawn questions of blocks that come in the order of their scenes."""
    begin: Counter[str] = Counter()
    for block in blocks:
        for name, found in sorted(block.questions.items()):
            for question, kept in zip(found, masks[name][begin[name] :], strict=False):
                if kept:
                    yield question
            begin[name] += len(found)


def _place(item: tuple[tuple[str, str], Scene]) -> tuple[str, str]:
    return item[0]
