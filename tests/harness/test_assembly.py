"""From a recipe's names to working components."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.assembly import Assembly, refuse_if_missing
from harness.errors import PluginError, UsageError
from harness.plugins import load_catalogue
from harness.recipe import load_recipe

QUICKSTART = Path(__file__).parents[2] / "recipes" / "quickstart.yaml"


def assemble(source: object, *changes: str) -> Assembly:
    (cell,) = load_recipe(source, list(changes), load_catalogue(), local=False).cells
    return Assembly.of(cell)


def test_scenes_and_questions():
    made = assemble(QUICKSTART, "scenes.train.scenes=3", "scenes.evaluate.scenes=2")
    assert (len(made.train_scenes.scene_ids()), len(made.held_out_scenes.scene_ids())) == (3, 2)
    assert not set(made.train_scenes.scene_ids()) & set(made.held_out_scenes.scene_ids())
    assert list(made.families) == list(made.recipe.questions.families)
    family = made.families["object_rel_direction"]
    assert (family.name, family.limit, family.per_scene) == ("object_rel_direction", None, 9)
    assert family.settings["margin"] == 10.0  # all settings, defaults too


def test_one_generator_under_two_names():
    made = assemble(
        QUICKSTART,
        "questions.families.far.use=object_abs_distance",
        "questions.families.far.limit=5",
        "questions.families.far.weight=2.5",
    )
    near, far = (made.families[name] for name in ("object_abs_distance", "far"))
    assert (near.limit, far.limit) == (None, 5)
    assert (near.weight, far.weight) == (1.0, 2.5)
    assert near.generator.version == far.generator.version
    registered = made.registered("questions.families.far")
    assert (registered.name, registered.plugin) == ("object_abs_distance", "harness-plugins")


def test_rewards_carry_name_weight_and_plugin():
    made = assemble(
        QUICKSTART, "train.grpo.rewards.format.weight=0.5", "train.grpo.rewards.again.use=mra"
    )
    rewards = made.rewards("grpo")
    assert [(r.name, r.weight, r.registered.name) for r in rewards] == [
        ("accuracy", 1.0, "accuracy"),
        ("format", 0.5, "format"),
        ("again", 1.0, "mra"),
    ]
    assert {r.registered.distribution for r in rewards} == {"vsi-harness"}


def test_components_are_built_once():
    made = assemble(QUICKSTART)
    assert made.backbone is made.backbone
    assert made.train_scenes is made.train_scenes
    assert made.tasks["generated"] is made.tasks["generated"]


def test_what_is_missing_is_told_with_its_path(tmp_path):
    assert assemble(QUICKSTART).missing() == []
    made = assemble(
        QUICKSTART,
        "scenes.evaluate.use=vsi_bench_meta",
        "scenes.evaluate.scenes=null",
        "scenes.evaluate.seed=null",
        "backbone.use=qwen2_vl",
        "backbone.seed=null",
        f"backbone.checkpoint={tmp_path / 'none'}",
        "evaluate.tasks.vsi_bench.use=vsi_bench",
    )
    problems = made.missing()
    assert [problem.partition(": ")[0] for problem in problems] == [
        "scenes.evaluate",
        "backbone",
        "evaluate.tasks.vsi_bench",
    ]
    with pytest.raises(UsageError) as error:
        refuse_if_missing(problems)
    listed = "\n".join(f"  - {problem}" for problem in problems)
    assert str(error.value) == f"this machine lacks what the recipe needs:\n{listed}"


def test_nothing_missing_is_no_error():
    refuse_if_missing([])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("half", "building gave a HalfScene that lacks load(); expected a harness.SceneSource"),
        ("raises", "while building it: KeyError: 1"),
    ],
)
def test_a_plugin_that_builds_something_else_is_named(install, write, acme_text, name, message):
    install("good", "wrong_builds")
    made = assemble(write("acme.yaml", acme_text.replace("acme_rooms, root: /scans}", name + "}")))
    with pytest.raises(PluginError) as error:
        _ = made.train_scenes
    assert str(error.value).startswith(f"{name!r} (scenes) of plugin 'wrong-builds' (")
    assert message in str(error.value)
