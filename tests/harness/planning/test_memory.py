"""The memory estimate, by hand and against peft's own count."""

from __future__ import annotations

import pytest

from harness.component import ModelShape
from harness.planning.memory import estimate, trained_parameters
from harness.schema import DpoStage, GrpoStage, Lora, RewardRef, SftStage

# One layer of everything: hidden 8 in 2 heads of 4, one of them with keys and values (4 wide).
SHAPE = ModelShape(
    parameters=1000,
    vision_parameters=300,
    vision_hidden=6,
    vision_layers=5,
    hidden=8,
    layers=3,
    heads=2,
    kv_heads=1,
    intermediate=16,
    vocabulary=50,
    context=100,
)
COMMON = {"learning_rate": 1e-3, "batch_size": 2}
VIDEO, TEXT = 7, 3
# A token in a layer keeps 8 x hidden + 2 x kv + 4 x intermediate numbers.
A_TOKEN = 8 * 8 + 2 * 4 + 4 * 16
# A video token stands for 4 patches, each of which keeps 16 x the tower's width in a block.
A_VIDEO_TOKEN = 4 * 16 * 6


def sft(**changes):
    return SftStage(method="sft", **{**COMMON, **changes})


def dpo(**changes):
    return DpoStage(method="dpo", **{**COMMON, **changes})


def grpo(**changes):
    own = {"rewards": {"a": RewardRef()}, "max_completion_length": 5, "beta": 0.0}
    return GrpoStage(method="grpo", **{**COMMON, "num_generations": 2, **own, **changes})


def test_supervised_training():
    found = estimate(sft(), SHAPE, "bfloat16", VIDEO, TEXT)
    assert found.weights == 1000 * 2
    assert found.reference == 0
    assert found.gradients == 700 * 2  # the tower is frozen
    assert found.optimizer == 2 * 700 * 2
    rows = 2
    assert found.activations == 2 * rows * ((VIDEO + TEXT) * 3 * A_TOKEN + VIDEO * A_VIDEO_TOKEN)
    assert found.kv_cache == 0
    assert found.total == 2000 + 2800 + 1400 + found.activations


def test_dpo_holds_pairs_and_a_reference():
    found = estimate(dpo(), SHAPE, "float32", VIDEO, TEXT)
    assert found.reference == found.weights == 4000
    rows = 2 * 2
    assert found.activations == 4 * rows * ((VIDEO + TEXT) * 3 * A_TOKEN + VIDEO * A_VIDEO_TOKEN)


def test_grpo_holds_answers_and_the_rollouts_cache():
    found = estimate(grpo(gradient_accumulation=4), SHAPE, "bfloat16", VIDEO, TEXT)
    length = VIDEO + TEXT + 5
    assert found.activations == 2 * 2 * (length * 3 * A_TOKEN + VIDEO * A_VIDEO_TOKEN)
    # keys and values, 4 wide, in 3 layers, for the 8 rollouts of a step
    assert found.kv_cache == 2 * 8 * length * 3 * 2 * 4


@pytest.mark.parametrize(("accumulation", "rollouts_win"), [(1, False), (400, True)])
def test_rollouts_and_the_backward_pass_do_not_happen_at_once(accumulation, rollouts_win):
    found = estimate(grpo(gradient_accumulation=accumulation), SHAPE, "bfloat16", VIDEO, TEXT)
    training = found.gradients + found.activations
    assert (found.kv_cache > training) == rollouts_win
    fixed = found.weights + found.reference + found.optimizer
    assert found.total == fixed + max(training, found.kv_cache)


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        (grpo(beta=0.0), 0),
        (grpo(beta=0.1), 2000),
        (grpo(beta=0.1, lora=Lora()), 0),  # the policy without its adapters
        (dpo(lora=Lora()), 0),
        (sft(), 0),
    ],
)
def test_who_keeps_a_reference_model(stage, expected):
    assert estimate(stage, SHAPE, "bfloat16", VIDEO, TEXT).reference == expected


def test_checkpointing_keeps_layer_boundaries_and_one_layer():
    found = estimate(sft(gradient_checkpointing=True), SHAPE, "bfloat16", VIDEO, TEXT)
    tokens = 2 * (VIDEO + TEXT)
    assert found.activations == 2 * (tokens * (A_TOKEN + 3 * 8) + 2 * VIDEO * A_VIDEO_TOKEN)


@pytest.mark.parametrize(
    ("changes", "blocks", "boundaries"),
    [
        ({}, 1, 0),
        ({"freeze_vision": False}, 5, 0),
        ({"freeze_vision": False, "gradient_checkpointing": True}, 1, 5),
        ({"freeze_vision": False, "lora": Lora()}, 1, 0),  # adapters leave the tower alone
    ],
)
def test_a_tower_that_is_trained_keeps_every_block(changes, blocks, boundaries):
    found = estimate(sft(**changes), SHAPE, "bfloat16", VIDEO, TEXT)
    blind = estimate(sft(**changes), SHAPE, "bfloat16", 0, VIDEO + TEXT)
    patches = 2 * VIDEO * 4
    expected = 2 * patches * (blocks * 16 * 6 + boundaries * 6)
    assert found.activations - blind.activations == expected


def test_what_is_trained():
    assert trained_parameters(sft(), SHAPE) == 700
    assert trained_parameters(sft(freeze_vision=False), SHAPE) == 1000
    # rank 2: q and o 8 + 8, k and v 8 + 4, three of the MLP 8 + 16, in three layers
    adapters = 2 * (2 * 16 + 2 * 12 + 3 * 24) * 3
    assert trained_parameters(sft(lora=Lora(r=2)), SHAPE) == adapters
    found = estimate(sft(lora=Lora(r=2)), SHAPE, "bfloat16", VIDEO, TEXT)
    assert (found.gradients, found.optimizer) == (adapters * 4, adapters * 8)  # in float32


@pytest.mark.parametrize("size", ["tiny", "2B"])
def test_adapters_are_as_many_as_pefts(backbone, checkpoint, size):
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import Qwen2VLConfig, Qwen2VLForConditionalGeneration

    from harness_plugins.backbones.qwen2_vl_sizes import RELEASED, shape_of

    if size == "tiny":
        model, shape = backbone.load_model(checkpoint), backbone.shape()
    else:
        values = dict(RELEASED["Qwen2-VL-2B"])
        with torch.device("meta"):
            model = Qwen2VLForConditionalGeneration(Qwen2VLConfig.from_dict(values))
        shape = shape_of(values, size)
    config = LoraConfig(r=4, target_modules=backbone.lora_targets, task_type="CAUSAL_LM")
    adapted = get_peft_model(model, config, low_cpu_mem_usage=True)
    expected = sum(p.numel() for p in adapted.parameters() if p.requires_grad)
    assert trained_parameters(sft(lora=Lora(r=4)), shape) == expected
