"""Evaluations: a model, the model asked blind, and the frequency baseline, on every task."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.assembly import Assembly
from harness.baselines import frequency_answers
from harness.evaluation.evaluate import Answer, Evaluation, evaluate, read_scored, write_difference
from harness.progress import bar
from harness.question import Question
from harness.stages.questions import QuestionSet

if TYPE_CHECKING:
    from harness.modelling.encoding import VideoEncoder

MakeAnswer = Callable[[str, Sequence[Question]], Answer]


def evaluate_model(
    assembly: Assembly,
    label: str,
    checkpoint: str,
    encoder: VideoEncoder,
    data: QuestionSet,
    folder: Path,
    against: tuple[str, Path] | None,
    *,
    blind: bool = False,
) -> None:
    """Ask a model the questions of every task.

    Args:
        label: what the progress bar says.
        against: name and folder of an earlier evaluation to take the paired difference from.
        blind: without the videos.
    """
    from harness.inference.transformers_engine import Ask, TransformersEngine

    engine = TransformersEngine(assembly.backbone, checkpoint, encoder)

    def make_answer(task: str, _questions: Sequence[Question]) -> Answer:
        room = assembly.tasks[task].max_new_tokens

        def answer(batch: Sequence[Question], prompts: Sequence[str]) -> Sequence[str]:
            asks = [
                Ask(prompt, None if blind else question.scene)
                for question, prompt in zip(batch, prompts, strict=True)
            ]
            return engine.answers(asks, room)

        return answer

    def seen(question: Question) -> Mapping[str, Any]:
        video = data.videos[question.scene]
        indices = [] if blind else list(encoder.clip(question.scene).indices)
        return {"video": video_path(video), "layout": video["layout"], "frame_indices": indices}

    _all_tasks(assembly, label, data, folder, make_answer, seen, against)


def evaluate_frequency(assembly: Assembly, data: QuestionSet, folder: Path) -> None:
    """Give every question the most frequent training answer of its type."""

    def make_answer(_task: str, questions: Sequence[Question]) -> Answer:
        fixed = frequency_answers(data.train or data.held_out, questions)
        by_id = dict(zip((q.id for q in questions), fixed.answers, strict=True))
        return lambda batch, _prompts: [by_id[q.id] for q in batch]

    _all_tasks(assembly, "frequency", data, folder, make_answer, lambda _question: {}, None)


def _all_tasks(
    assembly: Assembly,
    label: str,
    data: QuestionSet,
    folder: Path,
    make_answer: MakeAnswer,
    seen: Callable[[Question], Mapping[str, Any]],
    against: tuple[str, Path] | None,
) -> None:
    section = assembly.recipe.evaluate
    for name, task in assembly.tasks.items():
        questions = _by_video(data.tasks[name])
        job = Evaluation(
            task=task,
            questions=questions,
            answer=make_answer(name, questions),
            seen=seen,
            folder=folder / name,
            batch_size=section.batch_size,
            resamples=section.resamples,
            seed=assembly.recipe.seed,
        )
        with bar(f"evaluate {label} on {name}", "questions") as step:
            scored = evaluate(job, step)
        if against is not None:
            before = read_scored(against[1] / name, task, questions)
            write_difference(job, against[0], before, scored)


def video_path(video: Mapping[str, Any]) -> str:
    """Path of a video: relative to the run folder for layout videos, absolute for footage."""
    return f"questions/{video['path']}" if video["layout"] else str(video["path"])


def _by_video(questions: Sequence[Question]) -> list[Question]:
    """Questions of one video side by side: it is decoded and encoded once."""
    return sorted(questions, key=lambda q: (q.dataset, q.scene, q.question_type, q.id))
