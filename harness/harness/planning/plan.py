"""What a recipe would do: stages, scenes, questions, tokens, memory, and what is missing."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.assembly import Assembly
from harness.component import ModelShape, SceneSource
from harness.errors import HarnessError
from harness.generate import build_questions, draw_evenly_by_type, load_scenes
from harness.planning.hardware import gpu_memory
from harness.planning.memory import BYTES, MemoryEstimate, estimate
from harness.prompt import EVALUATION_PROMPTS
from harness.question import Question, Style
from harness.stages.training_set import questions_of_file, refuse_training_on_benchmarks

# Questions are counted on this many scenes of a source, and scaled up where it has more.
SAMPLED_SCENES = 100
# A byte-level BPE of the Qwen line gives about four letters a token on English questions; the chat
# template adds the system line and the marks of two turns.
LETTERS_PER_TOKEN, TEMPLATE_TOKENS = 4, 25
# A model above this size is not trained on a CPU in useful time.
CPU_PARAMETERS = 200e6


@dataclass(frozen=True)
class SceneCount:
    """Scenes of one set and the questions they give; `estimated` when scaled up from a sample."""

    scenes: int
    questions: dict[str, int]
    estimated: bool


@dataclass(frozen=True)
class StagePlan:
    """One training stage: examples and steps (None while scenes are unknown), and memory."""

    name: str
    method: str
    examples: int | None
    steps: int | None
    memory: MemoryEstimate


@dataclass
class Plan:
    """What `harness plan` prints.

    Args:
        stages: names of the run's stages in order.
        scenes: by set (`train`, `evaluate`); absent where the source cannot be read yet.
        video_tokens, text_tokens: of one training prompt.
        evaluation_video_tokens: of a prompt in evaluation.
        missing: what this machine lacks, each with its remedy.
    """

    stages: list[str]
    scenes: dict[str, SceneCount] = field(default_factory=dict)
    video_tokens: int = 0
    evaluation_video_tokens: int = 0
    text_tokens: int = 0
    shape: ModelShape | None = None
    dtype: str = "float32"
    training: list[StagePlan] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def make_plan(assembly: Assembly, out: Path) -> Plan:
    """Everything that can be said without weights; what is unknown is left out, with its reason."""
    recipe = assembly.recipe
    plan = Plan(stages=stage_names(assembly), missing=assembly.missing())
    samples: list[Question] = []
    for which, source, style in (
        ("train", assembly.train_scenes, recipe.questions.style),
        ("evaluate", assembly.held_out_scenes, "vsi_bench"),
    ):
        if any(problem.startswith(f"scenes.{which}:") for problem in plan.missing):
            continue
        try:
            plan.scenes[which], drawn = _count(assembly, source, style, which)
            samples += drawn
        except HarnessError as error:
            plan.missing.append(f"scenes.{which}: {error}")
    plan.video_tokens, plan.evaluation_video_tokens = (
        assembly.backbone.video_tokens(frames, recipe.video.height, recipe.video.width)
        for frames in (recipe.video.frames, recipe.evaluate.frames or recipe.video.frames)
    )
    plan.text_tokens = _text_tokens(assembly, samples)
    try:
        plan.shape = assembly.backbone.shape()
    except HarnessError as error:
        plan.missing.append(f"backbone: {error}")
    else:
        plan.dtype = str(getattr(assembly.parts["backbone"].settings, "dtype", "float32"))
        _plan_training(assembly, plan)
        plan.missing += _lacking_hardware(plan, out)
    return plan


def stage_names(assembly: Assembly) -> list[str]:
    """The run's stages in order."""
    recipe = assembly.recipe
    names = ["questions"] + (["evaluate-base"] if recipe.evaluate.before else [])
    for index, name in enumerate(recipe.train):
        names.append(f"train-{name}")
        if recipe.evaluate.each_stage or index == len(recipe.train) - 1:
            names.append(f"evaluate-{name}")
    blind = ["evaluate-blind"] if recipe.evaluate.blind else []
    return [*names, "evaluate-frequency", *blind, "report"]


