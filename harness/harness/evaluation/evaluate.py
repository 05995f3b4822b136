"""One model, one task: ask, score, write.

`answers.jsonl` grows batch by batch; a run that was killed goes on after the last whole batch, with
the batches it would have had anyway, so its numbers are those of an unbroken run.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.atomic import write_json, write_text
from harness.component import Scored, Task
from harness.errors import HarnessError
from harness.progress import Step
from harness.question import Question
from harness.scoring import paired_difference, score_table

Answer = Callable[[Sequence[Question], Sequence[str]], Sequence[str]]


@dataclass(frozen=True)
class Evaluation:
    """What is asked, of whom, and where the answers go.

    Args:
        task: prompts and scoring.
        questions: in a fixed order.
        answer: gives the answers to a batch of questions and their prompts.
        seen: what is known of a question's video, for the record (`video`, `layout`,
            `frame_indices`).
        folder: gets `answers.jsonl` and `scores.json`.
    """

    task: Task
    questions: Sequence[Question]
    answer: Answer
    seen: Callable[[Question], Mapping[str, Any]]
    folder: Path
    batch_size: int
    resamples: int
    seed: int


def evaluate(job: Evaluation, progress: Step) -> list[Scored]:
    """Ask what is still unasked, then score everything."""
    path = job.folder / "answers.jsonl"
    answers = _kept_answers(path, job)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        while len(answers) < len(job.questions):
            batch = job.questions[len(answers) : len(answers) + job.batch_size]
            prompts = [job.task.prompt(question) for question in batch]
            given = job.answer(batch, prompts)
            if len(given) != len(batch):
                raise HarnessError(f"{len(given)} answers came back for {len(batch)} prompts")
            rows = [_row(job, *three) for three in zip(batch, prompts, given, strict=True)]
            file.write("".join(json.dumps(row, sort_keys=True) + "\n" for row in rows))
            file.flush()
            answers.extend(given)
            progress(len(answers), len(job.questions), "")
    scored = [job.task.score(q, a) for q, a in zip(job.questions, answers, strict=True)]
    table = score_table(scored, resamples=job.resamples, seed=job.seed)
    write_json(job.folder / "scores.json", table.to_json())
    return scored


def write_difference(
    job: Evaluation, against: str, before: Sequence[Scored], after: Sequence[Scored]
) -> None:
    """Write `difference.json`: the change from one model to another on the same questions."""
    rows = paired_difference(before, after, resamples=job.resamples, seed=job.seed)
    write_json(
        job.folder / "difference.json",
        {"against": against, "rows": {name: asdict(score) for name, score in rows.items()}},
    )


def read_scored(folder: Path, task: Task, questions: Sequence[Question]) -> list[Scored]:
    """Score the answers of a finished evaluation again."""
    rows = [json.loads(line) for line in (folder / "answers.jsonl").read_text().splitlines()]
    return [task.score(q, row["answer"]) for q, row in zip(questions, rows, strict=True)]


def _kept_answers(path: Path, job: Evaluation) -> list[str]:
    """Answers of the whole batches that are there; a torn end is cut off the file."""
    if not path.is_file():
        return []
    lines = path.read_text(errors="replace").splitlines(keepends=True)
    kept: list[tuple[str, str]] = []
    for line, question in zip(lines, job.questions, strict=False):
        answer = _answer_to(question, line)
        if answer is None:
            break
        kept.append((line, answer))
    if len(kept) < len(job.questions):
        kept = kept[: len(kept) - len(kept) % job.batch_size]
    write_text(path, "".join(line for line, _ in kept))
    return [answer for _, answer in kept]


def _answer_to(question: Question, line: str) -> str | None:
    """The answer that a whole line holds, or None: a torn line, or one about another question."""
    try:
        row = json.loads(line)
    except json.JSONDecodeError:
        return None
    if not isinstance(row, dict) or row.get("id") != question.id or not line.endswith("\n"):
        return None
    answer = row.get("answer")
    return answer if isinstance(answer, str) else None


def _row(job: Evaluation, question: Question, prompt: str, answer: str) -> dict[str, Any]:
    scored = job.task.score(question, answer)
    return {
        "id": question.id,
        "scene": question.scene,
        "dataset": question.dataset,
        "question_type": question.question_type,
        "question": question.text,
        "options": question.lettered_options() or None,
        "gold": question.gold,
        "prompt": prompt,
        "answer": answer,
        "parsed": scored.parsed,
        "score": scored.score,
        **job.seen(question),
    }
