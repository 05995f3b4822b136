"""Questions as conversations about a video, in the forms other trainers read."""

from __future__ import annotations

from string import Formatter
from typing import Any

from harness.errors import HarnessError, UsageError
from harness.prompt import evaluation_prompt
from harness.question import Question
from harness.question_files.description import SetDescription

# LLaMA-Factory and ms-swift both put the video where this stands in the text.
VIDEO = "<video>"


def sharegpt_row(question: Question, about: SetDescription) -> dict[str, Any]:
    """A row of LLaMA-Factory's multimodal ShareGPT form.

    Its dataset_info.json names the file with `"formatting": "sharegpt"` and
    `"columns": {"messages": "conversations", "videos": "videos"}`.
    """
    asked, video = _asked(question, about)
    return {
        "id": question.id,
        "conversations": [
            {"from": "human", "value": asked},
            {"from": "gpt", "value": question.gold},
        ],
        "videos": [video],
    }


def ms_swift_row(question: Question, about: SetDescription) -> dict[str, Any]:
    """A row of ms-swift's standard form."""
    asked, video = _asked(question, about)
    return {
        "id": question.id,
        "messages": [
            {"role": "user", "content": asked},
            {"role": "assistant", "content": question.gold},
        ],
        "videos": [video],
    }


def check_videos(template: str) -> None:
    """Whether a path of videos can be made from it.

    Raises:
        UsageError: it has other fields than `{dataset}` and `{scene}`, or lacks `{scene}`.
    """
    try:
        fields = [name for _, name, _, _ in Formatter().parse(template) if name is not None]
    except ValueError as error:
        raise UsageError(f"videos: {template!r} is no path with fields: {error}") from None
    if "scene" not in fields or not set(fields) <= {"dataset", "scene"}:
        raise UsageError(
            f"videos: {template!r} must hold {{scene}} and may hold {{dataset}}, nothing else"
        )


def _asked(question: Question, about: SetDescription) -> tuple[str, str]:
    for name in (question.dataset, question.scene):
        if "/" in name or "\\" in name or name in {".", ".."} or "\0" in name:
            raise HarnessError(
                f"question {question.id}: {name!r} cannot be part of the path of a video"
            )
    prompt = evaluation_prompt(question, about.prompt)
    if VIDEO in prompt:
        raise HarnessError(f"question {question.id}: its text holds {VIDEO}, the video's place")
    video = about.videos.format(dataset=question.dataset, scene=question.scene)
    return f"{VIDEO}\n{prompt}", video
