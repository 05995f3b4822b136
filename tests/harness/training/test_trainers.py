"""Real TRL trainers on a tiny Qwen2-VL: the video is in every pass, and resuming changes nothing."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file

from harness.catalogue import Registered, Source
from harness.component import Component, Settings
from harness.errors import AlignmentError, PluginError
from harness.schema import DpoStage, GrpoStage, Lora, RewardRef, SftStage
from harness.training.dpo import train_dpo
from harness.training.grpo import VideoGRPOTrainer, train_grpo
from harness.training.rewards import BoundReward
from harness.training.sft import train_sft
from harness.training.shared import last_checkpoint

ADAPTERS = Lora(r=4, alpha=8)
ACME = Registered(
    "rewards",
    Component("long", Settings, "acme:build", "long is good"),
    Source("acme", "acme-rewards", "1.2"),
)


class LongIsGood:
    def __call__(self, rollouts):
        return [float(len(rollout.completion) % 5) for rollout in rollouts]


def sft(**changes):
    return SftStage(
        **{
            "method": "sft", "learning_rate": 1e-3, "steps": 4, "batch_size": 4, "save_steps": 2,
            "log_steps": 1, **changes,
        }
    )  # fmt: skip


def dpo(**changes):
    return DpoStage(
        **{
            "method": "dpo", "learning_rate": 1e-3, "steps": 4, "batch_size": 2, "save_steps": 2,
            "log_steps": 1, **changes,
        }
    )  # fmt: skip


def grpo(**changes):
    return GrpoStage(
        **{
            "method": "grpo", "learning_rate": 1e-3, "steps": 4, "batch_size": 4, "num_generations": 4,
            "gradient_accumulation": 2, "max_completion_length": 6, "save_steps": 2, "log_steps": 1,
            "beta": 0.01, "rewards": {"long": RewardRef()}, **changes,
        }
    )  # fmt: skip


def run(job, stage, folder=None):
    made = job(stage, folder)
    if stage.method == "grpo":
        return train_grpo(made, [BoundReward("long", 1.0, LongIsGood(), ACME)]), made.folder
    return (train_sft if stage.method == "sft" else train_dpo)(made), made.folder


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model" / "model.safetensors")


def curve(folder: Path) -> list[dict[str, float]]:
    timed = ("step_time",)
    return [
        {k: v for k, v in json.loads(line).items() if k not in timed}
        for line in (folder / "metrics.jsonl").read_text().splitlines()
    ]


@pytest.mark.parametrize("lora", [None, ADAPTERS], ids=["full", "lora"])
@pytest.mark.parametrize("make", [sft, dpo, grpo])
def test_every_pass_sees_every_video(job, make, lora):
    stage = make(lora=lora, steps=2)
    summary, folder = run(job, stage)
    passes = {
        "sft": {"train": 8},
        "dpo": {"train and reference": 16},
        "grpo": {"generate": 16, "reference": 16, "train": 16},
    }[stage.method]
    assert {kind: count["videos"] for kind, count in summary["guard"].items()} == passes
    # 4 frames of 56 x 56: 2 temporal x 4 x 4 patches, merged 2 x 2 to 8 tokens
    assert all(c["patch_rows"] == 32 * c["videos"] for c in summary["guard"].values())
    assert all(c["video_tokens"] == 8 * c["videos"] for c in summary["guard"].values())
    assert summary["trainable_parameters"] > 0
    assert (folder / "adapter").is_dir() == (lora is not None)


@pytest.mark.parametrize("make", [sft, dpo, grpo])
def test_training_changes_the_language_model_and_leaves_the_frozen_tower(job, checkpoint, make):
    _, folder = run(job, make(steps=2))
    before, after = load_file(Path(checkpoint) / "model.safetensors"), weights(folder)
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved
    assert not any("visual" in name for name in moved)


@pytest.mark.parametrize("lora", [None, ADAPTERS], ids=["full", "lora"])
@pytest.mark.parametrize("make", [sft, dpo, grpo])
def test_a_resumed_run_ends_with_the_same_numbers(job, tmp_path, make, lora):
    _, whole = run(job, make(lora=lora), tmp_path / "whole")
    # the first process dies after the checkpoint of step 2: the longer schedule is the same one
    broken = tmp_path / "broken"
    stop_after(job, make(lora=lora), broken, steps=3)
    assert last_checkpoint(broken / "checkpoints").name == "checkpoint-2"
    _, resumed = run(job, make(lora=lora), broken)
    assert curve(resumed) == curve(whole)
    first, second = weights(whole), weights(resumed)
    assert all(torch.equal(first[name], second[name]) for name in first)
    if make is grpo:
        assert (resumed / "rollouts.jsonl").read_text() == (whole / "rollouts.jsonl").read_text()


def stop_after(job, stage, folder, steps):
    class StoppedError(Exception):
        pass

    def progress(done, _total, _shown):
        if done == steps:
            raise StoppedError

    def stopping(stage, folder):
        return dataclasses.replace(job(stage, folder), progress=progress)

    with pytest.raises(StoppedError):
        run(stopping, stage, folder)


def test_a_half_written_checkpoint_is_removed(job, tmp_path):
    folder = tmp_path / "torn"
    stop_after(job, sft(), folder, steps=3)
    torn = folder / "checkpoints" / "checkpoint-3"
    torn.mkdir()
    (torn / "model.safetensors").write_bytes(b"half")
    assert last_checkpoint(folder / "checkpoints").name == "checkpoint-2"
    assert not torn.exists()


def test_a_blind_forward_pass_stops_the_run(job, monkeypatch):
    whole = VideoGRPOTrainer._get_per_token_logps_and_entropies

    def blind(self, *args, **kwargs):
        with monkeypatch.context() as patch:
            patch.setattr(self.job.encoder, "pixel_inputs", lambda _keys: {})
            return whole(self, *args, **kwargs)

    monkeypatch.setattr(VideoGRPOTrainer, "_get_per_token_logps_and_entropies", blind)
    with pytest.raises(AlignmentError, match="found 0 call"):
        run(job, grpo())


def test_another_video_in_the_forward_pass_stops_the_run(job, encoder, monkeypatch):
    whole = VideoGRPOTrainer._get_per_token_logps_and_entropies

    def swapped(self, *args, **kwargs):
        true = encoder.pixel_inputs
        with monkeypatch.context() as patch:
            patch.setattr(encoder, "pixel_inputs", lambda keys: true(["room7"] * len(keys)))
            return whole(self, *args, **kwargs)

    monkeypatch.setattr(VideoGRPOTrainer, "_get_per_token_logps_and_entropies", swapped)
    with pytest.raises(AlignmentError, match="alignment guard"):
        run(job, grpo())


def test_plain_trl_drops_the_video_and_the_guard_says_so(job, monkeypatch):
    """What TRL 1.16 does by itself with a video prompt: the reason for the guard."""
    from trl import GRPOTrainer

    def plain(self, model, ids, mask, keep, *args, **kwargs):
        with self.guard.watch("train", self._keys[: len(ids)], ids):
            return GRPOTrainer._get_per_token_logps_and_entropies(
                self, model, ids, mask, keep, *args, **kwargs
            )

    monkeypatch.setattr(VideoGRPOTrainer, "_get_per_token_logps_and_entropies", plain)
    with pytest.raises(AlignmentError, match="found 0 call"):
        run(job, grpo(batch_size=4, gradient_accumulation=1))


@pytest.mark.parametrize(
    ("reward", "message"),
    [
        (lambda rollouts: [1.0], r"gave 1 values for 8"),
        (lambda rollouts: [float("nan")] * len(rollouts), "finite"),
        (lambda rollouts: [None] * len(rollouts), "finite"),
        (lambda rollouts: 1 / 0, "ZeroDivisionError"),
    ],
)
def test_a_bad_reward_is_named(job, reward, message):
    with pytest.raises(PluginError, match=message) as error:
        train_grpo(job(grpo()), [BoundReward("mine", 1.0, reward, ACME)])
    assert "plugin 'acme' (acme-rewards 1.2)" in str(error.value)


def test_a_step_must_hold_whole_groups():
    with pytest.raises(ValidationError, match="no multiple of num_generations"):
        grpo(num_generations=3)


@pytest.mark.parametrize("make", [sft, dpo])
def test_reasoning_cannot_be_learnt_from_answers_alone(make):
    with pytest.raises(ValidationError, match="asks for reasoning"):
        make(prompt="think")
