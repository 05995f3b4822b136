"""Presets of questions beneath recipes: how they merge, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import harness
from harness.catalogue import Catalogue
from harness.plugins import load_catalogue
from harness.recipe import (
    ResolvedCell,
    ResolvedRecipe,
    dump_recipe,
    load_recipe,
    packaged_preset_names,
    packaged_recipes,
)
from harness.schema import Seen

Write = Callable[[str, str], Path]
Load = Callable[..., ResolvedRecipe]
One = Callable[..., ResolvedCell]

MINE = """\
questions:
  style: vsi_100k
  exclude: [wall]
  visible: {frames: 8}
  families:
    acme_colour: {limit: 10, per_scene: 2, weight: 3.0}
    more: {use: acme_colour, limit: 20}
"""


@pytest.fixture
def load(acme: Catalogue, acme_text: str, write: Write) -> Load:
    """Loads `recipes/r.yaml`, which is Acme's recipe with its questions from elsewhere."""
    families = "  families:\n    acme_colour: {limit: 10}\n"
    assert families in acme_text

    def of(questions: str, *overrides: str, more: str = "") -> ResolvedRecipe:
        text = acme_text.replace(families, f"  {questions}\n") + more
        write("recipes/mine.yaml", MINE)
        return load_recipe(write("recipes/r.yaml", text), overrides, acme)

    return of


@pytest.fixture
def one(load: Load) -> One:
    def of(questions: str, *overrides: str, more: str = "") -> ResolvedCell:
        (cell,) = load(questions, *overrides, more=more).cells
        return cell

    return of


def test_a_recipe_takes_the_questions_of_its_preset(one: One) -> None:
    cell = one("preset: mine.yaml")
    questions = cell.recipe.questions
    assert (questions.style, questions.exclude, cell.preset) == ("vsi_100k", ("wall",), "mine.yaml")
    assert {name: ref.limit for name, ref in questions.families.items()} == {
        "acme_colour": 10,
        "more": 20,
    }
    assert questions.families["acme_colour"].weight == 3.0
    assert questions.visible == Seen(frames=8)
    assert {path for path in cell.parts if path.startswith("questions")} == {
        "questions.families.acme_colour",
        "questions.families.more",
    }


def test_every_layer_goes_over_the_preset(one: One, write: Write) -> None:
    write("recipes/harness.local.yaml", "questions: {families: {more: {per_scene: 7}}}\n")
    cell = one(
        "{preset: mine.yaml, exclude: [floor], families: {acme_colour: {limit: 5}}}",
        "questions.families.more.limit=6",
        more="matrix: {questions.families.acme_colour.per_scene: [4]}\n",
    )
    families = cell.recipe.questions.families
    assert cell.recipe.questions.exclude == ("floor",)
    assert [(ref.limit, ref.per_scene) for ref in families.values()] == [(5, 4), (6, 7)]
    assert families["acme_colour"].weight == 3.0


@pytest.mark.parametrize(
    ("questions", "overrides"),
    [
        ("{preset: mine.yaml, families: {more: null}, visible: null}", []),
        ("preset: mine.yaml", ["questions.families.more=null", "questions.visible=null"]),
    ],
)
def test_null_removes_what_the_preset_has(one: One, questions: str, overrides: list[str]) -> None:
    cell = one(questions, *overrides)
    assert list(cell.recipe.questions.families) == ["acme_colour"]
    assert cell.recipe.questions.visible is None


def test_a_null_of_the_machine_removes_too(one: One, write: Write) -> None:
    write("recipes/harness.local.yaml", "questions: {families: {more: null}}\n")
    assert list(one("preset: mine.yaml").recipe.questions.families) == ["acme_colour"]


def test_a_parents_preset_lies_below_the_parent_and_is_found_beside_it(
    one: One, write: Write, acme: Catalogue
) -> None:
    one("{preset: mine.yaml, families: {acme_colour: {limit: 5}}}")
    child = write("recipes/deep/child.yaml", "extends: ../r.yaml\nname: child\n")
    resolved = load_recipe(child, [], acme)
    assert resolved.cells[0].recipe.questions.families["acme_colour"].limit == 5
    assert [path.name for path in resolved.files] == ["mine.yaml", "r.yaml", "child.yaml"]


def test_the_last_layer_to_name_a_preset_decides(one: One, write: Write) -> None:
    write("other.yaml", "questions: {families: {acme_colour: {limit: 99}}}\n")
    cell = one("preset: no_such_preset", "questions.preset=other.yaml")
    assert {n: ref.limit for n, ref in cell.recipe.questions.families.items()} == {
        "acme_colour": 99
    }
    none = one("{preset: mine.yaml, families: {only: {use: acme_colour}}}", "questions.preset=null")
    assert (list(none.recipe.questions.families), none.preset) == (["only"], None)


