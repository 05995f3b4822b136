"""What the three trainers share: arguments, adapters, checkpoints, the training curve."""

from __future__ import annotations

import json
import math
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from transformers import PrinterCallback, TrainerCallback

from harness.atomic import write_json, write_text
from harness.component import Backbone
from harness.errors import HarnessError
from harness.modelling.alignment import AlignmentGuard, PassCount
from harness.modelling.encoding import VideoEncoder
from harness.question import Question
from harness.schema import TrainStage

if TYPE_CHECKING:
    from peft import LoraConfig
    from transformers import PreTrainedModel, TrainerControl, TrainerState, TrainingArguments

# Set by the harness; a recipe's `args` may not.
OWN_ARGS = frozenset(
    {
        "output_dir",
        "per_device_train_batch_size",
        "gradient_accumulation_steps",
        "learning_rate",
        "max_steps",
        "num_train_epochs",
        "lr_scheduler_type",
        "warmup_steps",
        "max_grad_norm",
        "weight_decay",
        "save_strategy",
        "save_steps",
        "save_only_model",
        "save_total_limit",
        "logging_steps",
        "seed",
        "data_seed",
        "disable_tqdm",
        "remove_unused_columns",
        "gradient_checkpointing",
        "log_completions",
        "log_multimodal",
    }
)
# Ways of TRL 1.16 to generate that are given the prompts' tokens without their videos.
BLIND_ARGS = frozenset({"use_vllm", "use_transformers_continuous_batching"})
FINISHED_CHECKPOINT = "complete"


@dataclass(frozen=True)
class TrainJob:
    """One training stage, ready to run.

    Args:
        stage: its section of the recipe.
        backbone: the model family.
        checkpoint: folder or name of the model to start from.
        encoder: prompts and videos to model inputs.
        questions: what to train on.
        folder: the stage's folder in the run.
        seed: of data order, dropout and rollouts.
        progress: called with (step, total, what to show).
    """

    stage: TrainStage
    backbone: Backbone
    checkpoint: str
    encoder: VideoEncoder
    questions: Sequence[Question]
    folder: Path
    seed: int
    progress: Callable[[int, int, str], None]

    @property
    def checkpoints(self) -> Path:
        """Where the trainer keeps what a run resumes from."""
        return self.folder / "checkpoints"


def trl_args(config_class: type, job: TrainJob, model: PreTrainedModel, **own: Any) -> Any:
    """The TRL config of a stage.

    Args:
        config_class: TRL's dataclass, such as `SFTConfig`.
        job: the stage.
        model: decides the precision of autocast.
        own: what the algorithm adds.
    """
    stage = job.stage
    on_gpu = torch.cuda.is_available()
    values: dict[str, Any] = {
        "output_dir": str(job.checkpoints),
        "per_device_train_batch_size": stage.batch_size,
        "gradient_accumulation_steps": stage.gradient_accumulation,
        "learning_rate": stage.learning_rate,
        "max_steps": stage.steps or -1,
        "num_train_epochs": stage.epochs,
        "lr_scheduler_type": stage.scheduler,
        "warmup_steps": stage.warmup_steps,
        "max_grad_norm": stage.max_grad_norm,
        "weight_decay": stage.weight_decay,
        "save_strategy": "steps",
        "save_steps": stage.save_steps,
        "save_total_limit": 2,
        "logging_steps": stage.log_steps,
        "logging_first_step": True,
        "seed": job.seed,
        "data_seed": job.seed,
        "disable_tqdm": True,
        "report_to": "none",
        "remove_unused_columns": False,
        "gradient_checkpointing": stage.gradient_checkpointing,
        "bf16": on_gpu and model.dtype == torch.bfloat16,
        "use_cpu": not on_gpu,
        "dataloader_pin_memory": on_gpu,
        "max_length": None,
        **own,
        **stage.args,
    }
    known = {f.name for f in fields(config_class)}
    return config_class(**{name: value for name, value in values.items() if name in known})


def check_args(where: str, stage: TrainStage, config_class: type) -> list[str]:
    """What is wrong with a stage's `args`, each problem with its remedy."""
    known = {f.name for f in fields(config_class)}
    problems = []
    for name, value in stage.args.items():
        if name in OWN_ARGS or name in type(stage).model_fields:
            problems.append(f"{where}.args.{name}: set by the recipe's own keys, not in args")
        elif name in BLIND_ARGS and value:
            problems.append(
                f"{where}.args.{name}: TRL gives it no videos, so the model would answer blind; "
                "leave it out"
            )
        elif name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            problems.append(f"{where}.args.{name}: {config_class.__name__} has no such field{hint}")
    return problems


