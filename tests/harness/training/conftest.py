"""A tiny model, eight noise videos and questions about them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from harness.modelling.encoding import VideoEncoder
from harness.question import Question
from harness.training.shared import TrainJob
from harness_plugins.backbones.settings import TinySettings
from harness_plugins.backbones.tiny import Tiny


@pytest.fixture(scope="session")
def backbone():
    return Tiny(
        TinySettings(
            hidden=64, layers=2, heads=2, vision_hidden=32, vision_layers=1, vocabulary=512
        )
    )


@pytest.fixture(scope="session")
def checkpoint(backbone, tmp_path_factory):
    return backbone.checkpoint(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def encoder(backbone, checkpoint):
    rng = np.random.default_rng(0)
    clips = {
        f"room{i}": SimpleNamespace(frames=rng.integers(0, 255, (4, 56, 56, 3), dtype=np.uint8))
        for i in range(8)
    }
    return VideoEncoder(backbone.load_processor(checkpoint), clips.__getitem__)


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
