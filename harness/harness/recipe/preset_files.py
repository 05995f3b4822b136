"""Presets of questions: the files that a recipe names under `questions.preset`."""

from __future__ import annotations

from pathlib import Path

from harness.errors import UsageError
from harness.recipe.merge import Removal, at, merge
from harness.recipe.problem import Problem, error_of
from harness.recipe.sources import (
    SUFFIXES,
    file_beside,
    instead_of,
    packaged_preset_names,
    packaged_presets_root,
    shown,
    usable_path,
)
from harness.strict_yaml import Node, Where, read
from harness.suggest import suggestion

# What a recipe says of its own run, whatever is asked.
_OF_RECIPES = ("preset", "train_file", "train_limit", "evaluate_limit")


def preset_file(name: object, where: Where) -> Path:
    """The file of a preset, given by its name (packaged) or as a file (with suffix).

    A file stands beside the file that names it, and on the command line in the working folder.

    Args:
        where: the place that names it.

    Raises:
        UsageError: there is none, or it leaves the recipes' folder.
    """
    if not isinstance(name, str) or not name:
        raise UsageError("expected a packaged preset's name, or a YAML file beside this one")
    path = usable_path(name)
    if path.suffix in SUFFIXES:
        if not where.on_command_line:
            return file_beside(Path(where.source), name)
        if path.is_file():
            return path
        raise UsageError(f"no file {shown(path)}{instead_of(path)}")
    if name in packaged_preset_names():
        return packaged_presets_root() / f"{name}.yaml"
    advice = suggestion(name, packaged_preset_names(), plural="presets")
    raise UsageError(f"no preset {name!r} (a file is given with its .yaml); {advice}")


def read_preset(file: Path, idle: list[Removal]) -> Node:
    """A preset as the lowest layer of a recipe.

    Args:
        idle: takes every `null` that removed nothing.

    Raises:
        UsageError: unreadable, or with keys that belong in a recipe; all of them at once.
    """
    tree = read(file, shown(file))
    assert isinstance(tree.value, dict)
    problems = [
        Problem(node.where, (key,), "belongs in a recipe; a preset has the one key questions")
        for key, node in tree.value.items()
        if key != "questions"
    ]
    if "questions" not in tree.value:
        problems.append(
            Problem(tree.where, ("questions",), "is missing; a preset has this one key")
        )
    elif not isinstance(tree.value["questions"].value, dict):
        where = tree.value["questions"].where
        problems.append(Problem(where, ("questions",), "expected a map of what is asked"))
    problems += of_recipes(tree)
    if problems:
        raise error_of(problems)
    return merge(Node({}, tree.where), tree, idle)


def of_recipes(tree: Node) -> list[Problem]:
    """What a layer says of questions that only a recipe can say."""
    return [
        Problem(node.where, ("questions", key), "belongs in a recipe, not in a preset")
        for key in _OF_RECIPES
        if (node := at(tree, ("questions", key))) is not None
    ]


def preset_named(tree: Node) -> Node | None:
    """The value of `questions.preset`."""
    return at(tree, ("questions", "preset"))


def without_name(tree: Node) -> Node:
    """A merged recipe that no longer says which preset its questions come from."""
    questions = at(tree, ("questions",))
    if questions is None or not isinstance(questions.value, dict):
        return tree
    assert isinstance(tree.value, dict)
    kept = {key: node for key, node in questions.value.items() if key != "preset"}
    return Node({**tree.value, "questions": Node(kept, questions.where)}, tree.where)