def prepare_model(job: TrainJob) -> PreTrainedModel:
    """Load the stage's starting model, its vision tower frozen if the recipe says so."""
    model = job.backbone.load_model(job.checkpoint)
    if job.stage.freeze_vision:
        job.backbone.vision_tower(model).requires_grad_(requires_grad=False)
    return model


def lora_config(job: TrainJob) -> LoraConfig | None:
    """Adapters on the language model's linear layers, or None for full training."""
    if job.stage.lora is None:
        return None
    from peft import LoraConfig

    lora = job.stage.lora
    return LoraConfig(
        r=lora.r,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=lora.targets or job.backbone.lora_targets,
        task_type="CAUSAL_LM",
    )


class ExactResume:
    """Mixin before a TRL trainer: a resumed run gets the checkpoint's weights, all of them, and
    ends with the last step.

    transformers 5.17 saves Qwen2-VL under the key names of its release and loads a checkpoint by
    the names in memory, not strictly: no name fits, and the run goes on from the weights it began
    with, with a warning alone.
    """

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        model = self.model if model is None else model  # type: ignore[attr-defined]
        if hasattr(model, "peft_config"):
            super()._load_from_checkpoint(resume_from_checkpoint, model)  # type: ignore[misc]
            return
        saved = type(model).from_pretrained(resume_from_checkpoint, dtype=model.dtype)
        model.load_state_dict(saved.state_dict())

    def _run_epoch(self, *args: Any, **kwargs: Any) -> None:
        state, control = self.state, self.control  # type: ignore[attr-defined]
        if state.global_step >= state.max_steps:
            # from its last checkpoint, transformers 5.17 trains one step more than was asked for
            control.should_training_stop = True
            return
        super()._run_epoch(*args, **kwargs)  # type: ignore[misc]


def last_checkpoint(folder: Path) -> Path | None:
    """The newest whole checkpoint; what a killed process left half-written is removed."""
    if not folder.is_dir():
        return None
    whole = []
    for checkpoint in folder.glob("checkpoint-*"):
        if (checkpoint / FINISHED_CHECKPOINT).is_file():
            whole.append(checkpoint)
        else:
            shutil.rmtree(checkpoint, ignore_errors=True)  # another process may be at it, too
    return max(whole, key=lambda path: int(path.name.rpartition("-")[2]), default=None)


def run_trainer(trainer: Any, job: TrainJob, guard: AlignmentGuard) -> dict[str, Any]:
    """Train to the end, from the last checkpoint if there is one, and save the model.

    Returns:
        The stage's summary: steps, last loss, and what the guard saw.
    """
    _refuse_spread_weights(trainer)
    resume = last_checkpoint(job.checkpoints)
    keep_until(job.folder / "metrics.jsonl", _step_of(resume))
    trainer.remove_callback(PrinterCallback)  # the curve goes to metrics.jsonl, not to stdout
    begun = _Counts.read(resume) if resume else _Counts()
    trainer.add_callback(_StageCallback(job, trainer, guard, begun))
    if hasattr(trainer, "_total_train_tokens"):  # SFT and DPO count from zero otherwise
        trainer._total_train_tokens = begun.tokens  # noqa: SLF001
    guard.passes.update(begun.passes)
    trainable = sum(p.numel() for p in trainer.model.parameters() if p.requires_grad)
    result = trainer.train(resume_from_checkpoint=str(resume) if resume else None)
    trainer.accelerator.wait_for_everyone()  # the first process writes the curve
    loss = _mean_loss(job.folder / "metrics.jsonl")
    if loss is None or not math.isfinite(result.training_loss):
        raise HarnessError(
            f"training of {job.folder.name} ended with loss {result.training_loss}: lower the "
            "learning rate, or check the rewards for values that are not finite"
        )
    summary = {
        "steps": trainer.state.global_step,
        "seconds": round(begun.seconds + result.metrics["train_runtime"], 1),
        "loss": loss,
        "guard": guard.record(),
        "trainable_parameters": trainable,
    }
    if trainer.accelerator.is_main_process:
        save_model(trainer, job)
        write_json(job.folder / "training.json", summary)
    trainer.accelerator.wait_for_everyone()
    return summary


