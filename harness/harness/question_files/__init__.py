"""Question sets on disk: read from any form they come in, written for those who train on them.

`read_questions` streams JSON lines, JSON lists, Parquet and folders of the Hub, the harness's own
rows and VSI-Bench's. `write_questions` streams them out again, also as conversations for other
trainers. pyarrow is imported where Parquet is read or written, so other forms do without.
"""

from __future__ import annotations

from harness.question_files.description import Composition, SetDescription
from harness.question_files.reading import numbered_questions, read_questions
from harness.question_files.writing import FORMS, Form, check_target, find_form, write_questions

__all__ = [
    "FORMS",
    "Composition",
    "Form",
    "SetDescription",
    "check_target",
    "find_form",
    "numbered_questions",
    "read_questions",
    "write_questions",
]
