"""A job over made-up rooms, and one over rooms that bite."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.generate import AskRules
from harness.question import to_row
from harness.question_build import AskJob, Engine, FamilyJob, Limits, built_questions
from harness.schema import LayoutVideo

FAMILIES = (
    FamilyJob("counting", "object_counting", '{"min_count": 1}', limit=50),
    FamilyJob("room", "room_size_estimation", "{}", weight=0.5),
    FamilyJob("size", "object_size_estimation", "{}", per_scene=3),
    FamilyJob("order", "obj_appearance_order", '{"min_gap": 0.1}'),
    FamilyJob("near", "object_rel_distance", "{}", weight=2.0),
)
WALK = LayoutVideo(seconds=2, fps=4, width=64, height=48)


@pytest.fixture
def job() -> AskJob:
    """Five families and twenty rooms."""
    rules = AskRules(seed=3, layout=WALK)
    return AskJob("procedural", '{"scenes": 20, "seed": 5, "max_objects": 14}', FAMILIES, rules)


@pytest.fixture
def perilous(install) -> Callable[..., AskJob]:
    """Makes a job over rooms some of which are faulty, raise, or end the process."""
    install("perilous")

    def make(**settings: object) -> AskJob:
        return AskJob("perilous", json.dumps(settings), FAMILIES[:1], AskRules())

    return make


@pytest.fixture
def rows(tmp_path: Path) -> Callable[..., list[str]]:
    """Builds a set and gives its rows as they are written."""

    def call(job: AskJob, engine: Engine, limit: int | None = None, **limits) -> list[str]:
        scenes = job.open().source.scene_ids()
        with built_questions(job, scenes, engine, Limits(limit, **limits), folder=tmp_path) as one:
            return [json.dumps(to_row(question)) for question in one.questions]

    return call