@dataclass(frozen=True)
class _Counts:
    """What a resumed run goes on counting from; kept with each checkpoint, and marks it whole."""

    tokens: int = 0
    seconds: float = 0.0
    passes: Mapping[str, PassCount] = field(default_factory=dict)

    @classmethod
    def read(cls, checkpoint: Path) -> _Counts:
        value = json.loads((checkpoint / FINISHED_CHECKPOINT).read_text())
        passes = {kind: PassCount(**counts) for kind, counts in value["passes"].items()}
        return cls(value["tokens"], value["seconds"], passes)

    def write(self, checkpoint: Path) -> None:
        write_json(checkpoint / FINISHED_CHECKPOINT, asdict(self))


def _mean_loss(curve: Path) -> float | None:
    """Mean over all steps; the trainer's own forgets those before it was resumed."""
    total, last = 0.0, 0
    for line in curve.read_text().splitlines():
        row = json.loads(line)
        if "loss" in row:
            total += row["loss"] * (row["step"] - last)
            last = row["step"]
    return total / last if last else None


def _refuse_spread_weights(trainer: Any) -> None:
    plugin = trainer.accelerator.state.deepspeed_plugin
    if trainer.is_fsdp_enabled or (plugin is not None and plugin.zero_stage == 3):
        raise HarnessError(
            "training with FSDP or DeepSpeed's ZeRO stage 3, which spread the weights over the "
            "processes, is not supported: use ZeRO stage 2 and, if memory is short, lora"
        )


def save_model(trainer: Any, job: TrainJob) -> None:
    """Write `model/`: a plain checkpoint, adapters merged (and kept beside it in `adapter/`)."""
    model = trainer.accelerator.unwrap_model(trainer.model)
    final, part = job.folder / "model", job.folder / "model.part"
    shutil.rmtree(part, ignore_errors=True)
    if hasattr(model, "merge_and_unload"):
        model.save_pretrained(str(job.folder / "adapter"), safe_serialization=True)
        model = model.merge_and_unload()
    model.save_pretrained(str(part))
    job.encoder.processor.save_pretrained(str(part))
    shutil.rmtree(final, ignore_errors=True)
    part.rename(final)


def keep_until(path: Path, step: int) -> None:
    """Drop the rows of a JSONL log after a step (and a torn last line): they will be made again."""
    if not path.is_file():
        return
    kept = []
    for line in path.read_text().splitlines():
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            break
        if row["step"] <= step:
            kept.append(line + "\n")
    write_text(path, "".join(kept))


def append_rows(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Append JSONL rows and push them to the operating system."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.writelines(json.dumps(row, sort_keys=True) + "\n" for row in rows)


def _step_of(checkpoint: Path | None) -> int:
    return int(checkpoint.name.rpartition("-")[2]) if checkpoint else 0


class _StageCallback(TrainerCallback):  # type: ignore[misc]
    """Training curve, whole-checkpoint marks, progress."""

    def __init__(self, job: TrainJob, trainer: Any, guard: AlignmentGuard, begun: _Counts) -> None:
        self._job, self._trainer, self._guard, self._begun = job, trainer, guard, begun
        self._start = time.monotonic()

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **_kwargs: Any,
    ) -> None:
        if not state.is_world_process_zero or not logs or "train_runtime" in logs:
            return
        row = {
            name: value
            for name, value in logs.items()
            if isinstance(value, int | float)
            and math.isfinite(value)  # JSON has neither NaN nor inf
        }
        append_rows(self._job.folder / "metrics.jsonl", [{"step": state.global_step, **row}])

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_kwargs: Any
    ) -> None:
        if state.is_world_process_zero:
            counts = _Counts(
                tokens=getattr(self._trainer, "_total_train_tokens", 0),
                seconds=self._begun.seconds + time.monotonic() - self._start,
                passes=self._guard.passes,
            )
            counts.write(self._job.checkpoints / f"checkpoint-{state.global_step}")

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_kwargs: Any
    ) -> None:
        if control.should_save:
            # what was gathered since the last entry of the curve is not in a checkpoint
            control.should_log = True
        last: dict[str, Any] = state.log_history[-1] if state.log_history else {}
        shown = [f"{name} {last[name]:.3f}" for name in ("loss", "reward") if name in last]
        self._job.progress(state.global_step, state.max_steps, ", ".join(shown))
