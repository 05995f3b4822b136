"""Losses and log-probabilities of the trainers against plain sums over a plain forward pass."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch.nn.functional import logsigmoid

from harness.catalogue import Registered, Source
from harness.component import Component, Settings
from harness.prompt import EVALUATION_PROMPTS
from harness.question import Question
from harness.schema import DpoStage, GrpoStage, Lora, RewardRef, SftStage
from harness.training.dpo import VideoDPOTrainer, train_dpo
from harness.training.grpo import VideoGRPOTrainer, train_grpo
from harness.training.pairs import wrong_answers
from harness.training.rewards import BoundReward
from harness.training.sft import VideoSFTTrainer, train_sft

QUESTIONS = [
    Question(f"q{i}", f"room{i}", "test", "object_counting", text, answer)
    for i, (text, answer) in enumerate(
        [
            ("How many chair(s) are in room0?", "4"),
            ("How many table(s) are in room1, the one with the large window?", "12"),
            ("room2?", "1"),
            ("How many stool(s) are there in room3?", "107"),
        ]
    )
]
ACME = Registered(
    "rewards",
    Component("long", Settings, "acme:build", "a number"),
    Source("acme", "acme-rewards", "1.2"),
)
CLOSE = {"rtol": 1e-4, "atol": 1e-5}
ADAPTERS = Lora(r=4, alpha=8)


@pytest.fixture
def asked(job):
    """A job on the four questions; each is of another length, so that batches are padded."""
    return lambda stage: dataclasses.replace(job(stage), questions=QUESTIONS)


def sequence_logps(model, encoder, question, answer, temperature=1.0):
    """Log-probabilities and entropies (answer tokens) of one row without padding."""
    prompt = encoder.prompt_ids(EVALUATION_PROMPTS["vanilla"].render(question), question.scene)
    return row_logps(model, encoder, prompt + answer, len(answer), question.scene, temperature)


def row_logps(model, encoder, row, keep, scene, temperature):
    ids = torch.tensor([row])
    with torch.no_grad():
        logits = model(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            mm_token_type_ids=encoder.token_types(ids),
            **encoder.pixel_inputs([scene]),
        ).logits[0, -keep - 1 : -1]
    logps = torch.log_softmax(logits.float() / temperature, dim=-1)
    entropies = -(logps.exp() * logps).sum(-1)
    return logps.gather(1, ids[0, -keep:, None])[:, 0], entropies


def pause_guard(trainer):
    """The test's own passes are none of the guard's business."""
    trainer.guard._watching = False


@pytest.mark.parametrize("lora", [None, ADAPTERS], ids=["full", "lora"])
@pytest.mark.parametrize(("batch", "accumulation"), [(4, 1), (2, 2)])
def test_sft_loss(asked, encoder, monkeypatch, lora, batch, accumulation):
    """Cross-entropy over all answer tokens of a step, each token alike."""
    whole, found, expected = VideoSFTTrainer.compute_loss, [], []

    def compared(self, model, inputs, *args, **kwargs):
        loss = whole(self, model, inputs, *args, **kwargs)
        found.append(loss.item())
        pause_guard(self)
        rows = [
            -sequence_logps(model, encoder, q, encoder.target_ids(q.gold))[0] for q in QUESTIONS
        ]
        expected.append(torch.cat(rows).mean().item())
        return loss

    monkeypatch.setattr(VideoSFTTrainer, "compute_loss", compared)
    stage = SftStage(
        method="sft", learning_rate=1e-2, steps=3, batch_size=batch, log_steps=1, lora=lora,
        gradient_accumulation=accumulation, scheduler="constant",
    )  # fmt: skip
    train_sft(asked(stage))
    steps = [sum(found[i : i + accumulation]) for i in range(0, len(found), accumulation)]
    assert len(steps) == 3
    torch.testing.assert_close(steps, expected[::accumulation], **CLOSE)
    assert steps[2] < steps[0]


@pytest.mark.parametrize("lora", [None, ADAPTERS], ids=["full", "lora"])
def test_dpo_loss(asked, encoder, monkeypatch, backbone, checkpoint, lora):
    """-log sigmoid(beta x (gain of the right answer - gain of the wrong one)), over whole answers."""
    whole, found, expected = VideoDPOTrainer.compute_loss, [], []
    base, beta = backbone.load_model(checkpoint), 0.3

    def compared(self, model, inputs, *args, **kwargs):
        loss = whole(self, model, inputs, *args, **kwargs)
        found.append(loss.item())
        pause_guard(self)
        margins = []
        for question, wrong in zip(QUESTIONS, wrong_answers(QUESTIONS, 0), strict=True):
            gains = [
                (
                    sequence_logps(model, encoder, question, encoder.target_ids(answer))[0].sum()
                    - sequence_logps(base, encoder, question, encoder.target_ids(answer))[0].sum()
                )
                for answer in (question.gold, wrong)
            ]
            margins.append(gains[0] - gains[1])
        expected.append(-logsigmoid(beta * torch.stack(margins)).mean().item())
        return loss

    monkeypatch.setattr(VideoDPOTrainer, "compute_loss", compared)
    stage = DpoStage(
        method="dpo", learning_rate=1e-2, steps=3, batch_size=4, beta=beta, lora=lora,
        scheduler="constant",
    )  # fmt: skip
    train_dpo(asked(stage))
    assert len(found) == 3
    torch.testing.assert_close(found, expected, **CLOSE)
    assert found[0] == pytest.approx(0.693147, abs=1e-5)  # log 2: policy and reference are the same
    assert found[2] < 0.6


@pytest.mark.parametrize("lora", [None, ADAPTERS], ids=["full", "lora"])
def test_grpo_log_probabilities(asked, encoder, monkeypatch, lora):
    """Of old, reference and trained policy, for every row of its own prompt, answer and video."""
    whole, passes = VideoGRPOTrainer._get_per_token_logps_and_entropies, []
    temperature = 0.7

    def compared(self, model, ids, mask, keep, *args, **kwargs):
        logps, entropies, rest = whole(self, model, ids, mask, keep, *args, **kwargs)
        pause_guard(self)
        kind = "train" if torch.is_grad_enabled() else self._kind_without_gradient(model)
        scenes = []
        for i in range(len(ids)):
            row, answer = ids[i][mask[i] == 1].tolist(), int(mask[i, -keep:].sum())
            (scene,) = (q.scene for q in QUESTIONS if q.scene in encoder.tokenizer.decode(row))
            scenes.append(scene)
            expected = row_logps(model, encoder, row, answer, scene, temperature)
            torch.testing.assert_close(logps[i, :answer], expected[0], **CLOSE)
            if entropies is not None:
                torch.testing.assert_close(entropies[i, :answer], expected[1], **CLOSE)
        passes.append((kind, entropies is not None, len(set(scenes))))
        return logps, entropies, rest

    monkeypatch.setattr(VideoGRPOTrainer, "_get_per_token_logps_and_entropies", compared)
    stage = GrpoStage(
        method="grpo", learning_rate=1e-2, steps=3, batch_size=4, gradient_accumulation=2,
        num_generations=4, max_completion_length=5, temperature=temperature, beta=0.1, lora=lora,
        rewards={"long": RewardRef()}, scheduler="constant",
        args={"steps_per_generation": 4},  # a batch of rollouts for two steps: old policies matter
    )  # fmt: skip
    reward = BoundReward(
        "long", 1.0, lambda rollouts: [float(len(r.completion) % 3) for r in rollouts], ACME
    )
    train_grpo(asked(stage), [reward])
    assert [kind for kind, _, _ in passes] == (
        ["old", "reference", "train", "train", "train", "train"] * 2
    )[: len(passes)]
    assert len(passes) == 10  # three steps of two passes, and two batches of rollouts
    assert all(entropy == (kind == "train") for kind, entropy, _ in passes)
    assert max(scenes for _, _, scenes in passes) == 4
