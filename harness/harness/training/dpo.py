"""Direct preference optimisation with video: TRL's DPOTrainer on rule-made pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from datasets import Dataset
from trl import DPOConfig, DPOTrainer

from harness.modelling.alignment import AlignmentGuard
from harness.prompt import EVALUATION_PROMPTS, target
from harness.schema import DpoStage
from harness.training.pairs import wrong_answers
from harness.training.sft import IGNORED, right_padded
from harness.training.shared import (
    ExactResume,
    TrainJob,
    lora_config,
    prepare_model,
    run_trainer,
    trl_args,
)


def train_dpo(job: TrainJob) -> dict[str, Any]:
    """Prefer right answers to wrong ones; gives the stage's summary."""
    stage = job.stage
    assert isinstance(stage, DpoStage)
    model = prepare_model(job)
    guard = AlignmentGuard(job.encoder)
    trainer = VideoDPOTrainer(
        model=model,
        args=trl_args(DPOConfig, job, model, beta=stage.beta),
        train_dataset=Dataset.from_dict({"index": list(range(len(job.questions)))}),
        processing_class=job.encoder.processor,
        data_collator=DPOCollator(job),
        peft_config=lora_config(job),
    )
    trainer.guard = guard
    guard.listen(job.backbone.vision_tower(trainer.model))
    if trainer.ref_model is not None:
        guard.listen(job.backbone.vision_tower(trainer.ref_model))
    return run_trainer(trainer, job, guard)


class VideoDPOTrainer(ExactResume, DPOTrainer):  # type: ignore[misc]
    """TRL's trainer; examples come ready from the collator, and the guard sees every pass."""

    guard: AlignmentGuard

    def _prepare_dataset(self, dataset: Dataset, *_args: Any, **_kwargs: Any) -> Dataset:
        return dataset

    def compute_loss(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """TRL's loss, watched: one pass of the policy, one of the reference."""
        keys = inputs.pop("video_keys")
        with self.guard.watch("train and reference", keys, inputs["input_ids"], calls=2):
            return super().compute_loss(model, inputs, *args, **kwargs)


class DPOCollator:
    """Chosen rows first, then rejected ones, as TRL expects; each row with its video."""

    def __init__(self, job: TrainJob) -> None:
        self._job = job
        self._wrong = wrong_answers(job.questions, job.seed)

    def __call__(self, rows: Sequence[Mapping[str, int]]) -> dict[str, Any]:
        encoder, asked = self._job.encoder, EVALUATION_PROMPTS[self._job.stage.prompt]
        questions = [self._job.questions[row["index"]] for row in rows]
        prompts = [encoder.prompt_ids(asked.render(q), q.scene) for q in questions] * 2
        chosen = [encoder.target_ids(target(q, asked.mode)) for q in questions]
        rejected = [encoder.target_ids(self._wrong[row["index"]]) for row in rows]
        keys = [q.scene for q in questions] * 2
        inputs = right_padded(encoder, prompts, [*chosen, *rejected])
        completion_mask = (inputs.pop("labels") != IGNORED).to(torch.long)
        return {
            **inputs,
            **encoder.pixel_inputs(keys),
            "completion_mask": completion_mask,
            "video_keys": keys,
        }
