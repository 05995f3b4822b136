"""Checks a merged recipe against the schema and its plugins' settings, all faults at once."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from harness.catalogue import Catalogue, Registered, guard
from harness.component import Settings
from harness.errors import PluginError, UsageError
from harness.recipe.known_keys import known_keys
from harness.recipe.merge import Removal, at
from harness.recipe.problem import Path, Problem
from harness.recipe.sections import Section, sections
from harness.strict_yaml import Node, Where
from harness.suggest import suggestion

# What pydantic's kinds of errors expected.
_NOUNS = {
    "bool_type": "true or false",
    "dict_type": "a map",
    "float_type": "a number",
    "int_from_float": "an integer",
    "int_type": "an integer",
    "list_type": "a list",
    "model_type": "a map",
    "path_type": "a path",
    "string_type": "text",
    "tuple_type": "a list",
}
ModelT = TypeVar("ModelT", bound=BaseModel)


@dataclass(frozen=True)
class Part:
    """A component that a recipe names.

    Args:
        path: its section, such as `train.grpo.rewards.accuracy`.
        registered: the component and the plugin it comes from.
        settings: its validated settings.
    """

    path: str
    registered: Registered
    settings: Settings


@dataclass(frozen=True)
class Checked(Generic[ModelT]):
    """A valid recipe, or a part of one, and its components by path."""

    model: ModelT
    parts: Mapping[str, Part]


def check(
    model: type[ModelT], tree: Node, idle: Iterable[Removal], catalogue: Catalogue
) -> Checked[ModelT] | list[Problem]:
    """The recipe, or everything that is wrong with it.

    Args:
        model: what the tree is checked against, the whole recipe or some of its sections.
        tree: all layers merged. idle: nulls that removed nothing. catalogue: the installed plugins.
    """
    problems: list[Problem] = []
    tree = _without_strangers(tree, catalogue)
    found = _validated(model, tree, (), problems)
    parts: dict[str, Part] = {}
    for section in sections(tree):
        part = part_of(section, catalogue, problems)
        if part is not None:
            parts[part.path] = part
    for removal in idle:
        problems += _idle(removal, model, tree, catalogue)
    if problems or found is None:
        return problems
    return Checked(found, parts)


def _without_strangers(tree: Node, catalogue: Catalogue) -> Node:
    """The recipe without the settings of replaced components that their successors do not know."""
    for section in sections(tree):
        found = catalogue.components.get((section.slot.kind, section.name or ""))
        if found is None:
            continue
        known = known_keys(found.component.config, section.settings, ())
        if known is not None:
            tree = _kept(tree, section.path, known | section.slot.ref.model_fields.keys())
    return tree


def _kept(tree: Node, path: Path, known: set[str]) -> Node:
    """The tree, with the map at the path rid of the strangers that are not known."""
    assert isinstance(tree.value, dict)
    if path:
        inner = {path[0]: _kept(tree.value[path[0]], path[1:], known)}
        return replace(tree, value={**tree.value, **inner})
    kept = {k: node for k, node in tree.value.items() if k in known or not node.of_another}
    return replace(tree, value=kept)


def part_of(section: Section, catalogue: Catalogue, problems: list[Problem]) -> Part | None:
    """The component of a section with its settings, or None with what is wrong in `problems`."""
    if section.name is None:
        return None  # a missing or wrong `use`, which the recipe's own schema reports
    where = at(section.node, ("use",)) or section.node
    use = ("use",) if where is not section.node else ()
    try:
        registered = catalogue.get(section.slot.kind, section.name)
    except (UsageError, PluginError) as error:
        plugin = isinstance(error, PluginError)
        problems.append(Problem(where.where, (*section.path, *use), str(error), plugin))
        return None
    try:
        with guard(registered, "checking its settings"):
            config = registered.component.config
            settings = _validated(config, section.settings, section.path, problems, section)
    except PluginError as error:
        problems.append(Problem(section.node.where, section.path, str(error), plugin=True))
        return None
    return None if settings is None else Part(".".join(section.path), registered, settings)


def _validated(
    model: type[ModelT],
    tree: Node,
    path: Path,
    problems: list[Problem],
    section: Section | None = None,
) -> ModelT | None:
    try:
        # JSON mode: lists become tuples and text becomes paths, but "3" is no number.
        return model.model_validate_json(json.dumps(tree.plain()))
    except ValidationError as error:
        faults: dict[Path, list[ErrorDetails]] = {}
        for fault in error.errors(include_url=False):
            faults.setdefault(_place(tree, fault), []).append(fault)
        for place, there in faults.items():
            known = known_keys(model, tree, place[:-1]) if place else None
            if known is not None and section is not None and len(place) == 1:
                known |= section.slot.ref.model_fields.keys()
            message = _message_of_all(there, place, known)
            problems.append(Problem(_where(tree, place), (*path, *place), message))
        return None


def _place(tree: Node, fault: ErrorDetails) -> Path:
    """Where in the recipe a fault lies: pydantic's location has names of types in it as well."""
    place: list[str] = []
    node: Node | None = tree
    location = fault["loc"]
    for index, key in enumerate(location):
        child = node and at(node, (key,))
        missing = fault["type"] == "missing" and index == len(location) - 1
        if child is not None or missing:
            place.append(str(key))
            node = child
    return tuple(place)


