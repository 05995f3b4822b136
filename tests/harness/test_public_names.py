"""`import harness`: the names for plugin authors."""

from __future__ import annotations

import ast
import inspect
from importlib import import_module
from pathlib import Path

import pytest

import harness


def test_all_is_sorted_and_each_name_has_one_home():
    assert harness.__all__ == sorted(harness.__all__)
    assert sorted(harness._MODULE_OF) == harness.__all__
    assert sum(len(names.split()) for names in harness._HOME.values()) == len(harness.__all__)


@pytest.mark.parametrize("name", harness.__all__)
def test_every_name_is_that_of_its_module_and_is_documented(name):
    value = getattr(harness, name)
    assert value is getattr(import_module(harness._MODULE_OF[name]), name)
    if name != "hookimpl":  # pluggy's own
        assert inspect.getdoc(value)


def test_type_checkers_see_the_same_names():
    tree = ast.parse(Path(harness.__file__).read_text())
    (block,) = (
        node
        for node in tree.body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )
    seen = {
        alias.name: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen == harness._MODULE_OF


def test_star_import_gives_them_all():
    namespace: dict[str, object] = {}
    exec("from harness import *", namespace)
    assert set(harness.__all__) <= set(namespace)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'harness' has no attribute 'Sence'"):
        _ = harness.Sence
    assert not hasattr(harness, "Recipe")
