"""A question set from a whole source: asked in parallel, put down on disk, drawn, streamed out.

Neither the scenes nor the questions are ever all in memory. Every scene is asked with random
numbers of its own and the set is drawn from the questions' numbers, so the same seed gives the same
set whatever processes or machines asked.
"""

from __future__ import annotations

from harness.question_build.build import Built, Limits, built_questions
from harness.question_build.engines import ENGINES, Engine, find_engine
from harness.question_build.job import AskJob, FamilyJob

__all__ = [
    "ENGINES",
    "AskJob",
    "Built",
    "Engine",
    "FamilyJob",
    "Limits",
    "built_questions",
    "find_engine",
]
