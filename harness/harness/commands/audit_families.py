"""Which question families recompute which types of question, and by which names of things."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from harness.assembly import families_of
from harness.catalogue import Catalogue
from harness.generate import Categories
from harness.guarded import GuardedQuestions
from harness.recipe import load_preset


def audit_families(
    preset: str, changes: Sequence[str], catalogue: Catalogue
) -> Mapping[str, GuardedQuestions]:
    """The families of a preset by the question types they recompute.

    Of two that recompute one type, the first by name does it.

    Args:
        changes: `path=value` each, below `questions`.

    Raises:
        UsageError: there is no such preset, or it or its changes are wrong.
        PluginError: a family cannot be built.
    """
    by_type: dict[str, GuardedQuestions] = {}
    for _, family in sorted(families_of(load_preset(preset, changes, catalogue)).items()):
        generator = cast(GuardedQuestions, family.generator)
        for kind in generator.question_types:
            by_type.setdefault(kind, generator)
    return by_type


def audit_categories(preset: str, changes: Sequence[str], catalogue: Catalogue) -> Categories:
    """What a preset calls things; nothing is left out, as somebody may have asked about it.

    Raises:
        UsageError: as `audit_families`.
    """
    questions = load_preset(preset, changes, catalogue).questions
    return Categories(rename=questions.rename, merge_plurals=questions.merge_plurals)
