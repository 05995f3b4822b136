"""Where recipes come from: files, packaged names, parents, and the machine's own settings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import harness
from harness.catalogue import Catalogue
from harness.recipe import ResolvedRecipe, find_recipe, load_recipe, packaged_recipes

Write = Callable[[str, str], Path]
Load = Callable[..., ResolvedRecipe]


@pytest.fixture
def load(acme: Catalogue, acme_text: str, write: Write) -> Load:
    """Loads a file beside Acme's recipe `base.yaml`."""

    def of(name: str, *overrides: str, local: bool = True) -> ResolvedRecipe:
        write("recipes/base.yaml", acme_text)
        return load_recipe(name, overrides, acme, local=local)

    return of


def test_a_child_changes_its_parent(load: Load, write: Write) -> None:
    write("recipes/child.yaml", "extends: base.yaml\nname: child\nseed: 7\ntrain: {sft: null}\n")
    write("recipes/deep/grandchild.yaml", "extends: ../child.yaml\nseed: 8\n")
    resolved = load("recipes/deep/grandchild.yaml")
    (cell,) = resolved.cells
    assert (cell.recipe.name, cell.recipe.seed, list(cell.recipe.train)) == ("child", 8, ["grpo"])
    assert [path.name for path in resolved.files] == ["base.yaml", "child.yaml", "grandchild.yaml"]


def test_faults_are_told_where_they_were_written(load: Load, write: Write) -> None:
    write("recipes/child.yaml", "extends: base.yaml\nbackbone:\n  chekpoint: x\n")
    with pytest.raises(harness.UsageError) as caught:
        load("recipes/child.yaml")
    assert str(caught.value) == (
        "recipes/child.yaml:3: backbone.chekpoint: unknown key; did you mean 'checkpoint'?"
    )


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (
            {"recipes/a.yaml": "extends: bse.yaml\n"},
            "recipes/a.yaml:1: extends: no file recipes/bse.yaml; did you mean 'base.yaml'?",
        ),
        (
            {"recipes/a.yaml": "extends: b.yaml\n", "recipes/b.yaml": "extends: a.yaml\n"},
            (
                "recipes/a.yaml: extends goes round in a circle: recipes/a.yaml -> recipes/b.yaml -> "
                "recipes/a.yaml"
            ),
        ),
        (
            {"recipes/a.yaml": "extends: a.yaml\n"},
            "recipes/a.yaml: extends goes round in a circle: recipes/a.yaml -> recipes/a.yaml",
        ),
        (
            {"recipes/a.yaml": "seed: 1\nextends: ../outside.yaml\n", "outside.yaml": "seed: 1"},
            (
                "recipes/a.yaml:2: extends: ../outside.yaml lies outside recipes; it must be in "
                "the recipes' folder"
            ),
        ),
        (
            {"recipes/a.yaml": "extends: /etc/passwd.yaml\n"},
            (
                "recipes/a.yaml:1: extends: /etc/passwd.yaml is a path of one machine; write it "
                "relative to this file"
            ),
        ),
        (
            {"recipes/a.yaml": "extends: [base.yaml]\n"},
            (
                "recipes/a.yaml:1: extends: expected one file beside this one (base.yaml) or one "
                "packaged recipe's name"
            ),
        ),
        (
            {"recipes/a.yaml": "extends: no_such_recipe_here\n"},
            "recipes/a.yaml:1: extends: no packaged recipe 'no_such_recipe_here' (a file is given",
        ),
        ({"recipes/a.yaml": "extends: b.yaml\n", "recipes/b.yaml": ""}, "recipes/b.yaml: is empty"),
    ],
)
def test_parents_that_cannot_be(
    load: Load, write: Write, files: dict[str, str], expected: str
) -> None:
    for name, text in files.items():
        write(name, text)
    with pytest.raises(harness.UsageError) as caught:
        load("recipes/a.yaml")
    assert str(caught.value).startswith(expected)


