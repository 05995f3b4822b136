"""The packaged presets of questions: what they ask, and that every value says where it is from."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from harness.assembly import ask_rules, families_of
from harness.component import QuestionGenerator
from harness.generate import build_questions
from harness.plugins import load_catalogue
from harness.question import Question
from harness.recipe import load_preset, packaged_preset_names, recipe_schema
from harness.schema import LayoutVideo
from harness.strict_yaml import Node, read
from harness_plugins.scenes.procedural import build
from harness_plugins.scenes.settings import ProceduralSettings

ROOT = Path(__file__).parents[2] / "recipes" / "presets"
PRESETS = packaged_preset_names()
EIGHT = {
    "object_counting",
    "object_abs_distance",
    "object_rel_distance",
    "object_rel_direction",
    "object_size_estimation",
    "room_size_estimation",
    "obj_appearance_order",
    "route_planning",
}
# VSI-100k's counts, as the paper states them (arXiv 2504.00883, section 3.1).
COUNTS = {
    "object_counting": 6_400,
    "object_abs_distance": 75_000,
    "object_rel_distance": 13_000,
    "object_rel_direction": 8_000,
    "object_size_estimation": 13_000,
    "room_size_estimation": 1_500,
}


@pytest.fixture(scope="module")
def catalogue():
    return load_catalogue(strict=True)


@pytest.fixture(scope="module")
def settings(catalogue):
    """Settings of each family of a preset."""

    def of(name: str) -> dict[str, dict[str, Any]]:
        parts = load_preset(name, [], catalogue).parts
        return {
            path.removeprefix("families."): part.settings.model_dump()
            for path, part in parts.items()
        }

    return of


@pytest.fixture(scope="module")
def asked(catalogue):
    """Every question of a preset about six made-up rooms."""
    source = build(ProceduralSettings(scenes=6, seed=5))
    scenes = [source.load(scene_id) for scene_id in source.scene_ids()]

    def of(name: str) -> list[Question]:
        changes = [] if name == "vsi_100k" else ["families.object_rel_distance=null"]  # 60,000
        preset = load_preset(name, changes, catalogue, candidates=True)
        rules = ask_rules(
            preset.questions, style=preset.questions.style, seed=0, layout=LayoutVideo()
        )
        return list(build_questions(scenes, families_of(preset), rules))

    return of


@pytest.mark.parametrize("name", PRESETS)
def test_editors_take_it_as_a_recipes_section(name, catalogue):
    schema = recipe_schema(catalogue)
    section = {"$ref": "#/$defs/whole.Questions", "$defs": schema["$defs"]}
    jsonschema.validate(read(ROOT / f"{name}.yaml").plain()["questions"], section)


@pytest.mark.parametrize("name", PRESETS)
def test_every_value_of_a_family_says_where_it_is_from(name):
    lines = (ROOT / f"{name}.yaml").read_text().splitlines()
    questions = read(ROOT / f"{name}.yaml").value["questions"]
    silent = [
        lines[line - 1].strip()
        for line in {node.where.line for node in values(questions.value["families"])}
        if "#" not in lines[line - 1]
    ]
    if name == "vsi_100k":  # a comment above the families says it of both
        silent = [line for line in silent if not re.match("(limit|weight):", line)]
    assert silent == []


def values(node: Node) -> list[Node]:
    if not isinstance(node.value, dict):
        return [node]
    return [value for inner in node.value.values() for value in values(inner)]


def test_vsi_bench_asks_the_benchmarks_tasks_by_its_rules(settings, catalogue):
    found = settings("vsi_bench")
    assert set(found) == EIGHT
    assert load_preset("vsi_bench", [], catalogue).questions.style == "vsi_bench"
    assert found["object_abs_distance"]["mode"] == "vsi_bench"
    rel = found["object_rel_distance"]
    assert {rel[k] for k in ("min_distance", "min_gap", "large_room_gap")} == {0.15}
    direction = found["object_rel_direction"]
    assert (direction["compatible_margin"], direction["min_plan_distance"]) == (True, 0)
    assert direction["max_triples"] == 2
    assert found["object_counting"]["min_count"] == 2


def test_vsi_bench_samples_as_many_distances_as_the_benchmark(catalogue):
    families = load_preset("vsi_bench", [], catalogue).questions.families
    assert {name: ref.per_scene for name, ref in families.items() if ref.per_scene} == {
        "object_abs_distance": 7
    }


def test_vsi_100k_is_the_papers_mixture(catalogue):
    questions = load_preset("vsi_100k", [], catalogue).questions
    assert questions.style == "vsi_100k"
    assert {name: ref.limit for name, ref in questions.families.items()} == COUNTS
    assert {name: ref.weight for name, ref in questions.families.items()} == COUNTS


def test_strict_is_nowhere_laxer_than_the_benchmark(settings):
    strict, bench = settings("strict"), settings("vsi_bench")
    assert set(strict) == EIGHT
    at_least = ("min_", "margin", "large_room_gap")
    laxer = [
        f"{family}.{key}"
        for family, found in strict.items()
        for key, value in found.items()
        if (key.startswith(at_least) and value < bench[family][key])
        or (key == "max_stray_corners" and value > bench[family][key])
    ]
    assert laxer == []
    assert strict["object_rel_direction"]["compatible_margin"] is False
    assert {strict[f]["mode"] for f in ("object_abs_distance", "object_rel_distance")} == {"exact"}


def test_strict_asks_less_and_about_what_the_video_shows(asked):
    strict, bench = asked("strict"), asked("vsi_bench")
    less = Counter(q.question_type for q in strict)
    more = Counter(q.question_type for q in bench)
    assert set(less) == set(more)
    assert [kind for kind in less if less[kind] > more[kind]] == []
    assert less.total() < 0.8 * more.total()
    assert all(all(q.frames) for q in strict)
    assert not all(all(q.frames) for q in bench)


def test_vsi_100k_asks_in_words_and_only_left_or_right(asked):
    found = asked("vsi_100k")
    assert {q.options for q in found} == {None}
    assert {q.question_type for q in found} == {
        *(COUNTS.keys() - {"object_rel_direction"}),
        "object_rel_direction_easy",
    }


def test_presets_recompute_every_type_that_they_ask(catalogue):
    for name in PRESETS:
        for family in families_of(load_preset(name, [], catalogue)).values():
            generator: QuestionGenerator = family.generator
            assert generator.question_types, (name, family.name)
