"""Presets as commands take them: `--preset NAME --with PATH=VALUE`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import Field

import harness
from harness.assembly import families_of
from harness.catalogue import Catalogue
from harness.commands.audit_families import audit_families
from harness.plugins import load_catalogue
from harness.recipe import load_preset

Write = Callable[[str, str], Path]

MINE = """\
questions:
  exclude: [wall]
  families:
    near: {use: object_abs_distance, limit: 9, per_scene: 2, weight: 3, mode: vsi_bench}
    object_rel_direction: {max_triples: 1}
"""


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


def settings_of(preset: Any, name: str) -> dict[str, Any]:
    return dict(preset.parts[f"families.{name}"].settings.model_dump())


def test_a_preset_from_a_file(write: Write, catalogue: Catalogue) -> None:
    preset = load_preset(str(write("mine.yaml", MINE)), [], catalogue)
    assert preset.name == "mine.yaml"
    assert list(preset.parts) == ["families.near", "families.object_rel_direction"]
    assert settings_of(preset, "near")["mode"] == "vsi_bench"
    assert preset.questions.exclude == ("wall",)
    assert preset.questions.families["near"].settings == {"mode": "vsi_bench"}


def test_changes_go_over_it_in_their_order(write: Write, catalogue: Catalogue) -> None:
    changes = [
        "families.near.mode=exact",
        "families.near.limit=null",
        "families.object_rel_direction=null",
        "families.object_counting={}",
        "style=vsi_100k",
        "exclude=[floor]",
        "exclude=[ceiling]",
        "rename={trash can: trash bin}",
    ]
    preset = load_preset(str(write("mine.yaml", MINE)), changes, catalogue)
    assert list(preset.parts) == ["families.near", "families.object_counting"]
    assert settings_of(preset, "near")["mode"] == "exact"
    assert preset.questions.families["near"].limit is None
    found = preset.questions
    assert (found.style, found.exclude, found.rename) == (
        "vsi_100k",
        ("ceiling",),
        {"trash can": "trash bin"},
    )


def test_the_document_has_every_value(write: Write, catalogue: Catalogue) -> None:
    document = load_preset(str(write("mine.yaml", MINE)), [], catalogue).document
    assert document["families"]["near"] == {
        "use": "object_abs_distance",
        "limit": 9,
        "per_scene": 2,
        "weight": 3.0,
        "mode": "vsi_bench",
        "min_distance": 0.2,
        "decimals": 1,
        "audit_tolerance": None,
    }
    assert (document["exclude"], document["visible"]) == (["wall"], None)


def test_candidates_are_all_there_is_to_ask(write: Write, catalogue: Catalogue) -> None:
    file = str(write("mine.yaml", MINE))
    preset = load_preset(file, ["families.obj_appearance_order={}"], catalogue, candidates=True)
    families = preset.questions.families
    assert [(ref.limit, ref.per_scene) for ref in families.values()] == [(None, None)] * 3
    assert families["near"].weight == 3.0
    assert families["object_rel_direction"].settings == {"max_triples": None}
    assert settings_of(preset, "object_rel_direction")["max_triples"] is None
    assert settings_of(preset, "obj_appearance_order")["sets"] is None
    assert settings_of(preset, "near")["mode"] == "vsi_bench"
    assert preset.document["families"]["object_rel_direction"]["max_triples"] is None


def test_a_sampling_that_takes_no_null_is_the_plugins_fault(
    write: Write, catalogue: Catalogue
) -> None:
    class Stubborn(harness.Settings):
        draws: Annotated[int, Field(ge=1, json_schema_extra={"sampling": True})] = 3

    near = catalogue.components["questions", "object_abs_distance"]
    stubborn = replace(near, component=replace(near.component, name="stubborn", config=Stubborn))
    mine = replace(
        catalogue, components={**catalogue.components, ("questions", "stubborn"): stubborn}
    )
    file = str(write("mine.yaml", "questions: {families: {stubborn: {}}}\n"))
    assert load_preset(file, [], mine).questions.families["stubborn"].settings == {}
    with pytest.raises(harness.PluginError, match=r"asking everything \(draws: null\)"):
        load_preset(file, [], mine, candidates=True)


@pytest.mark.parametrize(
    ("name", "changes", "expected"),
    [
        (
            "strikt",
            [],
            "--preset: no preset 'strikt' (a file is given with its .yaml); did you mean 'strict'?",
        ),
        ("", [], "--preset: expected a packaged preset's name, or a YAML file"),
        ("x" * 300 + ".yaml", [], "--preset: 'xxx"),
        ("a\0.yaml", [], "--preset: 'a\\x00.yaml' is no file's name"),
        ("gone.yaml", [], "--preset: no file gone.yaml; did you mean 'mine.yaml'?"),
        ("mine.yaml", ["x"], "--with x: expected path=value, such as families."),
        (
            "mine.yaml",
            ["preset=strict"],
            "--with preset: belongs in a recipe, not in a preset",
        ),
        (
            "mine.yaml",
            ["train_limit=3"],
            "--with train_limit: belongs in a recipe, not in a preset",
        ),
        (
            "mine.yaml",
            ["families.far=null"],
            (
                "--with families.far: there is nothing to remove; there are: near, "
                "object_rel_direction"
            ),
        ),
        (
            "mine.yaml",
            ["families.near.mod=exact", "style=plain", "families.object_count={}"],
            "3 problems:\n  --with families.near.mod: unknown key; did you mean 'mode'?\n  --with families.object_count: no component 'object_count' of kind 'questions'; did you mean 'object_counting'?\n  --with style: \"plain\" is no choice; choices: vsi_100k, vsi_bench",
        ),
        (
            "mine.yaml",
            ["families.near={limit: 0}"],
            "--with families.near: families.near.limit: must be greater than or equal to 1",
        ),
        (
            "mine.yaml",
            ["questions.style=vsi_100k"],
            "--with questions.style: questions: unknown key; ",
        ),
    ],
)
def test_what_cannot_be(
    write: Write, catalogue: Catalogue, name: str, changes: list[str], expected: str
) -> None:
    write("mine.yaml", MINE)
    with pytest.raises(harness.UsageError) as caught:
        load_preset(name, changes, catalogue)
    assert str(caught.value).startswith(expected)


def test_the_file_and_the_changes_are_told_apart(write: Write, catalogue: Catalogue) -> None:
    write("mine.yaml", MINE.replace("max_triples: 1", "max_triples: 0"))
    with pytest.raises(harness.UsageError) as caught:
        load_preset("mine.yaml", ["families.near.limit=0"], catalogue)
    assert str(caught.value).splitlines() == [
        "2 problems:",
        (
            "  mine.yaml:5: questions.families.object_rel_direction.max_triples: must be greater "
            "than or equal to 1; found 0"
        ),
        "  --with families.near.limit: must be greater than or equal to 1; found 0",
    ]


def test_its_families_are_built(write: Write, catalogue: Catalogue) -> None:
    families = families_of(load_preset(str(write("mine.yaml", MINE)), [], catalogue))
    near = families["near"]
    assert (near.name, near.limit, near.per_scene, near.weight) == ("near", 9, 2, 3.0)
    assert near.settings == {
        "mode": "vsi_bench", "min_distance": 0.2, "decimals": 1, "audit_tolerance": None
    }  # fmt: skip
    assert list(families) == ["near", "object_rel_direction"]


def test_audits_take_a_preset_and_changes(write: Write, catalogue: Catalogue) -> None:
    file = str(write("mine.yaml", MINE))
    assert set(audit_families(file, [], catalogue)) == {
        "object_abs_distance",
        *(f"object_rel_direction_{level}" for level in ("easy", "medium", "hard")),
    }
    changed = audit_families(file, ["families.object_rel_direction=null"], catalogue)
    assert set(changed) == {"object_abs_distance"}


def test_of_two_families_with_one_type_the_first_by_name_audits(
    write: Write, catalogue: Catalogue
) -> None:
    text = "questions: {families: {b: {use: object_counting}, a: {use: object_counting}}}\n"
    preset = load_preset(str(write("mine.yaml", text)), [], catalogue)
    assert list(families_of(preset)) == ["b", "a"]
    (generator,) = audit_families("mine.yaml", ["families.b.min_count=7"], catalogue).values()
    assert generator.generator.settings.min_count == 2  # type: ignore[attr-defined]


def test_the_audit_command_takes_them(write: Write, harness_main: Callable[..., Any]) -> None:
    write("rows.jsonl", "")
    arguments = ("questions", "audit", "rows.jsonl", "--source", "procedural", "--set", "scenes=1")
    ended = harness_main(*arguments, "--preset", "strict", "--with", "families.nope=null")
    assert ended.code == 2
    assert "--with families.nope: there is nothing to remove" in ended.err
