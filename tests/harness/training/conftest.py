"""Questions about the eight rooms, and training jobs on them."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.question import Question
from harness.training.shared import TrainJob


@pytest.fixture(scope="session")
def questions():
    return [
        Question(
            id=f"q{i}",
            scene=f"room{i % 8}",
            dataset="test",
            question_type="object_counting",
            text="How many chair(s) are in this room?",
            answer=str(i % 4 + 1),
        )
        for i in range(24)
    ]


@pytest.fixture
def job(backbone, checkpoint, encoder, questions, tmp_path):
    def make(stage, folder: Path | None = None) -> TrainJob:
        return TrainJob(
            stage=stage,
            backbone=backbone,
            checkpoint=checkpoint,
            encoder=encoder,
            questions=questions,
            folder=folder or tmp_path / "train",
            seed=0,
            progress=lambda _done, _total, _shown: None,
        )

    return make