def test_a_preset_can_be_an_axis(load: Load, write: Write) -> None:
    write("recipes/other.yaml", "questions: {families: {acme_colour: {limit: 99}}}\n")
    resolved = load("{}", more="matrix: {questions.preset: [mine.yaml, other.yaml]}\n")
    assert [(cell.name, cell.preset) for cell in resolved.cells] == [
        ("preset=mine.yaml", "mine.yaml"),
        ("preset=other.yaml", "other.yaml"),
    ]
    assert [list(cell.recipe.questions.families) for cell in resolved.cells] == [
        ["acme_colour", "more"],
        ["acme_colour"],
    ]
    assert [path.name for path in resolved.files] == ["mine.yaml", "other.yaml", "r.yaml"]


def test_the_hash_is_of_the_questions_and_not_of_the_presets_name(one: One, write: Write) -> None:
    cell = one("preset: mine.yaml")
    write("recipes/twin.yaml", MINE)
    assert one("preset: twin.yaml").hash == cell.hash
    assert one("{preset: mine.yaml, exclude: [floor]}").hash != cell.hash
    assert cell.recipe.questions.preset is None
    assert "preset" not in cell.document["questions"]


def test_two_cells_with_the_same_questions_are_the_same_run(load: Load, write: Write) -> None:
    write("recipes/twin.yaml", MINE)
    with pytest.raises(harness.UsageError, match="are the same run"):
        load("{}", more="matrix: {questions.preset: [mine.yaml, twin.yaml]}\n")


def test_a_dumped_recipe_needs_no_preset(one: One, write: Write, acme: Catalogue) -> None:
    cell = one("{preset: mine.yaml, families: {more: null}, visible: null}")
    text = dump_recipe(cell)
    assert text.startswith("# questions from the preset mine.yaml\nname: acme\n")
    (again,) = load_recipe(write("elsewhere/again.yaml", text), [], acme).cells
    assert (again.hash, again.document, again.preset) == (cell.hash, cell.document, None)


def test_the_machines_settings_of_a_component_go_over_the_preset(write: Write) -> None:
    write(
        "harness.local.yaml",
        "components: {questions: {object_abs_distance: {min_distance: 0.9}}}\n",
    )
    recipe = write("r.yaml", "extends: quickstart\nname: x\nquestions: {preset: strict}\n")
    (cell,) = load_recipe(recipe, [], load_catalogue()).cells
    settings = cell.parts["questions.families.object_abs_distance"].settings.model_dump()
    assert (settings["min_distance"], settings["mode"]) == (0.9, "exact")


