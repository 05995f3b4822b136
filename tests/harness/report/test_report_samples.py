from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from harness.errors import VideoError
from harness.report import load_run
from harness.report.load import Answer, RolloutRow, Stage
from harness.report.samples import outcome, rollout_groups, samples
from harness.report.thumbnails import FrameStrips, spread, video_thumbnails


def test_samples_are_spread_over_types_and_outcomes(finished_run: Path) -> None:
    chosen = samples(load_run(finished_run))
    types = Counter(sample.reference.question_type for sample in chosen)
    assert len(chosen) == 30
    assert len(types) == 10
    assert min(types.values()) >= 2
    assert {"right", "wrong"} <= {sample.outcome for sample in chosen}
    assert {"better", "worse"} <= {sample.change for sample in chosen}
    assert {sample.reference_model for sample in chosen} == {"grpo"}
    assert [model.model for model, _ in chosen[0].answers] == [
        "base", "sft", "grpo", "frequency", "blind",
    ]  # fmt: skip


def test_samples_do_not_depend_on_the_order_of_the_file(finished_run: Path) -> None:
    run = load_run(finished_run)
    turned = replace(
        run, evaluations=tuple(replace(e, answers=e.answers[::-1]) for e in run.evaluations)
    )
    assert [s.reference.id for s in samples(run)] == [s.reference.id for s in samples(turned)]


def test_few_samples_still_show_right_and_wrong(finished_run: Path) -> None:
    chosen = samples(load_run(finished_run), limit=30)
    by_type = {s.reference.question_type: set() for s in chosen}
    for sample in chosen:
        by_type[sample.reference.question_type].add(sample.outcome)
    assert by_type["object_rel_distance"] == {"right", "wrong"}


@pytest.mark.parametrize(("score", "name"), [(1.0, "right"), (0.4, "partly right"), (0.0, "wrong")])
def test_outcomes(score: float, name: str) -> None:
    assert outcome(score) == name


def test_rollout_groups_go_from_the_first_to_the_last_step(finished_run: Path) -> None:
    groups = rollout_groups(load_run(finished_run).stages[1])
    assert [group.step for group in groups] == [2, 26, 50, 72, 96, 120]
    assert [len(group.rows) for group in groups] == [8] * 6
    assert {row.id for row in groups[0].rows} in ({"t2_0"}, {"t2_1"})
    assert groups[0].reward_names == ("accuracy", "format")


def test_a_group_whose_rewards_differ_comes_first_and_long_groups_are_cut() -> None:
    equal = [RolloutRow(1, "a", "x", reward=1.0) for _ in range(4)]
    mixed = [RolloutRow(1, "b", "x", reward=float(i)) for i in range(20)]
    (group,) = rollout_groups(Stage("grpo", rollouts=(*equal, *mixed)))
    assert group.rows[0].id == "b"
    assert (len(group.rows), group.left_out) == (16, 4)


def test_spread_keeps_both_ends() -> None:
    assert spread(range(24), 4) == (0, 8, 15, 23)
    assert spread((5, 7), 4) == (5, 7)


def test_thumbnails_are_the_frames_asked_for(
    tmp_path: Path, write_video: Callable[..., None]
) -> None:
    write_video(tmp_path / "v.mp4")
    pictures = [
        Image.open(io.BytesIO(p)) for p in video_thumbnails(str(tmp_path / "v.mp4"), [20, 0])
    ]
    assert [picture.format for picture in pictures] == ["JPEG", "JPEG"]
    assert {picture.size for picture in pictures} == {(128, 96)}
    # the square has walked 40 of 64 pixels between frame 0 and frame 20
    centres = [np.argmin(np.asarray(p.convert("RGB"))[52, :, 0]) / 2 for p in pictures]
    assert centres[0] - centres[1] == pytest.approx(40, abs=6)


def test_bad_videos_are_named(tmp_path: Path, write_video: Callable[..., None]) -> None:
    write_video(tmp_path / "v.mp4")
    (tmp_path / "text.mp4").write_text("#EXTM3U\nhttps://example.org/a.ts\n")
    for name, indices, words in (
        ("none.mp4", [0], "no such video"),
        ("text.mp4", [0], "no video container"),
        ("v.mp4", [24], "has 24 frames, but frame 24"),
    ):
        with pytest.raises(VideoError, match=words):
            video_thumbnails(str(tmp_path / name), indices)


def test_strips_are_made_once_and_stop_at_the_budget(tmp_path: Path) -> None:
    asked = []

    def thumbnails(video: str, indices: Sequence[int]) -> list[bytes]:
        asked.append(video)
        return [b"\xff\xd8" * 30] * len(indices)

    answer = Answer("q", "t", 0.0, video="videos/a.mp4", frame_indices=tuple(range(32)))
    strips = FrameStrips(tmp_path, thumbnails, left=2000)
    first, second, third = strips.of(answer), strips.of(answer), strips.of(answer)
    assert asked == [str(tmp_path / "videos" / "a.mp4")]
    assert [index for index, _ in first.images] == [0, 4, 9, 13, 18, 22, 27, 31]
    assert first.total == 32
    assert first == second
    assert third.missing == "frames left out to keep this page small"


def test_strips_say_why_there_are_no_frames(tmp_path: Path) -> None:
    strips = FrameStrips(tmp_path, video_thumbnails)
    blind = Answer("q", "t", 0.0, video="videos/a.mp4", frame_indices=())
    gone = replace(blind, frame_indices=(0,))
    outside = replace(gone, video="../a.mp4")
    assert strips.of(blind).missing == "asked without video"
    assert "no such video" in strips.of(gone).missing
    assert "leaves the run folder" in strips.of(outside).missing
