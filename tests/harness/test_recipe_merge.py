from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.recipe.merge import Removal, at, leaves, merge, nested, override
from harness.strict_yaml import Node, Where, parse

SETTINGS = settings(derandomize=True, max_examples=100, deadline=None)


def tree(text: str, source: str = "f") -> Node:
    return parse(text.encode(), source)


def merged(base: str, over: str) -> tuple[Any, list[str]]:
    idle: list[Removal] = []
    result = merge(tree(base, "base"), tree(over, "over"), idle)
    return result.plain(), [".".join(removal.path) for removal in idle]


def test_maps_merge_and_everything_else_replaces() -> None:
    base = "a: {x: 1, y: [1, 2]}\nb: 1\nc: {d: 1}"
    over = "a: {y: [3], z: 2}\nb: {e: 1}\nc: 5"
    expected = {"a": {"x": 1, "y": [3], "z": 2}, "b": {"e": 1}, "c": 5}
    assert merged(base, over) == (expected, [])


def test_null_removes_and_what_it_did_not_find_is_told() -> None:
    assert merged("a: {x: 1, y: 2}", "a: {x: null, z: null}\nb: null\nc: {d: null}") == (
        {"a": {"y": 2}, "c": {}},
        ["a.z", "b", "c.d"],
    )


def test_nulls_in_lists_stay() -> None:
    assert merged("a: 1", "a: [null, 1]") == ({"a": [None, 1]}, [])


def test_values_keep_the_place_of_the_layer_they_come_from() -> None:
    result = merge(tree("a: {x: 1, y: 2}", "base"), tree("\na: {y: 3}", "over"), [])
    found = {path: at(result, path.split(".")) for path in ("a", "a.x", "a.y")}
    places = {path: str(node.where) for path, node in found.items() if node}
    assert places == {"a": "base:1", "a.x": "base:1", "a.y": "over:2"}


def test_layers_are_not_changed() -> None:
    base, over = tree("a: {x: 1}"), tree("a: {y: 2, x: null}")
    merge(base, over, [])
    assert (base.plain(), over.plain()) == ({"a": {"x": 1}}, {"a": {"y": 2, "x": None}})


def test_paths() -> None:
    node = tree("a: {b: [1, {c: 2}], d: 3}")
    assert [at(node, ("a", "b", 1, "c")), at(node, ("a", "b", 9)), at(node, ("a", "d", "e"))] == [
        Node(2, Where("f", 1)),
        None,
        None,
    ]
    assert list(leaves(node)) == [("a", "b"), ("a", "d")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.b.c=1", {"a": {"b": {"c": 1}}}),
        ("a=[1, x=2]", {"a": [1, "x=2"]}),
        ("a=x=y", {"a": "x=y"}),
        ("a=null", {"a": None}),
        ("a={b: 1}", {"a": {"b": 1}}),
        ("matrix.train.grpo.beta=[0.0]", {"matrix": {"train.grpo.beta": [0.0]}}),
        ("matrix=null", {"matrix": None}),
    ],
)
def test_overrides(text: str, expected: object) -> None:
    assert override(text).plain() == expected


@pytest.mark.parametrize("text", ["a", "=1", "a..b=1", ".a=1", "a.=1", "a b=1", " a=1", ""])
def test_no_path_and_value(text: str) -> None:
    with pytest.raises(UsageError, match="expected path=value"):
        override(text)


def test_only_files_extend() -> None:
    with pytest.raises(UsageError, match="only a file can extend"):
        override("extends=base.yaml")


trees = st.recursive(
    st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner),
    max_leaves=8,
)
maps = st.dictionaries(st.sampled_from("abc"), trees)


def as_node(value: Any) -> Node:
    where = Where("f", 1)
    if isinstance(value, dict):
        return Node({key: as_node(inner) for key, inner in value.items()}, where)
    if isinstance(value, list):
        return Node([as_node(inner) for inner in value], where)
    return Node(value, where)


@SETTINGS
@given(maps)
def test_merging_a_recipe_over_itself_or_nothing_changes_nothing(value: Any) -> None:
    node, nothing = as_node(value), as_node({})
    results = [
        merge(*pair, []).plain() for pair in ((node, node), (node, nothing), (nothing, node))
    ]
    assert results == [value, value, value]


@SETTINGS
@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=4), trees)
def test_a_nested_value_is_found_at_its_path(path: list[str], value: Any) -> None:
    found = at(nested(path, as_node(value)), path)
    assert found is not None
    assert found.plain() == value
