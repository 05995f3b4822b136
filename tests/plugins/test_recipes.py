"""The packaged recipes: every one loads, and those of the paper say what the paper says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from harness.component import Settings
from harness.plugins import load_catalogue
from harness.recipe import ResolvedCell, ResolvedRecipe, load_recipe, packaged_recipes
from harness.schema import GrpoStage, TrainStage
from harness_plugins.backbones.settings import Qwen2VLSettings
from harness_rewards.settings import AccuracySettings, FormatSettings

ROOT = Path(__file__).parents[2] / "recipes"
FILES = [f"{name}.yaml" for name in packaged_recipes()]
PAPER = [name for name in FILES if name.startswith(("vsgrpo_", "sft_", "dpo_"))]
GRPO = [name for name in PAPER if name.startswith("vsgrpo_")]
# Stated in the paper (arXiv 2504.00883, section 4), by size of the model.
LEARNING_RATE = {"2b": 1.0e-5, "7b": 5.0e-6}
# Stated in section 3.1: what VSI-100k is made of.
COUNTS = {
    "object_counting": 6_400,
    "object_abs_distance": 75_000,
    "object_rel_distance": 13_000,
    "object_rel_direction": 8_000,
    "object_size_estimation": 13_000,
    "room_size_estimation": 1_500,
}


def load(name: str) -> ResolvedRecipe:
    return load_recipe(ROOT / name, [], load_catalogue(), local=False)


def only_cell(name: str) -> ResolvedCell:
    (cell,) = load(name).cells
    return cell


def stage_of(cell: ResolvedCell) -> TrainStage:
    (stage,) = cell.recipe.train.values()
    return stage


def grpo_of(name: str) -> GrpoStage:
    stage = stage_of(only_cell(name))
    assert isinstance(stage, GrpoStage)
    return stage


def rewards_of(name: str) -> Mapping[str, tuple[float, Settings]]:
    """Weight and settings of each reward, by name."""
    cell = only_cell(name)
    return {
        reward: (ref.weight, cell.parts[f"train.grpo.rewards.{reward}"].settings)
        for reward, ref in grpo_of(name).rewards.items()
    }


def size_of(name: str) -> str:
    return name.removesuffix(".yaml").split("_")[1]


def twins(prefix: str) -> list[str]:
    return [name for name in PAPER if name.startswith(prefix)]


def test_the_recipes_of_the_paper_are_there() -> None:
    assert twins("sft_") == ["sft_2b.yaml", "sft_7b.yaml"]
    assert twins("dpo_") == ["dpo_2b.yaml", "dpo_7b.yaml"]
    assert twins("vsgrpo_") == [
        f"vsgrpo_{size}{mode}.yaml" for size in ("2b", "7b") for mode in ("", "_observe", "_think")
    ]


@pytest.mark.parametrize("name", FILES)
def test_every_recipe_loads(name: str) -> None:
    resolved = load(name)
    # base/ holds what recipes share, so its files need no name of their own
    assert resolved.name == Path(name).stem or name.startswith("base/")
    assert len(resolved.cells) >= 1


@pytest.mark.parametrize("name", FILES)
def test_no_recipe_holds_a_path_of_a_machine(name: str) -> None:
    for cell in load(name).cells:
        for part in cell.parts.values():
            paths = {v for v in dict(part.settings).values() if isinstance(v, Path)}
            assert paths == set()


@pytest.mark.parametrize("name", PAPER)
def test_model_and_learning_rate(name: str) -> None:
    cell = only_cell(name)
    size = size_of(name)
    settings = cell.parts["backbone"].settings
    assert isinstance(settings, Qwen2VLSettings)
    assert settings.checkpoint == f"Qwen/Qwen2-VL-{size.upper()}-Instruct"
    assert stage_of(cell).learning_rate == LEARNING_RATE[size]


@pytest.mark.parametrize("name", PAPER)
def test_questions_are_those_of_vsi_100k(name: str) -> None:
    questions = only_cell(name).recipe.questions
    assert questions.style == "vsi_100k"
    assert {family: ref.limit for family, ref in questions.families.items()} == COUNTS
    assert {family: ref.weight for family, ref in questions.families.items()} == COUNTS
    assert only_cell(name).preset == "vsi_100k"


@pytest.mark.parametrize("name", PAPER)
def test_trained_on_scannets_training_scans_from_a_store(name: str) -> None:
    part = only_cell(name).parts["scenes.train"]
    assert (part.registered.name, part.settings.model_dump()["split"]) == ("store", "train")


@pytest.mark.parametrize("name", PAPER)
def test_measured_on_vsi_bench_alone(name: str) -> None:
    assert list(only_cell(name).recipe.evaluate.tasks) == ["vsi_bench"]


@pytest.mark.parametrize("name", PAPER)
def test_adapters_are_trained(name: str) -> None:
    assert stage_of(only_cell(name)).lora is not None


@pytest.mark.parametrize("name", GRPO)
def test_stated_settings_of_grpo(name: str) -> None:
    stage = grpo_of(name)
    assert (stage.num_generations, stage.temperature, stage.beta) == (14, 1.0, 1e-4)


@pytest.mark.parametrize("name", GRPO)
def test_a_step_holds_whole_groups(name: str) -> None:
    stage = grpo_of(name)
    assert stage.batch_size * stage.gradient_accumulation % stage.num_generations == 0


@pytest.mark.parametrize("name", GRPO)
def test_accuracy_is_relative_error_over_the_smaller_number(name: str) -> None:
    assert rewards_of(name)["accuracy"] == (
        1.0,
        AccuracySettings(numeric="relative_error", denominator="min", shape="linear"),
    )


@pytest.mark.parametrize("size", LEARNING_RATE)
def test_vanilla_has_no_format_reward(size: str) -> None:
    name = f"vsgrpo_{size}.yaml"
    assert grpo_of(name).prompt == "vanilla"
    assert list(rewards_of(name)) == ["accuracy"]


@pytest.mark.parametrize("size", LEARNING_RATE)
@pytest.mark.parametrize("mode", ["think", "observe"])
def test_think_and_observe_reward_their_format_and_are_asked_alike(size: str, mode: str) -> None:
    name = f"vsgrpo_{size}_{mode}.yaml"
    assert grpo_of(name).prompt == mode
    assert rewards_of(name)["format"] == (1.0, FormatSettings(strict=True))
    task = only_cell(name).parts["evaluate.tasks.vsi_bench"].settings
    assert task.model_dump()["prompt"] == mode


@pytest.mark.parametrize("method", ["sft", "dpo"])
def test_twins_take_the_method_of_their_name(method: str) -> None:
    assert [stage_of(only_cell(name)).method for name in twins(f"{method}_")] == [method, method]


def test_the_matrix_is_the_kl_ablation_with_two_seeds() -> None:
    cells = load("quickstart_matrix.yaml").cells
    assert [cell.axes for cell in cells] == [
        {"train.grpo.beta": beta, "seed": seed} for beta in (0.0, 1e-4) for seed in (0, 1)
    ]


def test_the_quickstart_needs_nothing_from_elsewhere() -> None:
    cell = only_cell("quickstart.yaml")
    used = {path: part.registered.name for path, part in cell.parts.items() if "." not in path}
    scenes = {part.registered.name for path, part in cell.parts.items() if "scenes." in path}
    assert (used, scenes) == ({"backbone": "tiny"}, {"procedural"})
