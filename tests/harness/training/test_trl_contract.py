"""What the harness relies on in TRL and transformers: an upgrade that changes it fails here."""

from __future__ import annotations

import inspect

import pytest
import torch
from transformers import Trainer, TrainingArguments
from trl import DPOTrainer, GRPOTrainer, SFTTrainer
from trl.trainer import grpo_trainer
from trl.trainer.utils import (
    shuffle_sequence_dict,
    split_pixel_values_by_grid,
    split_tensor_dict,
    unsplit_pixel_values_by_grid,
)

from harness.training.grpo import VideoGRPOTrainer
from harness.training.shared import ExactResume

LOSS = ["self", "model", "inputs", "return_outputs", "num_items_in_batch"]
# Methods that the harness overrides or calls, with the parameters it counts on.
SIGNATURES = [
    (GRPOTrainer._tokenize_prompts, ["self", "prompts"]),
    (
        GRPOTrainer._generate_single_turn,
        ["self", "prompt_ids", "images", "multimodal_fields", "num_generations", "has_tool_images"],
    ),
    (
        GRPOTrainer._calculate_rewards,
        ["self", "inputs", "prompts", "completions", "completion_ids_list"],
    ),
    (GRPOTrainer._generate_and_score_completions, ["self", "inputs"]),
    (GRPOTrainer._compute_loss, ["self", "model", "inputs"]),
    (
        GRPOTrainer._get_per_token_logps_and_entropies,
        [
            "self",
            "model",
            "input_ids",
            "attention_mask",
            "logits_to_keep",
            "batch_size",
            "compute_entropy",
            "compute_aux_loss",
            "pixel_values",
            "image_grid_thw",
            "num_images",
            "pixel_attention_mask",
            "spatial_shapes",
            "num_tiles",
            "image_sizes",
            "token_type_ids",
            "mm_token_type_ids",
            "image_position_ids",
        ],
    ),
    (SFTTrainer.compute_loss, LOSS),
    (DPOTrainer.compute_loss, LOSS),
    (
        DPOTrainer._prepare_dataset,
        ["self", "dataset", "processing_class", "args", "dataset_name"],
    ),
    (Trainer._load_from_checkpoint, ["self", "resume_from_checkpoint", "model"]),
]


@pytest.mark.parametrize(
    ("method", "parameters"), SIGNATURES, ids=[m.__qualname__ for m, _ in SIGNATURES]
)
def test_signatures(method, parameters):
    assert list(inspect.signature(method).parameters) == parameters


def test_grpo_asks_for_log_probabilities_in_one_place():
    """The override would miss a second one."""
    everywhere = inspect.getsource(grpo_trainer).count("fused_lm_head=True")
    there = inspect.getsource(GRPOTrainer._get_per_token_logps_and_entropies)
    assert (everywhere, there.count("fused_lm_head=True")) == (1, 1)


def test_overrides_exist_in_trl():
    own = {name for name, value in vars(VideoGRPOTrainer).items() if inspect.isfunction(value)}
    ours_alone = {"attach", "_kind_without_gradient", "_log_rollouts"}
    assert own - ours_alone == {name for name in own if hasattr(GRPOTrainer, name)}


def test_rows_keep_their_video_when_trl_shuffles_and_splits():
    """`_prepare_inputs` passes a generation batch through these, in this order."""
    rows = 12
    batch = {
        "prompt_ids": torch.arange(rows)[:, None].repeat(1, 3),
        "advantages": torch.arange(rows) * 0.5,
        "num_items_in_batch": torch.tensor(60),
        "old_per_token_logps": None,
        "video_index": torch.arange(rows) * 10,
    }
    torch.manual_seed(0)
    shuffled = shuffle_sequence_dict(split_pixel_values_by_grid(batch))
    parts = [unsplit_pixel_values_by_grid(part) for part in split_tensor_dict(shuffled, 3)]
    assert [len(part["video_index"]) for part in parts] == [4, 4, 4]
    for part in parts:
        assert torch.equal(part["video_index"], part["prompt_ids"][:, 0] * 10)
        assert torch.equal(part["advantages"], part["prompt_ids"][:, 0] * 0.5)
    together = torch.cat([part["video_index"] for part in parts])
    assert not torch.equal(together, batch["video_index"])
    assert torch.equal(together.sort().values, batch["video_index"])


class ResumingTrainer(ExactResume, Trainer):
    pass


@pytest.fixture
def resumed(backbone, checkpoint, tmp_path):
    """The parts of a model that a trainer of some class finds in a checkpoint of another model."""
    saved = backbone.load_model(checkpoint)
    with torch.no_grad():
        for parameter in saved.parameters():
            parameter.add_(1.0)
    saved.save_pretrained(tmp_path / "checkpoint-1")

    def resume(trainer_class):
        model = backbone.load_model(checkpoint)
        arguments = TrainingArguments(str(tmp_path), use_cpu=True, report_to="none")
        trainer = trainer_class(model=model, args=arguments)
        trainer._load_from_checkpoint(str(tmp_path / "checkpoint-1"))
        pairs = zip(model.named_parameters(), saved.parameters(), strict=True)
        return [name for (name, found), wanted in pairs if torch.equal(found, wanted)]

    return resume


def test_plain_resuming_loads_no_weight(resumed):
    """transformers 5.17: once this fails, upstream is mended and `ExactResume` can go."""
    assert resumed(Trainer) == []


def test_exact_resuming_loads_every_weight(resumed, backbone, checkpoint):
    names = [name for name, _ in backbone.load_model(checkpoint).named_parameters()]
    assert resumed(ResumingTrainer) == names