def _where(tree: Node, place: Path) -> Where:
    """The line of a value, or of the closest map that should have held it."""
    found = at(tree, place)
    return found.where if found is not None else _where(tree, place[:-1])


def _message_of_all(faults: list[ErrorDetails], place: Path, known: set[str] | None) -> str:
    """Several faults in one place come from the members of a union."""
    nouns = dict.fromkeys(_NOUNS.get(fault["type"], "") for fault in faults)
    if all(nouns):
        return f"expected {' or '.join(nouns)}; found {_short(faults[0]['input'])}"
    return ", or ".join(dict.fromkeys(_message(fault, place, known) for fault in faults))


def _message(fault: ErrorDetails, place: Path, known: set[str] | None) -> str:
    context = fault.get("ctx", {})
    match fault["type"]:
        case "extra_forbidden":
            text = f"unknown key; {suggestion(place[-1], known or (), plural='known keys')}"
        case "missing":
            text = "is missing, and it has no default"
        case "union_tag_not_found":
            text = f"needs the key {context['discriminator']}"
        case "literal_error" | "enum":
            text = _no_choice(fault["input"], context["expected"])
        case "union_tag_invalid":
            text = _no_choice(context["tag"], context["expected_tags"])
        case "too_short":
            text = f"needs at least {context['min_length']}; found {context['actual_length']}"
        case "value_error":
            text = fault["msg"].removeprefix("Value error, ")
        case _:
            text = re.sub(r"^(Input|String) should", "must", fault["msg"])
            text = f"{text[:1].lower()}{text[1:]}; found {_short(fault['input'])}"
    return text


def _no_choice(found: Any, expected: Any) -> str:
    choices = re.findall(r"'([^']*)'", str(expected))
    return f"{_short(found)} is no choice; {suggestion(str(found), choices, plural='choices')}"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= 80 else f"{text[:77]}…"


def _idle(
    removal: Removal, model: type[BaseModel], tree: Node, catalogue: Catalogue
) -> list[Problem]:
    """A `null` for a field asks for its default; any other null should have removed something."""
    *above, key = removal.path
    parent = at(tree, above)
    if parent is None or not isinstance(parent.value, dict):
        return []  # the whole section was removed or replaced by a later layer
    known = _keys_at(model, tree, above, catalogue)
    if known is not None and key in known:
        return []
    siblings = known if known is not None else parent.value.keys()
    advice = suggestion(key, siblings, plural="there are")
    return [Problem(removal.where, removal.path, f"there is nothing to remove; {advice}")]


def _keys_at(
    model: type[BaseModel], tree: Node, path: Sequence[str], catalogue: Catalogue
) -> set[str] | None:
    for section in sections(tree):
        depth = len(section.path)
        if tuple(path[:depth]) == section.path and section.name is not None:
            found = catalogue.components.get((section.slot.kind, section.name))
            if found is None:
                return None
            known = known_keys(found.component.config, section.settings, path[depth:])
            own = section.slot.ref.model_fields.keys() if len(path) == depth else set()
            return None if known is None else known | own
    return known_keys(model, tree, path)
