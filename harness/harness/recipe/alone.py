"""A single component with settings from the command line, outside any recipe."""

from __future__ import annotations

from collections.abc import Sequence

from harness.catalogue import Catalogue
from harness.component import Kind
from harness.errors import UsageError
from harness.recipe.merge import Removal, merge, override
from harness.recipe.problem import Problem, error_of
from harness.recipe.sections import Section, Slot
from harness.recipe.validate import Part, part_of
from harness.schema import PluginRef
from harness.strict_yaml import Node, Where


def component_alone(
    kind: Kind, name: str, overrides: Sequence[str], catalogue: Catalogue, *, option: str
) -> Part:
    """A component by its name, with `KEY=VALUE` settings, checked as a recipe's section is.

    Args:
        option: what the command line calls the name, such as `--source`.

    Raises:
        UsageError: no such component, or wrong settings, all of them at once.
        PluginError: a broken plugin may have offered it.
    """
    where = Where(f"{option} {name}")
    tree = Node({"use": Node(name, where)}, where)
    idle: list[Removal] = []
    unreadable = []
    for text in overrides:
        try:
            tree = merge(tree, override(text), idle)
        except UsageError as error:
            unreadable.append(str(error))
    if unreadable:
        raise UsageError("\n".join(unreadable))
    problems: list[Problem] = []
    part = part_of(Section(Slot(kind, (), PluginRef), (), tree), catalogue, problems)
    if problems or part is None:
        raise error_of(problems)
    return part
