"""Group-relative policy optimisation with video: TRL's GRPOTrainer, made to see the video.

TRL 1.16 feeds a video to generation and drops it in every log-probability pass. Here each row of a
batch carries the index of its video, and `_get_per_token_logps_and_entropies`, the one place where
TRL runs the model for log-probabilities, gives the model the pixels. Everything after it (ratios,
clipping, KL, losses, logging) is TRL's own. Packing a group's rows into one pass belongs there too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from accelerate.utils import gather_object
from datasets import Dataset
from trl import GRPOConfig, GRPOTrainer

from harness.modelling.alignment import AlignmentGuard
from harness.prompt import EVALUATION_PROMPTS
from harness.question import Question
from harness.schema import GrpoStage
from harness.training.rewards import BoundReward, reward_functions
from harness.training.shared import (
    ExactResume,
    TrainJob,
    append_rows,
    keep_until,
    last_checkpoint,
    lora_config,
    prepare_model,
    run_trainer,
    trl_args,
)


def train_grpo(job: TrainJob, rewards: Sequence[BoundReward]) -> dict[str, Any]:
    """Maximise the weighted rewards; gives the stage's summary."""
    stage = job.stage
    assert isinstance(stage, GrpoStage)
    model = prepare_model(job)
    guard = AlignmentGuard(job.encoder)
    trainer = VideoGRPOTrainer(
        model=model,
        reward_funcs=reward_functions(
            rewards,
            job.questions,
            EVALUATION_PROMPTS[stage.prompt].mode,
            job.encoder.end_token_ids(),
        ),
        args=trl_args(
            GRPOConfig,
            job,
            model,
            num_generations=stage.num_generations,
            temperature=stage.temperature,
            max_completion_length=stage.max_completion_length,
            beta=stage.beta,
            epsilon=stage.epsilon,
            loss_type=stage.loss_type,
            importance_sampling_level=stage.importance_sampling_level,
            reward_weights=[reward.weight for reward in rewards],
            generation_kwargs={"suppress_tokens": job.encoder.silent_token_ids()},
            log_multimodal=False,
        ),
        train_dataset=Dataset.from_list([_row(job, i) for i in range(len(job.questions))]),
        processing_class=job.encoder.processor,
        peft_config=lora_config(job),
    )
    trainer.attach(job, guard)
    last = last_checkpoint(job.checkpoints)
    keep_until(job.folder / "rollouts.jsonl", int(last.name.rpartition("-")[2]) if last else 0)
    return run_trainer(trainer, job, guard)


