"""Which question families recompute which types of question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from harness.catalogue import Catalogue, build
from harness.component import QuestionGenerator
from harness.errors import UsageError
from harness.guarded import GuardedQuestions
from harness.recipe import component_alone

# The benchmark's own sampling of distances, and everything else as the families have it.
_CHANGES = {"object_abs_distance": ["mode=vsi_bench"]}


def audit_families(
    preset: str, changes: Sequence[str], catalogue: Catalogue
) -> Mapping[str, GuardedQuestions]:
    """The families by the question types they recompute; of two with one type, the first by name.

    Raises:
        UsageError: the preset is unknown, or its changes are wrong.
    """
    if preset != "vsi_bench" or changes:
        raise UsageError(f"--preset {preset}: expected vsi_bench, without changes")
    by_type: dict[str, GuardedQuestions] = {}
    for name in catalogue.names("questions"):
        part = component_alone(
            "questions", name, _CHANGES.get(name, ()), catalogue, option="--preset"
        )
        generator = cast(QuestionGenerator, build(part.registered, part.settings))
        family = GuardedQuestions(generator, part.registered)
        for kind in family.question_types:
            by_type.setdefault(kind, family)
    return by_type