def test_a_link_does_not_lead_out_of_the_recipes(load: Load, write: Write) -> None:
    outside = write("outside.yaml", "seed: 1\n").resolve()
    write("recipes/a.yaml", "extends: link.yaml\n")
    Path("recipes/link.yaml").symlink_to(outside)
    with pytest.raises(harness.UsageError, match="lies outside recipes"):
        load("recipes/a.yaml")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("recipes/bas.yaml", "no recipe file recipes/bas.yaml; did you mean 'base.yaml'?"),
        ("nowhere/x.yaml", "no recipe file nowhere/x.yaml; there is no .yaml file in nowhere"),
        ("quickstart.yaml", "the packaged recipe of that name is 'quickstart' (without suffix)"),
        ("recipes/base", "the file is named recipes/base.yaml"),
        ("quickstrat", "did you mean 'quickstart'?"),
        ("../quickstart", "no packaged recipe '../quickstart'"),
        ("", "'' is no file's name"),
        (".", "'.' is no file's name"),
        ("/", "'/' is no file's name"),
        ("presets/strict", "is a preset of questions and no recipe"),
    ],
)
def test_a_recipe_that_is_not_there(load: Load, name: str, expected: str) -> None:
    with pytest.raises(harness.UsageError) as caught:
        load(name)
    assert expected in str(caught.value)


def test_packaged_recipes_are_found_by_name() -> None:
    assert "quickstart" in packaged_recipes()
    assert {name: find_recipe(name).is_file() for name in packaged_recipes()} == dict.fromkeys(
        packaged_recipes(), True
    )


def test_the_machines_settings_go_over_the_file_and_under_overrides(
    load: Load, write: Write
) -> None:
    write("../home/vsi-harness/harness.local.yaml", "seed: 1\nvideo: {frames: 2, height: 56}\n")
    write("recipes/harness.local.yaml", "video: {frames: 3, width: 84}\n")
    resolved = load("recipes/base.yaml", "video.width=112")
    recipe = resolved.cells[0].recipe
    video = recipe.video
    assert (recipe.seed, video.frames, video.height, video.width) == (1, 3, 56, 112)
    assert [path.parent.name for path in resolved.files] == ["recipes", "vsi-harness", "recipes"]
    assert load("recipes/base.yaml", local=False).cells[0].recipe.seed == 0


def test_settings_of_components_apply_where_they_are_used(load: Load, write: Write) -> None:
    write(
        "recipes/harness.local.yaml",
        """\
        components:
          scenes:
            acme_rooms: {root: /mine, splits: [a]}
            not_in_this_recipe: {root: /other}
          backbones:
            acme_vl: {checkpoint: /models/vl}
        """,
    )
    (cell,) = load("recipes/base.yaml", "scenes.train.splits=[b]").cells
    parts: dict[str, Any] = {path: part.settings for path, part in cell.parts.items()}
    assert [str(parts[f"scenes.{which}"].root) for which in ("train", "evaluate")] == ["/mine"] * 2
    assert (parts["scenes.train"].splits, parts["scenes.evaluate"].splits) == (("b",), ("a",))
    assert parts["backbone"].checkpoint == "/models/vl"


def test_settings_of_components_follow_an_override_of_use(load: Load, write: Write) -> None:
    write("recipes/harness.local.yaml", "components: {rewards: {acme_brevity: {most: 9}}}\n")
    (cell,) = load("recipes/base.yaml", "train.grpo.rewards.short={use: acme_brevity}").cells
    settings: Any = cell.parts["train.grpo.rewards.short"].settings
    assert settings.most == 9


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name: x\n", "harness.local.yaml:1: name: belongs in a recipe"),
        ("extends: x\n", "harness.local.yaml:1: extends: belongs in a recipe"),
        ("matrix: {seed: [1]}\n", "harness.local.yaml:1: matrix: belongs in a recipe"),
        ("components: 1\n", "harness.local.yaml:1: components: expected a map of kinds"),
        (
            "components: {scene: {}}\n",
            "harness.local.yaml:1: components.scene: is no kind; did you mean 'scenes'?",
        ),
        (
            "components: {scenes: {a: 1}}\n",
            "harness.local.yaml:1: components.scenes.a: expected a map of settings",
        ),
        (
            "components: {scenes: 1}\n",
            "harness.local.yaml:1: components.scenes: expected a map: component -> settings",
        ),
        (
            "components:\n  scenes:\n    acme_rooms:\n      rot: /x\n",
            "harness.local.yaml:4: scenes.evaluate.rot: unknown key; did you mean 'root'?",
        ),
        ("sed: 1\n", "harness.local.yaml:1: sed: unknown key; did you mean 'seed'?"),
        ("seed: 010\n", "harness.local.yaml:1: 010 is ambiguous"),
    ],
)
def test_faults_of_the_machines_settings(
    load: Load, write: Write, text: str, expected: str
) -> None:
    write("recipes/harness.local.yaml", text)
    with pytest.raises(harness.UsageError) as caught:
        load("recipes/base.yaml")
    assert f"recipes/{expected}" in str(caught.value)