class VideoGRPOTrainer(ExactResume, GRPOTrainer):  # type: ignore[misc]
    """TRL's trainer with video in every pass, checked by the alignment guard."""

    job: TrainJob
    guard: AlignmentGuard
    _keys: list[str]

    def attach(self, job: TrainJob, guard: AlignmentGuard) -> None:
        """Give the trainer its videos and let the guard listen to policy and reference."""
        self.job, self.guard = job, guard
        self._scenes = sorted({question.scene for question in job.questions})
        self._index_of = {scene: i for i, scene in enumerate(self._scenes)}
        guard.listen(job.backbone.vision_tower(self.model))
        if self.ref_model is not None:
            guard.listen(job.backbone.vision_tower(self.ref_model))

    def _tokenize_prompts(self, prompts: list[Any]) -> tuple[list[list[int]], None, dict[str, Any]]:
        encoder = self.job.encoder
        questions = [self.job.questions[_index_in(prompt)] for prompt in prompts]
        keys = [question.scene for question in questions]
        asked = EVALUATION_PROMPTS[self.job.stage.prompt]
        ids = [encoder.prompt_ids(asked.render(q), q.scene) for q in questions]
        types = [encoder.token_types(torch.tensor(row)).tolist() for row in ids]
        self._keys = keys
        return ids, None, {**encoder.pixel_inputs(keys), "mm_token_type_ids": types}

    def _generate_single_turn(
        self,
        prompt_ids: list[list[int]],
        images: Any,
        fields: dict[str, Any],
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        width = max(map(len, prompt_ids))
        pad = self.job.encoder.tokenizer.pad_token_id
        padded = torch.tensor([[pad] * (width - len(row)) + row for row in prompt_ids])
        with self.guard.watch("generate", self._keys, padded):
            return super()._generate_single_turn(prompt_ids, images, fields, *args, **kwargs)

    def _calculate_rewards(
        self, inputs: list[Any], prompts: Any, completions: list[Any], ids: list[Any]
    ) -> torch.Tensor:
        rewards: torch.Tensor = super()._calculate_rewards(inputs, prompts, completions, ids)
        self._scored = inputs, completions, rewards
        return rewards

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        output: dict[str, Any] = super()._generate_and_score_completions(inputs)
        # TRL shuffles and splits every tensor of the batch alike, so the rows keep their video
        output["video_index"] = torch.tensor(
            [self._index_of[self.job.questions[row["index"]].scene] for row in inputs],
            device=output["prompt_ids"].device,
        )
        if self.model.training:
            self._log_rollouts(output["advantages"])
        return output

    def _compute_loss(self, model: Any, inputs: dict[str, Any]) -> Any:
        self._keys = [self._scenes[i] for i in inputs["video_index"].tolist()]
        return super()._compute_loss(model, inputs)

    def _get_per_token_logps_and_entropies(
        self,
        model: Any,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        logits_to_keep: int,
        batch_size: int | None = None,
        compute_entropy: bool = False,
        **_text_only: Any,
    ) -> tuple[torch.Tensor, torch.Tensor | None, None]:
        encoder = self.job.encoder
        kind = "train" if torch.is_grad_enabled() else self._kind_without_gradient(model)
        rows = batch_size or input_ids.shape[0]
        logps, entropies = [], []
        for start in range(0, input_ids.shape[0], rows):
            part = slice(start, start + rows)
            keys, ids, mask = self._keys[part], input_ids[part], attention_mask[part]
            labels = ids.masked_fill(mask == 0, -100)
            labels[:, :-logits_to_keep] = -100
            pixels = {name: x.to(ids.device) for name, x in encoder.pixel_inputs(keys).items()}
            with self.guard.watch(kind, keys, ids), self.accelerator.autocast():
                outputs = model(
                    input_ids=ids,
                    attention_mask=mask,
                    mm_token_type_ids=encoder.token_types(ids),
                    **pixels,
                    labels=labels,
                    fused_lm_head=True,
                )
            logps.append(outputs.log_probs[:, -logits_to_keep:])
            if compute_entropy:
                entropies.append(outputs.entropy[:, -logits_to_keep:])
        return torch.cat(logps), torch.cat(entropies) if compute_entropy else None, None

    def _kind_without_gradient(self, model: Any) -> str:
        # with LoRA the reference is the policy with its adapters switched off
        switched_off = any(
            getattr(module, "disable_adapters", False) is True for module in model.modules()
        )
        return "reference" if model is self.ref_model or switched_off else "old"

    def _log_rollouts(self, advantages: torch.Tensor) -> None:
        inputs, completions, rewards = self._scored
        first = self.accelerator.process_index * len(inputs)
        local = rewards[first : first + len(inputs)]
        totals = (local * self.reward_weights.to(local.device)).nansum(dim=1)
        rows = [
            {
                "step": self.state.global_step + 1,
                **_described(self.job.questions[row["index"]]),
                "completion": completion[0]["content"],
                "rewards": dict(zip(self.reward_func_names, values.tolist(), strict=True)),
                "reward": total.item(),
                "advantage": advantage.item(),
            }
            for row, completion, values, total, advantage in zip(
                inputs, completions, local, totals, advantages, strict=True
            )
        ]
        gathered = gather_object(rows)
        if self.accelerator.is_main_process:
            append_rows(self.job.folder / "rollouts.jsonl", gathered)


def _row(job: TrainJob, index: int) -> dict[str, Any]:
    text = EVALUATION_PROMPTS[job.stage.prompt].render(job.questions[index])
    content = [{"type": "video", "text": str(index)}, {"type": "text", "text": text}]
    return {"prompt": [{"role": "user", "content": content}], "index": index}


def _index_in(prompt: list[dict[str, Any]]) -> int:
    return int(prompt[0]["content"][0]["text"])


def _described(question: Question) -> dict[str, Any]:
    return {
        "id": question.id,
        "scene": question.scene,
        "question_type": question.question_type,
        "prompt": question.text,
        "gold": question.gold,
    }
