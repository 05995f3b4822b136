"""The JSON Schema, and the packaged recipes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import BaseModel

import harness
from harness.catalogue import Catalogue
from harness.plugins import load_catalogue
from harness.recipe import dump_recipe, find_recipe, load_recipe, packaged_recipes, recipe_schema
from harness.recipe.sections import ANY, SLOTS
from harness.schema import PluginRef, Recipe
from harness.strict_yaml import parse, read

Write = Callable[[str, str], Path]


def accepts(schema: dict[str, Any], text: str) -> bool:
    return bool(jsonschema.Draft202012Validator(schema).is_valid(parse(text.encode(), "f").plain()))


@pytest.fixture
def schema(acme: Catalogue) -> dict[str, Any]:
    return recipe_schema(acme)


def test_it_is_a_json_schema(schema: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(schema)
    assert json.loads(json.dumps(schema)) == schema


def test_every_reference_in_it_leads_somewhere(schema: dict[str, Any]) -> None:
    references = {part.split('"')[0] for part in json.dumps(schema).split('"$ref": "#/$defs/')[1:]}
    assert references - schema["$defs"].keys() == set()
    assert "PluginRef" not in " ".join(references)


@pytest.mark.parametrize(
    "change",
    [
        "",
        "matrix: {train.grpo.beta: [0.0, 1e-4], seed: [0, 1]}",
        "seed: null",
        "extends: base.yaml",
    ],
)
def test_accepted_recipes_pass(
    acme: Catalogue, acme_text: str, write: Write, schema: dict[str, Any], change: str
) -> None:
    text = f"{acme_text}{change}\n"
    write("base.yaml", acme_text)
    load_recipe(write("r.yaml", text), [], acme)
    assert accepts(schema, text)


FAMILIES = "questions:\n  families:\n    acme_colour: {limit: 10}\n"
MINE = "questions: {families: {more: {use: acme_colour}, acme_colour: {limit: 3}}}\n"


@pytest.mark.parametrize(
    ("questions", "matrix"),
    [
        ("questions: {preset: mine.yaml}\n", ""),
        ("questions: {preset: mine.yaml, families: {more: {limit: 5}, acme_colour: null}}\n", ""),
        ("questions: {preset: mine.yaml, visible: {frames: 3}, exclude: [wall]}\n", ""),
        ("", "matrix: {questions.preset: [mine.yaml, null]}\n"),
        (
            "questions: {families: {more: {limit: 5}}}\n",
            "matrix: {questions.preset: [mine.yaml]}\n",
        ),
    ],
)
def test_what_a_preset_gives_may_be_left_out(
    acme: Catalogue, acme_text: str, write: Write, schema: dict[str, Any], questions, matrix
) -> None:
    assert FAMILIES in acme_text
    write("mine.yaml", MINE)
    text = acme_text.replace(FAMILIES, questions) + matrix
    load_recipe(write("r.yaml", text), ["questions.preset=mine.yaml"], acme)
    assert accepts(schema, text)
    without = text.replace("preset: mine.yaml", "style: vsi_bench").replace(
        "questions.preset", "seed"
    )
    assert not accepts(schema, without)


@pytest.mark.parametrize(
    "text",
    [
        "questions: {preset: mine.yaml, families: {more: {use: acme_colour, limit: 0}}}\n",
        "questions: {preset: mine.yaml, families: {acme_colour: {weight: 0}}}\n",
        "questions: {preset: mine.yaml, families: {acme_colour: {mod: 1}}}\n",
        "questions: {preset: 3}\n",
        "questions: {preset: mine.yaml, visible: {frame: 3}}\n",
        "questions: {preset: mine.yaml, rename: {a: 1}}\n",
        "questions: {preset: null}\n",
    ],
)
def test_a_preset_excuses_nothing_else(
    acme: Catalogue, acme_text: str, write: Write, schema: dict[str, Any], text: str
) -> None:
    write("mine.yaml", MINE)
    text = acme_text.replace(FAMILIES, text)
    with pytest.raises(harness.UsageError):
        load_recipe(write("r.yaml", text), [], acme)
    assert not accepts(schema, text)


@pytest.mark.parametrize(
    "text",
    [
        "extends: base.yaml",
        "extends: base.yaml\ntrain: {grpo: {beta: 0.1, rewards: {acme_brevity: null}}, sft: null}",
        "extends: base.yaml\nscenes: {train: {splits: [a]}}\nbackbone: {checkpoint: x}",
        "extends: base.yaml\ntrain: {grpo: {rewards: {short: {use: acme_brevity, most: 3}}}}",
    ],
)
def test_files_that_change_a_parent_may_leave_things_out(
    acme: Catalogue, acme_text: str, write: Write, schema: dict[str, Any], text: str
) -> None:
    extra = "      short: {use: acme_brevity}\n"
    write("base.yaml", acme_text.replace("      acme_brevity", f"{extra}      acme_brevity"))
    load_recipe(write("r.yaml", text), [], acme)
    assert accepts(schema, text)
    assert not accepts(schema, text.replace("extends: base.yaml", "name: x"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("use: acme_vl", "use: acme_lv"),
        ("use: acme_vl", "checkpoint: x"),
        ("{use: acme_vl}", "{use: acme_vl, chekpoint: x}"),
        ("{most: 5}", "{most: 500}"),
        ("{most: 5}", "{use: acme_brevity, most: x}"),
        ("acme_brevity:", "brief:"),
        ("{limit: 10}", "{limit: 0}"),
        ("method: sft", "method: sftt"),
        ("learning_rate: 1e-5", "learning_rate: 0"),
        ("learning_rate: 1e-5", "learning_rat: 1e-5"),
        ("name: acme", "nam: acme"),
        ("sft:", "1sft:"),
        ("[val]", "[1]"),
    ],
)
def test_what_the_loader_refuses_fails_in_the_editor_too(
    acme: Catalogue,
    acme_text: str,
    write: Write,
    schema: dict[str, Any],
    old: str,
    new: str,
) -> None:
    text = acme_text.replace(old, new, 1)
    assert text != acme_text
    with pytest.raises(harness.UsageError):
        load_recipe(write("r.yaml", text), [], acme)
    assert not accepts(schema, text)


def test_every_section_that_names_a_plugin_is_a_slot() -> None:
    found: set[tuple[str, ...]] = set()

    def walk(annotation: Any, path: tuple[str, ...]) -> None:
        if isinstance(annotation, type) and issubclass(annotation, PluginRef):
            found.add(path)
        elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
            for name, field in annotation.model_fields.items():
                walk(field.annotation, (*path, name))
        else:
            inner = getattr(annotation, "__args__", ())
            is_map = getattr(annotation, "__origin__", None) is dict
            for argument in inner:
                walk(argument, (*path, ANY) if is_map else path)

    walk(Recipe, ())
    assert found == {slot.path for slot in SLOTS}


def test_packaged_recipes_are_faultless_but_for_the_machines_paths(
    subtests: pytest.Subtests,
) -> None:
    catalogue = load_catalogue(strict=True)
    schema = recipe_schema(catalogue)
    for name in packaged_recipes():
        with subtests.test(name):
            file = find_recipe(name)
            jsonschema.validate(read(file).plain(), schema)
            lines: list[str] = []
            try:
                resolved = load_recipe(name, [], catalogue, local=False)
            except harness.UsageError as error:
                lines = [line for line in str(error).splitlines() if not line.endswith("problems:")]
            else:
                for cell in resolved.cells:
                    assert dump_recipe(cell)
            assert [line for line in lines if "is missing, and it has no default" not in line] == []


def test_a_packaged_recipe_survives_dumping(write: Write) -> None:
    catalogue = load_catalogue()
    for cell in load_recipe("quickstart_matrix", [], catalogue).cells:
        path = write(f"{cell.name}.yaml", dump_recipe(cell))
        (again,) = load_recipe(path, [], catalogue).cells
        assert (again.hash, again.document) == (cell.hash, cell.document)
