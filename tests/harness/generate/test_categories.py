"""Categories before anything is asked: left out, renamed, plurals merged."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.assembly import families_of
from harness.generate import AskRules, Categories, ask, with_drawn_frames
from harness.plugins import load_catalogue
from harness.recipe import load_preset
from harness.scene import Box, Scene, SceneObject
from harness.schema import LayoutVideo


def room(*categories: str, **more: int) -> Scene:
    """A room with a box for each category, and more of some that have no box."""
    objects = tuple(
        SceneObject(str(place), name, Box.upright((place, 0, 0.5), (0.5, 0.5, 1)))
        for place, name in enumerate(categories)
    )
    return Scene("hall", "test", objects, 20.0, (0, 0, 1), Counter(categories) + Counter(more))


def changed(scene: Scene, **categories) -> tuple[list[str], dict[str, int]]:
    found = Categories(**categories).applied(scene)
    return [thing.category for thing in found.objects], dict(found.counts)


def test_without_a_rule_nothing_changes():
    scene = room("chair", "chairs")
    assert Categories().applied(scene) is scene


def test_what_is_excluded_is_gone_from_boxes_and_counts():
    scene = room("wall", "chair", "wall", wall=1, window=2)
    assert changed(scene, exclude=frozenset({"wall"})) == (["chair"], {"chair": 1, "window": 2})


def test_counts_of_merged_categories_are_summed_in_the_first_ones_place():
    scene = room("desk", "sofa", "table", "desk", table=2)
    expected = (["table", "sofa", "table", "table"], {"table": 5, "sofa": 1})
    assert changed(scene, rename={"desk": "table"}) == expected


def test_names_are_excluded_after_they_are_changed():
    scene = room("desk", "table", "rug")
    rename = {"desk": "table", "rug": "mat"}
    assert changed(scene, rename=rename, exclude=frozenset({"desk", "rug"})) == (
        ["table", "table", "mat"],
        {"table": 2, "mat": 1},
    )
    assert changed(scene, rename=rename, exclude=frozenset({"table"})) == (["mat"], {"mat": 1})


def test_renaming_is_done_once():
    scene = room("a", "b")
    assert changed(scene, rename={"a": "b", "b": "a"}) == (["b", "a"], {"b": 1, "a": 1})


@pytest.mark.parametrize(
    ("plural", "singular"), [("books", "book"), ("boxes", "box"), ("candies", "candy")]
)
def test_plurals_are_merged_where_a_scene_has_both(plural, singular):
    scene = room(plural, singular, **{plural: 2})
    assert changed(scene, merge_plurals=True) == ([singular, singular], {singular: 4})
    alone = room(plural, "lamp")
    assert changed(alone, merge_plurals=True) == ([plural, "lamp"], {plural: 1, "lamp": 1})


@pytest.mark.parametrize(("name", "other"), [("glass", "glas"), ("bus", "bu"), ("iris", "iri")])
def test_words_that_end_in_s_are_no_plurals(name, other):
    assert changed(room(name, other), merge_plurals=True)[0] == [name, other]


def test_plurals_follow_their_singular():
    scene = room("desk", "desks", "table")
    rename = {"desk": "table"}
    assert changed(scene, rename=rename, merge_plurals=True) == (["table"] * 3, {"table": 3})
    own = {"desk": "table", "desks": "bench"}
    assert changed(scene, rename=own, merge_plurals=True)[0] == ["table", "bench", "table"]
    couches = room("couches", "sofas", "sofa")
    assert changed(couches, rename={"couches": "sofas"}, merge_plurals=True)[0] == ["sofa"] * 3


def test_a_plural_of_what_is_excluded_is_excluded():
    scene = room("item", "items", "rug")
    for name in ("item", "items"):
        left = changed(scene, exclude=frozenset({name}), merge_plurals=True)
        assert "rug" in left[0]
        assert name not in left[0]
    both = changed(scene, exclude=frozenset({"item"}), merge_plurals=True)
    assert both == (["rug"], {"rug": 1})


names = st.sampled_from(["a", "as", "b", "bs", "c"])


@settings(derandomize=True, max_examples=100, deadline=None)
@given(st.lists(names, max_size=8), st.dictionaries(names, names), st.frozensets(names))
def test_no_object_is_lost_but_the_excluded(categories, rename, exclude):
    scene = room(*categories)
    merged, counts = changed(scene, rename=rename, merge_plurals=True)
    assert len(merged) == sum(counts.values()) == len(categories)
    assert Counter(merged) == counts
    left, counts = changed(scene, rename=rename, merge_plurals=True, exclude=exclude)
    assert not exclude & set(left)
    assert Counter(left) == counts


def test_every_family_asks_the_changed_scene():
    families = families_of(load_preset("vsi_bench", (), load_catalogue()))
    drawn = with_drawn_frames(furnished(), LayoutVideo(), 0)
    rules = AskRules(
        categories=Categories(frozenset({"picture"}), {"suitcase": "bag"}, merge_plurals=True)
    )
    scene = rules.categories.applied(drawn)
    assert dict(drawn.counts).items() >= {"chair": 4, "chairs": 1, "suitcase": 2}.items()
    assert dict(scene.counts).items() >= {"chair": 5, "bag": 2}.items()
    block = ask(drawn, families.values(), rules)
    assert {name for name, found in block.questions.items() if found} == set(families)
    for name, found in block.questions.items():
        for question in found:
            assert not {"picture", "suitcase", "chairs"} & set(re.findall(r"\w+", question.text))
            assert families[name].generator.recompute(scene, question).agrees is True


def furnished() -> Scene:
    """A room that all families ask about; one of its chairs is called otherwise."""
    from harness_plugins.scenes.procedural import build
    from harness_plugins.scenes.settings import ProceduralSettings

    scene = build(ProceduralSettings(scenes=16, seed=3)).load("procedural_000012_s3")
    odd = scene.of("chair")[0]
    objects = [replace(o, category="chairs") if o is odd else o for o in scene.objects]
    return replace(scene, objects=tuple(objects), counts=Counter(o.category for o in objects))
