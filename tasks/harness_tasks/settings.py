"""What a recipe can say about each task."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from harness.component import Settings
from harness.prompt import PromptName
from harness.scoring.parsers import ParserName


class AskSettings(Settings):
    """How questions are asked and answers read."""

    prompt: PromptName = "thinking-in-space"
    """Wording: VSI-Bench's own, the training prompts `vanilla`, `think`, `observe`, or those of the
    paper's prompting study, `paper-*`."""
    parser: ParserName = "thinking-in-space"
    """How the answer is read; after `think` and `observe`, inside the `<answer>` block."""
    max_new_tokens: Annotated[int, Field(ge=1)] | None = None
    """Longest answer in tokens; left out, 16 as in VSI-Bench, and 256 for prompts that ask for reasoning."""


class VsiBenchSettings(AskSettings):
    """Where the benchmark's rows are."""

    path: Path | None = None
    """The rows of VSI-Bench, or of any set in its form: a .jsonl or .parquet file."""
    ids: Path | None = None
    """Ask only these ids: a JSON list, or one id a line (such as the tiny subset)."""
    without_ids: Path | None = None
    """Leave these ids out, in the same form (such as those VSI-Bench-Debiased removes)."""
