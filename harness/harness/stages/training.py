"""One training stage: from a checkpoint and questions to the next checkpoint."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.assembly import Assembly
from harness.atomic import write_json
from harness.generate import draw_evenly_by_type
from harness.progress import bar
from harness.schema import DpoStage, GrpoStage
from harness.stages.questions import QuestionSet

if TYPE_CHECKING:
    from harness.modelling.encoding import VideoEncoder

MODEL = "model"


def train(
    assembly: Assembly,
    name: str,
    checkpoint: str,
    encoder: VideoEncoder,
    data: QuestionSet,
    folder: Path,
) -> None:
    """Run the recipe's stage `name`; the folder gets `model/`, curves, rollouts, `summary.json`."""
    from harness.training.shared import TrainJob

    stage = assembly.recipe.train[name]
    with bar(f"train {name} ({stage.method})", "steps") as step:
        job = TrainJob(
            stage=stage,
            backbone=assembly.backbone,
            checkpoint=checkpoint,
            encoder=encoder,
            questions=draw_evenly_by_type(data.train, stage.limit, seed=assembly.recipe.seed),
            folder=folder,
            seed=assembly.recipe.seed,
            progress=step,
        )
        summary = _run(assembly, name, job)
    write_json(folder / "summary.json", {"method": stage.method, **summary, **_rewards(folder)})


def _run(assembly: Assembly, name: str, job: Any) -> dict[str, Any]:
    if isinstance(job.stage, GrpoStage):
        from harness.training.grpo import train_grpo

        return train_grpo(job, assembly.rewards(name))
    if isinstance(job.stage, DpoStage):
        from harness.training.dpo import train_dpo

        return train_dpo(job)
    from harness.training.sft import train_sft

    return train_sft(job)


def _rewards(folder: Path) -> dict[str, float]:
    """Mean reward over the first and the last quarter of the curve."""
    path = folder / "metrics.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    rewards = [row["reward"] for row in rows if "reward" in row]
    if not rewards:
        return {}
    part = max(1, len(rewards) // 4)
    return {
        "reward_first": sum(rewards[:part]) / part,
        "reward_last": sum(rewards[-part:]) / part,
    }