@pytest.mark.parametrize(
    ("questions", "overrides", "expected"),
    [
        (
            "preset: strikt",
            [],
            (
                "recipes/r.yaml:7: questions.preset: no preset 'strikt' (a file is given with its "
                ".yaml); did you mean 'strict'?"
            ),
        ),
        (
            "preset: zebra",
            [],
            (
                "recipes/r.yaml:7: questions.preset: no preset 'zebra' (a file is given with its "
                ".yaml); presets: strict, vsi_100k, vsi_bench"
            ),
        ),
        (
            "preset: mien.yaml",
            [],
            (
                "recipes/r.yaml:7: questions.preset: no file recipes/mien.yaml; did you mean "
                "'mine.yaml'?"
            ),
        ),
        (
            "preset: strict.yaml",
            [],
            (
                "recipes/r.yaml:7: questions.preset: no file recipes/strict.yaml; the packaged "
                "preset of that name is 'strict' (without suffix)"
            ),
        ),
        (
            "preset: ../outside.yaml",
            [],
            (
                "recipes/r.yaml:7: questions.preset: ../outside.yaml lies outside recipes; it must "
                "be in the recipes' folder"
            ),
        ),
        (
            "preset: /etc/mine.yaml",
            [],
            (
                "recipes/r.yaml:7: questions.preset: /etc/mine.yaml is a path of one machine; write "
                "it relative to this file"
            ),
        ),
        (
            "preset: [strict]",
            [],
            (
                "recipes/r.yaml:7: questions.preset: expected a packaged preset's name, or a YAML "
                "file beside this one"
            ),
        ),
        ("preset: ''", [], "recipes/r.yaml:7: questions.preset: expected a packaged preset's name"),
        ("preset: ../presets/strict", [], "recipes/r.yaml:7: questions.preset: no preset '../pre"),
        (
            "preset: mine.yaml",
            ["questions.preset=gone.yaml"],
            "--set questions.preset: no file gone.yaml; did you mean 'outside.yaml'?",
        ),
        (
            "preset: mine.yaml",
            ["questions.preset=3"],
            "--set questions.preset: expected a packaged preset's name",
        ),
        (
            "{preset: mine.yaml, families: {mor: null}}",
            [],
            (
                "recipes/r.yaml:7: questions.families.mor: there is nothing to remove; did you mean "
                "'more'?"
            ),
        ),
        (
            "preset: mine.yaml",
            ["questions.families.mor=null"],
            "--set questions.families.mor: there is nothing to remove; did you mean 'more'?",
        ),
        (
            "preset: mine.yaml",
            ["questions.families.acme_colour=null", "questions.families.more=null"],
            "recipes/mine.yaml:5: questions.families: needs at least 1; found 0",
        ),
        (
            "preset: mine.yaml",
            ["questions.families=null"],
            "questions.families: is missing, and it has no default",
        ),
    ],
)
def test_a_preset_that_cannot_be(
    load: Load, questions: str, overrides: list[str], expected: str
) -> None:
    Path("outside.yaml").write_text(MINE)
    with pytest.raises(harness.UsageError) as caught:
        load(questions, *overrides)
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "name: x\nquestions: {families: {acme_colour: {}}}\nseed: 1\n",
            [
                "2 problems:",
                "  p.yaml:1: name: belongs in a recipe; a preset has the one key questions",
                "  p.yaml:3: seed: belongs in a recipe; a preset has the one key questions",
            ],
        ),
        (
            "extends: mine.yaml\n",
            [
                "2 problems:",
                "  p.yaml:1: extends: belongs in a recipe; a preset has the one key questions",
                "  p.yaml:1: questions: is missing; a preset has this one key",
            ],
        ),
        (
            "questions:\n  preset: strict\n  train_file: a.jsonl\n  train_limit: 3\n",
            [
                "3 problems:",
                "  p.yaml:2: questions.preset: belongs in a recipe, not in a preset",
                "  p.yaml:3: questions.train_file: belongs in a recipe, not in a preset",
                "  p.yaml:4: questions.train_limit: belongs in a recipe, not in a preset",
            ],
        ),
        (
            (
                "questions:\n  stile: x\n  visible: {frames: 2, min_frames: 3}\n  families:\n"
                "    acme_colour: {weight: 0}\n    acme_color: {}\n    other: {use: acme_colour, x: 1}\n"
            ),
            [
                "5 problems:",
                "  p.yaml:2: questions.stile: unknown key; did you mean 'style'?",
                "  p.yaml:3: questions.visible: min_frames 3 is more than frames 2",
                "  p.yaml:5: questions.families.acme_colour.weight: must be greater than 0; found 0",
                (
                    "  p.yaml:6: questions.families.acme_color: no component 'acme_color' of kind "
                    "'questions'; did you mean 'acme_colour'?"
                ),
                "  p.yaml:7: questions.families.other.x: unknown key; known keys: ",
            ],
        ),
        ("questions: 3\n", ["p.yaml:1: questions: expected a map of what is asked"]),
        ("questions: {\n", ["p.yaml:2: "]),
        ("", ["p.yaml: is empty"]),
    ],
)
def test_faults_of_a_preset_are_told_where_they_were_written(
    load: Load, write: Write, text: str, expected: list[str]
) -> None:
    write("recipes/p.yaml", text)
    with pytest.raises(harness.UsageError) as caught:
        load("preset: p.yaml")
    lines = str(caught.value).replace("recipes/p.yaml", "p.yaml").splitlines()
    assert [line[: len(e)] for line, e in zip(lines, expected, strict=False)] == expected
    assert len(lines) == len(expected)


def test_presets_are_no_recipes(write: Write, acme: Catalogue) -> None:
    assert packaged_preset_names() == ("strict", "vsi_100k", "vsi_bench")
    assert [name for name in packaged_recipes() if "preset" in name] == []
    child = write("r.yaml", "extends: presets/strict\nname: x\n")
    for name, start in (("presets/strict", ""), (child, "r.yaml:1: extends: ")):
        with pytest.raises(harness.UsageError) as caught:
            load_recipe(name, [], acme)
        assert str(caught.value) == (
            f"{start}presets/strict is a preset of questions and no recipe; a recipe names it: "
            "questions: {preset: strict}"
        )


def test_the_file_of_a_preset_is_no_recipe_either(acme: Catalogue) -> None:
    file = Path(__file__).parents[2] / "recipes" / "presets" / "strict.yaml"
    with pytest.raises(harness.UsageError, match="is a preset of questions and no recipe"):
        load_recipe(file, [], acme)
