"""Scenes to questions: what the stage writes, from which scenes, and what it refuses."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.assembly import Assembly
from harness.errors import HarnessError
from harness.frame_cache import FrameCache
from harness.plugins import load_catalogue
from harness.question import to_row
from harness.recipe import load_recipe
from harness.stages.questions import QuestionSet, make_questions, read_questions

LIGHT = Path(__file__).parents[1] / "fixtures" / "light.yaml"
SFT = "train.sft={method: sft, learning_rate: 1e-3}"
Make = Callable[..., QuestionSet]


@pytest.fixture
def make(tmp_path) -> Make:
    """Runs the stage for the light recipe with some changes."""

    def stage(*overrides: str, folder: str = "questions") -> QuestionSet:
        (cell,) = load_recipe(LIGHT, overrides, load_catalogue(), local=False).cells
        make_questions(Assembly.of(cell), tmp_path / folder, FrameCache(tmp_path / "frames"))
        return read_questions(tmp_path / folder)

    return stage


def summary(tmp_path: Path) -> dict:
    return json.loads((tmp_path / "questions/summary.json").read_text())


def test_both_sets_are_written_and_read_again(make, tmp_path):
    made = make(SFT)
    assert {q.scene[-3:] for q in made.train} == {"_s1"}
    assert {q.scene[-3:] for q in made.held_out} == {"_s2"}
    assert made.tasks == {"generated": made.held_out}
    assert made.videos.keys() == {q.scene for q in (*made.train, *made.held_out)}
    for video in made.videos.values():
        assert video["layout"] is True
        assert (tmp_path / "questions" / video["path"]).is_file()
    rows = (tmp_path / "questions/train.jsonl").read_text().splitlines()
    assert [json.loads(row) for row in rows] == [
        json.loads(json.dumps(to_row(question))) for question in made.train
    ]


def test_the_summary_counts_what_was_made(make, tmp_path):
    made = make(SFT)
    written = summary(tmp_path)
    assert written["scenes"] == {"train": 3, "evaluate": 3}
    assert written["questions"]["train"] == Counter(q.question_type for q in made.train)
    assert written["tasks"] == {"generated": Counter(q.question_type for q in made.held_out)}
    assert (written["skipped"], written["faults"], written["layout_video"]) == ([], {}, True)


def test_the_same_recipe_gives_the_same_bytes(make, tmp_path):
    make(SFT)
    make(SFT, folder="again")
    for path in sorted((tmp_path / "questions").rglob("*.*")):
        again = tmp_path / "again" / path.relative_to(tmp_path / "questions")
        assert again.read_bytes() == path.read_bytes()


def test_limits_are_of_each_set(make):
    made = make("questions.train_limit=5", "questions.evaluate_limit=6")
    assert len(made.train) == 5
    assert Counter(q.question_type for q in made.held_out).most_common(1)[0][1] <= 2
    assert len(made.held_out) == 6


def test_evaluation_is_in_the_benchmarks_style_whatever_training_is_in(make):
    made = make("questions.style=vsi_100k")
    assert {q.style for q in made.train} == {"vsi_100k"}
    assert {q.style for q in made.held_out} == {"vsi_bench"}


def test_without_training_no_training_scene_is_drawn(make):
    made = make()
    assert len(made.train) > 0
    assert made.videos.keys() == {q.scene for q in made.held_out}


def test_scenes_in_both_sets_are_refused(make):
    with pytest.raises(
        HarnessError, match=r"3 space\(s\) occur in scenes.train and in scenes.eval"
    ):
        make("scenes.evaluate.seed=1")


def test_a_set_without_questions_is_refused(make):
    none = ["questions.families.object_counting={min_count: 99}"]
    none += [f"questions.families.{name}=null" for name in (
        "object_abs_distance", "object_rel_distance", "room_size_estimation")]  # fmt: skip
    with pytest.raises(HarnessError, match="task generated: the run made no questions"):
        make(*none)


def test_training_needs_training_questions(make):
    with pytest.raises(HarnessError, match="no question for train: the scenes gave none for the"):
        make(
            SFT,
            "questions.families={object_rel_distance: {}}",
            "questions.families.object_counting=null",
            "questions.families.object_abs_distance=null",
            "questions.families.room_size_estimation=null",
            "scenes.train.min_objects=1",
            "scenes.train.max_objects=1",
        )
