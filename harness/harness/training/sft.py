"""Supervised fine-tuning with video: TRL's SFTTrainer on the right answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from datasets import Dataset
from torch.nn.utils.rnn import pad_sequence
from trl import SFTConfig, SFTTrainer

from harness.modelling.alignment import AlignmentGuard
from harness.modelling.encoding import VideoEncoder
from harness.prompt import EVALUATION_PROMPTS, target
from harness.training.shared import (
    ExactResume,
    TrainJob,
    lora_config,
    prepare_model,
    run_trainer,
    trl_args,
)

IGNORED = -100  # torch's cross-entropy skips this label


def train_sft(job: TrainJob) -> dict[str, Any]:
    """Train on the answers' tokens alone; gives the stage's summary."""
    model = prepare_model(job)
    guard = AlignmentGuard(job.encoder)
    trainer = VideoSFTTrainer(
        model=model,
        args=trl_args(SFTConfig, job, model, dataset_kwargs={"skip_prepare_dataset": True}),
        train_dataset=Dataset.from_dict({"index": list(range(len(job.questions)))}),
        processing_class=job.encoder.processor,
        data_collator=SFTCollator(job),
        peft_config=lora_config(job),
    )
    trainer.guard = guard
    guard.listen(job.backbone.vision_tower(trainer.model))
    return run_trainer(trainer, job, guard)


class VideoSFTTrainer(ExactResume, SFTTrainer):  # type: ignore[misc]
    """TRL's trainer; the guard sees every forward pass."""

    guard: AlignmentGuard

    def compute_loss(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """TRL's loss, watched."""
        keys = inputs.pop("video_keys")
        with self.guard.watch("train", keys, inputs["input_ids"]):
            return super().compute_loss(model, inputs, *args, **kwargs)


class SFTCollator:
    """Rows of token ids, labels on the answer alone, and the rows' videos."""

    def __init__(self, job: TrainJob) -> None:
        self._job = job

    def __call__(self, rows: Sequence[Mapping[str, int]]) -> dict[str, Any]:
        encoder = self._job.encoder
        questions = [self._job.questions[row["index"]] for row in rows]
        asked = EVALUATION_PROMPTS[self._job.stage.prompt]
        prompts = [encoder.prompt_ids(asked.render(q), q.scene) for q in questions]
        answers = [encoder.target_ids(target(q, asked.mode)) for q in questions]
        return {
            **right_padded(encoder, prompts, answers),
            **encoder.pixel_inputs([q.scene for q in questions]),
            "video_keys": [q.scene for q in questions],
        }


def right_padded(
    encoder: VideoEncoder, prompts: Sequence[list[int]], answers: Sequence[list[int]]
) -> dict[str, torch.Tensor]:
    """Model inputs (rows, length) of prompts with answers, labels on the answers."""
    rows = [torch.tensor(p + a) for p, a in zip(prompts, answers, strict=True)]
    labels = [torch.tensor([IGNORED] * len(p) + a) for p, a in zip(prompts, answers, strict=True)]
    input_ids = pad_sequence(rows, batch_first=True, padding_value=encoder.tokenizer.pad_token_id)
    return {
        "input_ids": input_ids,
        "attention_mask": pad_sequence([torch.ones_like(r) for r in rows], batch_first=True),
        "mm_token_type_ids": encoder.token_types(input_ids),
        "labels": pad_sequence(labels, batch_first=True, padding_value=IGNORED),
    }
