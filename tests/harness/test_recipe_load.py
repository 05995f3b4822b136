"""What a recipe resolves to: layers, components, document, hash."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import harness
from harness.catalogue import Catalogue
from harness.errors import UsageError
from harness.recipe import ResolvedCell, dump_recipe, load_recipe
from harness.strict_yaml import parse

Write = Callable[[str, str], Path]
Load = Callable[..., ResolvedCell]


@pytest.fixture
def load(acme: Catalogue, acme_text: str, write: Write) -> Load:
    """Loads Acme's recipe, or another text, with overrides."""

    def of(*overrides: str, text: str = acme_text, name: str = "r.yaml") -> ResolvedCell:
        (cell,) = load_recipe(write(name, text), overrides, acme).cells
        return cell

    return of


def test_a_cell_holds_the_recipe_and_its_parts(load: Load) -> None:
    cell = load()
    assert (cell.name, cell.recipe.name, dict(cell.axes)) == ("acme", "acme", {})
    assert {path: part.registered.name for path, part in cell.parts.items()} == {
        "scenes.train": "acme_rooms",
        "scenes.evaluate": "acme_rooms",
        "questions.families.acme_colour": "acme_colour",
        "backbone": "acme_vl",
        "train.grpo.rewards.acme_brevity": "acme_brevity",
        "evaluate.tasks.acme_bench": "acme_bench",
    }


def test_settings_are_the_plugins_own_and_typed(load: Load) -> None:
    parts = load().parts
    assert vars(parts["train.grpo.rewards.acme_brevity"].settings) == {
        "most": 5,
        "shape": "step",
        "factor": None,
    }
    scenes: Any = parts["scenes.evaluate"].settings
    assert (scenes.root, scenes.splits) == (Path("/scans"), ("val",))


def test_a_key_may_name_a_component_under_another_name(load: Load) -> None:
    cell = load("train.grpo.rewards.brief={use: acme_brevity, most: 3, weight: 2.0}")
    part: Any = cell.parts["train.grpo.rewards.brief"]
    assert (part.registered.name, part.settings.most) == ("acme_brevity", 3)
    stage: Any = cell.recipe.train["grpo"]
    assert stage.rewards["brief"].weight == 2.0


def test_the_document_has_all_defaults_and_no_matrix(load: Load) -> None:
    document = load().document
    assert document["train"]["grpo"]["rewards"] == {
        "acme_brevity": {"use": "acme_brevity", "weight": 1.0, "most": 5, "shape": "step"}
    }
    assert document["scenes"]["train"] == {
        "use": "acme_rooms",
        "root": "/scans",
        "splits": ["train"],
        "inner": {"depth": 2},
    }
    assert document["backbone"] == {"use": "acme_vl", "checkpoint": "acme/vl"}
    assert "matrix" not in document


def test_a_dumped_recipe_loads_to_the_same_hash(load: Load) -> None:
    cell = load("backbone.checkpoint='010'", "train.sft.args={x: 'no', y: 1e-7, z: '1e-7'}")
    again = load(text=dump_recipe(cell), name="again.yaml")
    assert (again.hash, again.document) == (cell.hash, cell.document)
    assert dump_recipe(again) == dump_recipe(cell)


def test_the_hash_is_of_what_affects_results(load: Load) -> None:
    plain = load().hash
    assert len(plain) == 64
    same = [
        load("name=other"),
        load("description=words"),
        load("train.grpo.beta=1e-4"),
        load("train.grpo.rewards.acme_brevity.use=acme_brevity"),
        load("backbone={checkpoint: acme/vl, use: acme_vl}"),
    ]
    assert {cell.hash for cell in same} == {plain}
    other = [
        load("seed=1"),
        load("train.grpo.beta=0"),
        load("train.grpo.rewards.acme_brevity.most=6"),
        load("questions.families.acme_colour.limit=null"),
        load("evaluate.blind=false"),
    ]
    assert len({plain, *(cell.hash for cell in other)}) == 6


def test_the_order_of_stages_counts_and_of_other_keys_does_not(load: Load, acme_text: str) -> None:
    stage = "  sft:\n    method: sft\n    learning_rate: 1e-4\n"
    moved = acme_text.replace(stage, "").replace("evaluate:\n  tasks", f"{stage}evaluate:\n  tasks")
    assert list(load(text=moved).recipe.train) == ["grpo", "sft"]
    assert load(text=moved).hash != load().hash
    lines = "backbone: {use: acme_vl}\n"
    first = lines + acme_text.replace(lines, "")
    assert load(text=first).hash == load().hash


def test_null_removes_an_entry_and_asks_for_a_default(load: Load) -> None:
    cell = load("train.sft=null", "train.grpo.lora={r: 4}", "train.grpo.lora=null", "seed=null")
    assert list(cell.recipe.train) == ["grpo"]
    assert cell.recipe.train["grpo"].lora is None
    assert cell.recipe.seed == 0


def test_later_overrides_win(load: Load) -> None:
    assert load("seed=1", "seed=2").recipe.seed == 2


def test_text_is_no_number_and_lists_become_tuples(load: Load) -> None:
    with pytest.raises(harness.UsageError, match='seed: expected an integer; found "3"'):
        load("seed='3'")
    with pytest.raises(harness.UsageError, match=r"video\.frames: expected an integer; found 3\.0"):
        load("video.frames=3.0")
    scenes: Any = load("scenes.train.splits=[a, b]").parts["scenes.train"].settings
    assert scenes.splits == ("a", "b")


def test_the_dump_keeps_what_yaml_would_misread(load: Load) -> None:
    checkpoint = "a: #b\n\u2028 010"
    dumped = dump_recipe(load(r"""backbone.checkpoint="a: #b\n\L 010" """))
    document = parse(dumped.encode(), "d")
    assert document.plain()["backbone"]["checkpoint"] == checkpoint


def test_another_component_takes_over_the_settings_it_knows(load: Load) -> None:
    switched = ["scenes.evaluate.use=vsi_bench_meta", "scenes.evaluate.limit=3"]
    cell = load(*switched)
    assert cell.document["scenes"]["evaluate"] == {
        "use": "vsi_bench_meta",
        "root": "/scans",  # `splits` meant acme_rooms alone
        "limit": 3,
        "strict_counts": False,
    }
    assert load(*reversed(switched)).hash == cell.hash


def test_another_component_does_not_hide_a_slip_of_the_pen(load: Load) -> None:
    with pytest.raises(UsageError, match=r"--set scenes.evaluate.limt: unknown key; did you mean"):
        load("scenes.evaluate.limt=3", "scenes.evaluate.use=vsi_bench_meta")
