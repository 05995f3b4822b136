"""What a stage of a recipe becomes in TRL's configs; `args` reach them, or are refused by name."""

from __future__ import annotations

from dataclasses import fields

import pytest
from trl import DPOConfig, DPOTrainer, GRPOConfig, GRPOTrainer, SFTConfig, SFTTrainer

from harness.schema import DpoStage, GrpoStage, Lora, RewardRef, SftStage
from harness.training.dpo import train_dpo
from harness.training.grpo import train_grpo
from harness.training.sft import train_sft
from harness.training.shared import BLIND_ARGS, OWN_ARGS, check_args

COMMON = {
    "learning_rate": 3e-4, "batch_size": 6, "gradient_accumulation": 2, "steps": 9, "warmup_steps": 2,
    "scheduler": "linear", "max_grad_norm": 0.7, "weight_decay": 0.01, "save_steps": 4, "log_steps": 3,
    "gradient_checkpointing": True, "lora": Lora(r=3, alpha=5, dropout=0.1), "args": {"adam_beta2": 0.9},
}  # fmt: skip
EXPECTED = {
    "learning_rate": 3e-4, "per_device_train_batch_size": 6, "gradient_accumulation_steps": 2,
    "max_steps": 9, "warmup_steps": 2, "lr_scheduler_type": "linear", "max_grad_norm": 0.7,
    "weight_decay": 0.01, "save_steps": 4, "logging_steps": 3, "gradient_checkpointing": True,
    "adam_beta2": 0.9, "seed": 0, "data_seed": 0, "remove_unused_columns": False, "save_total_limit": 2,
}  # fmt: skip


class StoppedError(Exception):
    pass


@pytest.fixture
def given(monkeypatch, job):
    """What a stage hands to the constructor of TRL's trainer."""

    def take(trainer_class, run):
        taken = {}

        def stop(_self, **arguments):
            taken.update(arguments)
            raise StoppedError

        monkeypatch.setattr(trainer_class, "__init__", stop)
        with pytest.raises(StoppedError):
            run(job)
        return taken

    return take


def values(args, names):
    return {name: getattr(args, name) for name in names}


def test_sft(given):
    taken = given(SFTTrainer, lambda job: train_sft(job(SftStage(method="sft", **COMMON))))
    assert values(taken["args"], EXPECTED) == EXPECTED
    assert taken["args"].dataset_kwargs == {"skip_prepare_dataset": True}
    assert taken["args"].max_length is None  # else video tokens could be cut
    assert len(taken["train_dataset"]) == 24


def test_dpo(given):
    stage = DpoStage(method="dpo", beta=0.3, **COMMON)
    taken = given(DPOTrainer, lambda job: train_dpo(job(stage)))
    assert values(taken["args"], EXPECTED) == EXPECTED
    assert (taken["args"].beta, taken["args"].max_length) == (0.3, None)


def test_grpo(given, encoder):
    own = {
        "num_generations": 4, "temperature": 0.8, "max_completion_length": 7, "beta": 0.02,
        "epsilon": 0.3, "loss_type": "dr_grpo", "importance_sampling_level": "sequence",
    }  # fmt: skip
    stage = GrpoStage(method="grpo", rewards={"a": RewardRef()}, **COMMON, **own)
    taken = given(GRPOTrainer, lambda job: train_grpo(job(stage), []))
    assert values(taken["args"], EXPECTED) == EXPECTED
    assert values(taken["args"], own) == own
    assert taken["args"].generation_kwargs == {"suppress_tokens": encoder.silent_token_ids()}


@pytest.mark.parametrize("lora", [None, Lora(r=3, alpha=5, dropout=0.1)])
def test_adapters(given, backbone, lora):
    stage = SftStage(method="sft", **{**COMMON, "lora": lora})
    config = given(SFTTrainer, lambda job: train_sft(job(stage)))["peft_config"]
    if lora is None:
        assert config is None
    else:
        assert (config.r, config.lora_alpha, config.lora_dropout) == (3, 5, 0.1)
        assert config.target_modules == backbone.lora_targets


@pytest.mark.parametrize("freeze", [True, False])
def test_the_tower_is_frozen_as_the_stage_says(given, backbone, freeze):
    stage = SftStage(method="sft", learning_rate=1e-3, freeze_vision=freeze)
    model = given(SFTTrainer, lambda job: train_sft(job(stage)))["model"]
    trained = {p.requires_grad for p in backbone.vision_tower(model).parameters()}
    assert trained == {not freeze}
    assert all(p.requires_grad for p in model.model.language_model.parameters())


def test_names_that_are_refused_exist():
    """A name that TRL has dropped would guard nothing."""
    known = {f.name for config in (SFTConfig, DPOConfig, GRPOConfig) for f in fields(config)}
    assert known >= OWN_ARGS
    assert {f.name for f in fields(GRPOConfig)} >= BLIND_ARGS


def test_args_that_are_wrong_are_named():
    args = {
        "learning_rate": 1.0, "use_vllm": True, "adam_bata1": 0.5, "zzz": 1, "adam_beta1": 0.8,
        "num_generations": 3, "use_transformers_continuous_batching": False,
    }  # fmt: skip
    stage = GrpoStage(method="grpo", learning_rate=1e-3, rewards={"a": RewardRef()}, args=args)
    assert check_args("train.mine", stage, GRPOConfig) == [
        "train.mine.args.learning_rate: set by the recipe's own keys, not in args",
        (
            "train.mine.args.use_vllm: TRL gives it no videos, so the model would answer blind; "
            "leave it out"
        ),
        "train.mine.args.adam_bata1: GRPOConfig has no such field; did you mean 'adam_beta1'?",
        "train.mine.args.zzz: GRPOConfig has no such field",
        "train.mine.args.num_generations: set by the recipe's own keys, not in args",
    ]


def test_what_is_no_key_of_the_stage_may_be_set():
    stage = SftStage(method="sft", learning_rate=1e-3, args={"loss_type": "dft"})
    assert check_args("train.mine", stage, SFTConfig) == []