def _count(
    assembly: Assembly, source: SceneSource, style: Style, which: str
) -> tuple[SceneCount, list[Question]]:
    """Questions of a set as the run would make them; scaled up from a sample of a large source."""
    recipe = assembly.recipe
    ids = source.scene_ids()
    if which == "train" and recipe.questions.train_file is not None:
        rows = questions_of_file(recipe)
        counts = dict(sorted(Counter(q.question_type for q in rows).items()))
        return SceneCount(len({q.scene for q in rows}), counts, estimated=False), rows[:1000]
    stride = max(1, len(ids) // SAMPLED_SCENES)
    sampled = ids[::stride]
    scenes, _skipped = load_scenes(source, max_faulty=recipe.scenes.max_faulty, ids=sampled)
    if which == "train":
        refuse_training_on_benchmarks(recipe, ((scene.dataset, scene.id) for scene in scenes))
    limit = getattr(recipe.questions, f"{which}_limit")
    train_limit = limit if which == "train" and stride == 1 else None
    questions = build_questions(
        scenes, assembly.families, assembly.ask_rules(style), limit=train_limit
    )
    if stride == 1:
        if which == "evaluate":
            questions = draw_evenly_by_type(questions, limit, seed=recipe.seed)
        counts = dict(sorted(Counter(q.question_type for q in questions).items()))
        return SceneCount(len(ids), counts, estimated=False), questions
    scaled = _scaled(assembly, questions, len(ids) / len(sampled))
    if limit is not None and (total := sum(scaled.values())) > limit:
        scaled = {kind: n * limit / total for kind, n in scaled.items()}
    counts = {kind: round(n) for kind, n in sorted(scaled.items())}
    return SceneCount(len(ids), counts, estimated=True), questions


def _scaled(assembly: Assembly, questions: Sequence[Question], scale: float) -> dict[str, float]:
    """Questions of each type in all scenes, no family above its limit."""
    counts: dict[str, float] = {}
    for name, family in assembly.families.items():
        kinds = Counter(q.question_type for q in questions if q.generator == name)
        total = kinds.total() * scale
        kept = 1.0 if family.limit is None or total <= family.limit else family.limit / total
        for kind, n in kinds.items():
            counts[kind] = counts.get(kind, 0.0) + n * scale * kept
    return counts


def _text_tokens(assembly: Assembly, samples: Sequence[Question]) -> int:
    prompts = {stage.prompt for stage in assembly.recipe.train.values()} or {"thinking-in-space"}
    lengths = [
        len(EVALUATION_PROMPTS[name].render(question)) for name in prompts for question in samples
    ]
    # without scenes: VSI-Bench's longest template, the hard direction with its options
    longest = max(lengths, default=420)
    return TEMPLATE_TOKENS + -(-longest // LETTERS_PER_TOKEN)


def _plan_training(assembly: Assembly, plan: Plan) -> None:
    assert plan.shape is not None
    train = plan.scenes.get("train")
    everything = sum(train.questions.values()) if train else None
    for name, stage in assembly.recipe.train.items():
        examples = everything
        if everything is not None and stage.limit is not None:
            examples = min(everything, stage.limit)
        rows = stage.batch_size * stage.gradient_accumulation
        prompts_a_step = rows / getattr(stage, "num_generations", 1)
        steps = stage.steps
        if steps is None and examples is not None:
            steps = -(-int(examples * stage.epochs) // max(1, int(prompts_a_step)))
        memory = estimate(stage, plan.shape, plan.dtype, plan.video_tokens, plan.text_tokens)
        plan.training.append(StagePlan(name, stage.method, examples, steps, memory))


def _lacking_hardware(plan: Plan, out: Path) -> list[str]:
    assert plan.shape is not None
    problems = []
    needed = max((stage.memory.total for stage in plan.training), default=0.0)
    gib = needed / 2**30
    memory = gpu_memory()
    if memory is None and plan.shape.parameters > CPU_PARAMETERS:
        problems.append(
            f"GPU: none is visible, and {plan.shape.parameters / 1e9:.1f}B parameters are not trained "
            f"on a CPU in useful time: run it on a machine with a CUDA GPU of at least {gib + 2:.0f} GiB"
        )
    elif memory is not None and needed > memory:
        problems.append(
            f"GPU memory: about {gib:.0f} GiB are needed, the GPU has {memory / 2**30:.0f}: lower "
            "train.*.batch_size, turn on gradient_checkpointing, or use lora"
        )
    disk = shutil.disk_usage(next(p for p in [out, *out.parents] if p.exists())).free
    wanted = plan.shape.parameters * BYTES[plan.dtype] * max(1, len(plan.training))
    if wanted > disk:
        problems.append(
            f"disk: models of about {wanted / 2**30:.0f} GiB will be written, {disk / 2**30:.0f} GiB are "
            f"free under {out}: choose another place with --out"
        )
    return problems
