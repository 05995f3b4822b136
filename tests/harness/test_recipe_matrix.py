from __future__ import annotations

from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest

import harness
from harness.catalogue import Catalogue
from harness.recipe import ResolvedRecipe, dump_recipe, load_recipe

Write = Callable[[str, str], Path]
Load = Callable[..., ResolvedRecipe]


@pytest.fixture
def load(acme: Catalogue, acme_text: str, write: Write) -> Load:
    """Loads Acme's recipe with a matrix and overrides."""

    def of(matrix: str, *overrides: str) -> ResolvedRecipe:
        return load_recipe(write("r.yaml", f"{acme_text}matrix: {matrix}\n"), overrides, acme)

    return of


def test_every_combination_is_a_cell_the_last_axis_fastest(load: Load) -> None:
    resolved = load("{train.grpo.beta: [0.0, 1e-4], seed: [0, 1]}")
    assert [cell.name for cell in resolved.cells] == [
        "beta=0.0-seed=0",
        "beta=0.0-seed=1",
        "beta=0.0001-seed=0",
        "beta=0.0001-seed=1",
    ]
    found = [(cell.recipe.train["grpo"], cell.recipe.seed) for cell in resolved.cells]
    assert [(getattr(stage, "beta", None), seed) for stage, seed in found] == list(
        product([0.0, 1e-4], [0, 1])
    )
    assert resolved.matrix == {"train.grpo.beta": (0.0, 1e-4), "seed": (0, 1)}
    assert resolved.cells[1].axes == {"train.grpo.beta": 0.0, "seed": 1}
    assert [cell.recipe.matrix for cell in resolved.cells] == [{}] * 4
    assert len({cell.hash for cell in resolved.cells}) == 4


def test_without_a_matrix_the_cell_has_the_recipes_name(load: Load) -> None:
    resolved = load("{}", "name=mine")
    assert [(cell.name, cell.axes) for cell in resolved.cells] == [("mine", {})]
    assert resolved.matrix == {}


def test_a_cell_of_a_matrix_is_the_recipe_with_that_override(load: Load) -> None:
    (cell,) = load("{seed: [3]}").cells
    (alone,) = load("{}", "seed=3").cells
    assert (cell.name, cell.hash) == ("seed=3", alone.hash)
    assert dump_recipe(cell) == dump_recipe(alone)


def test_labels_are_as_long_as_they_must_be(load: Load) -> None:
    matrix = "{train.sft.learning_rate: [1e-3], train.grpo.learning_rate: [1e-4, 1e-5], seed: [1]}"
    assert [cell.name for cell in load(matrix).cells] == [
        "sft.learning_rate=0.001-grpo.learning_rate=0.0001-train.seed=1".replace(
            "train.seed", "seed"
        ),
        "sft.learning_rate=0.001-grpo.learning_rate=1e-05-seed=1",
    ]


def test_null_on_an_axis_is_the_default(load: Load) -> None:
    resolved = load("{train.grpo.rewards.acme_brevity.shape: [slope, null]}")
    rewards = [cell.parts["train.grpo.rewards.acme_brevity"].settings for cell in resolved.cells]
    assert [
        (cell.name, vars(one)["shape"]) for cell, one in zip(resolved.cells, rewards, strict=True)
    ] == [
        ("shape=slope", "slope"),
        ("shape=null", "step"),
    ]


def test_names_are_safe_for_folders_and_unique(load: Load) -> None:
    resolved = load("{backbone.checkpoint: ['a/b', 'a b', '../../c', '" + "x" * 300 + "']}")
    names = [cell.name for cell in resolved.cells]
    assert names == [
        "checkpoint=a_b",
        "checkpoint=a_b_2",
        "checkpoint=.._.._c",
        f"checkpoint={'x' * 40}",
    ]


def test_an_override_of_an_axis_ends_the_axis(load: Load) -> None:
    matrix = "{train.grpo.beta: [0.0, 1e-4], seed: [0, 1]}"
    for override in ("train.grpo.beta=0.5", "train.grpo={beta: 0.5}"):
        resolved = load(matrix, override)
        assert [cell.name for cell in resolved.cells] == ["seed=0", "seed=1"]
        assert list(resolved.matrix) == ["seed"]
    assert len(load(matrix, "train.grpo.epsilon=0.1").cells) == 4
    assert len(load(matrix, "train.grpo.beta=0.5", "seed=4").cells) == 1


def test_the_matrix_itself_can_be_overridden(load: Load) -> None:
    matrix = "{train.grpo.beta: [0.0, 1e-4], seed: [0, 1]}"
    assert [cell.name for cell in load(matrix, "matrix.seed=[7]").cells] == [
        "beta=0.0-seed=7",
        "beta=0.0001-seed=7",
    ]
    assert len(load(matrix, "matrix.train.grpo.beta=null").cells) == 2
    assert len(load(matrix, "matrix=null").cells) == 1


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ("[1]", "matrix: expected a map: path -> list of values"),
        ("{seed: 1}", "matrix.seed: expected a list of at least one value"),
        ("{seed: []}", "matrix.seed: expected a list of at least one value"),
        ("{seed: [[1]]}", "matrix.seed: the values of an axis are text, numbers, true"),
        ("{seed: [1, 2, 1]}", "matrix.seed: has a value twice: 1"),
        ("{name: [a]}", "matrix.name: cannot be an axis"),
        (
            "{tain.grpo.beta: [1]}",
            "matrix.tain.grpo.beta: is no path of a recipe; did you mean 'train'?",
        ),
        ("{train.grpo.betta: [0.1]}", "train.grpo.betta: unknown key; did you mean 'beta'?"),
        ("{seed: [x]}", 'seed: expected an integer; found "x"'),
        (f"{{seed: {[*range(40)]}, video.frames: {[*range(1, 40)]}}}", "matrix: makes 1560 runs"),
    ],
)
def test_faults_of_a_matrix(load: Load, matrix: str, expected: str) -> None:
    with pytest.raises(harness.UsageError) as caught:
        load(matrix)
    assert str(caught.value).startswith(f"r.yaml:22: {expected}")


def test_two_cells_that_are_one_run_are_refused(load: Load) -> None:
    with pytest.raises(harness.UsageError) as caught:
        load("{train.grpo.beta: [0, 0.0]}")
    assert str(caught.value) == "matrix: the runs 'beta=0' and 'beta=0.0' are the same run"


def test_a_fault_of_all_cells_is_told_once(load: Load) -> None:
    with pytest.raises(harness.UsageError) as caught:
        load("{seed: [0, 1, 2]}", "video.frames=0")
    assert len(str(caught.value).splitlines()) == 1
