"""Presets of questions for commands: `--preset NAME --with PATH=VALUE`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.catalogue import Catalogue, guard
from harness.errors import UsageError
from harness.recipe.document import document_of
from harness.recipe.layers import override_layers
from harness.recipe.merge import Removal, merged, nested
from harness.recipe.preset_files import of_recipes, preset_file, read_preset
from harness.recipe.problem import Problem, error_of
from harness.recipe.validate import Checked, Part, check
from harness.schema import FamilyRef, PresetFile, Questions
from harness.strict_yaml import Node, Where

_PRESET, _WITH = "--preset", "--with"
_EXAMPLE = "families.object_abs_distance.mode=exact"
_ROOT = "questions"


@dataclass(frozen=True)
class Preset:
    """Questions to ask, with their families' components.

    Args:
        name: as on the command line.
        questions: what is asked; families hold the settings that the preset and the changes write.
        parts: the components by `families.NAME`, with all settings.
        document: the questions as plain values, with every default.
    """

    name: str
    questions: Questions
    parts: Mapping[str, Part]
    document: Mapping[str, Any]


def load_preset(
    name: str, changes: Sequence[str], catalogue: Catalogue, *, candidates: bool = False
) -> Preset:
    """Read and check a preset, outside any recipe and without the machine's settings.

    Args:
        name: a packaged preset, or a file (with suffix).
        changes: `path=value` each, below `questions`; later ones win, `null` removes.
        catalogue: the installed plugins.
        candidates: drop every limit and all sampling, to ask every admissible question.

    Raises:
        UsageError: anything wrong with the preset or the changes, all of it at once.
        PluginError: the preset needs what a broken plugin may have offered, or a family's setting
            that is said to sample does not take null.
    """
    idle: list[Removal] = []
    checked = check(PresetFile, _tree(name, changes, idle), idle, catalogue)
    if not isinstance(checked, Checked):
        raise error_of(_below_questions(checked))
    questions, parts = checked.model.questions, checked.parts
    if candidates:
        samplings = {path: _samplings(part) for path, part in parts.items()}
        parts = {path: _without(part, samplings[path]) for path, part in parts.items()}
        families = {
            key: _all_of(ref, samplings[f"{_ROOT}.families.{key}"])
            for key, ref in questions.families.items()
        }
        questions = questions.model_copy(update={"families": families})
    return Preset(
        name=name,
        questions=questions,
        parts={path.removeprefix(f"{_ROOT}."): part for path, part in parts.items()},
        document=document_of(PresetFile(questions=questions), parts, nulls=True)[_ROOT],
    )


def _tree(name: str, changes: Sequence[str], idle: list[Removal]) -> Node:
    where = Where(f"{_PRESET} {name}")
    try:
        file = preset_file(name, where)
    except UsageError as error:
        raise UsageError(f"{_PRESET}: {error}") from error
    layers = [
        nested((_ROOT,), layer)
        for layer in override_layers(changes, option=_WITH, example=_EXAMPLE)
    ]
    problems = [problem for layer in layers for problem in of_recipes(layer)]
    if problems:
        raise error_of(_below_questions(problems))
    return merged([read_preset(file, idle), *layers], where, idle)


def _below_questions(problems: Iterable[Problem]) -> list[Problem]:
    """Problems with the paths that the command line has."""
    return [
        replace(p, path=p.path[1:]) if p.where.on_command_line and p.path[:1] == (_ROOT,) else p
        for p in problems
    ]


def _samplings(part: Part) -> dict[str, None]:
    """The settings of a component that only draw from what it could ask, by their names in YAML."""
    return {
        field.alias or name: None
        for name, field in type(part.settings).model_fields.items()
        if isinstance(field.json_schema_extra, Mapping) and field.json_schema_extra.get("sampling")
    }


def _without(part: Part, samplings: dict[str, None]) -> Part:
    with guard(part.registered, f"asking everything ({', '.join(samplings)}: null)"):
        values = part.settings.model_dump(by_alias=True) | samplings
        return replace(part, settings=type(part.settings).model_validate(values))


def _all_of(ref: FamilyRef, samplings: Mapping[str, None]) -> FamilyRef:
    return ref.model_copy(update={"limit": None, "per_scene": None, **samplings})
