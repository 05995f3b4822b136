"""Which videos a run gets: footage read with the frames each set needs, layout videos for the rest."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness.errors import HarnessError, VideoError
from harness.frame_cache import FrameCache
from harness.plugins import load_catalogue
from harness.question import Question
from harness.recipe import load_recipe
from harness.scene import Box, Scene, SceneObject, VideoRef
from harness.stages.videos import Videos, find_videos
from harness.video import write_video

LIGHT = Path(__file__).parents[1] / "fixtures" / "light.yaml"


def scene(name: str, video: Path | None = None) -> Scene:
    return Scene(
        id=name,
        dataset="test",
        objects=(SceneObject("chair_0", "chair", Box.upright((0, 0, 0.5), (1, 1, 1))),),
        room_area=12.0,
        room_centre=(0.0, 0.0, 1.2),
        counts={"chair": 1},
        video=None if video is None else VideoRef(video),
    )


def about(*scenes: Scene) -> list[Question]:
    return [
        Question(f"q-{s.id}", s.id, "test", "object_counting", "How many chairs?", "1")
        for s in scenes
    ]


@pytest.fixture
def find(tmp_path):
    """Videos for some training and evaluation scenes; all of them are asked about."""

    def videos(train=(), evaluate=(), asked=None, overrides=()) -> Videos:
        (cell,) = load_recipe(LIGHT, overrides, load_catalogue(), local=False).cells
        return find_videos(
            cell.recipe,
            (train, about(*train)),
            (evaluate, about(*evaluate) if asked is None else asked),
            tmp_path / "questions",
            FrameCache(tmp_path / "frames"),
        )

    return videos


@pytest.fixture
def footage(tmp_path):
    def write(name: str) -> Path:
        frames = np.random.default_rng(0).integers(0, 255, (12, 32, 32, 3), dtype=np.uint8)
        write_video(tmp_path / f"{name}.mp4", frames, 6)
        return tmp_path / f"{name}.mp4"

    return write


def test_footage_goes_before_layout_videos(find, footage, tmp_path):
    filmed = footage("b")
    found = find([scene("a")], [scene("b", filmed)])
    assert found.of_scene == {
        "a": {"path": "videos/test-a.mp4", "layout": True},
        "b": {"path": str(filmed), "layout": False},
    }
    assert found.unreadable == {}
    assert (tmp_path / "questions/videos/test-a.mp4").is_file()


def test_a_relative_path_of_footage_stays_valid_elsewhere(find, footage, tmp_path, monkeypatch):
    footage("a")
    monkeypatch.chdir(tmp_path)
    found = find([scene("a", Path("a.mp4"))])
    assert found.of_scene["a"]["path"] == str(tmp_path / "a.mp4")


def test_frames_are_kept_as_each_set_will_look_at_them(find, footage, tmp_path):
    train, evaluate = footage("a"), footage("b")
    evaluate.write_bytes(evaluate.read_bytes() + b"\0\0\0\x08free")  # another file, the same frames
    find([scene("a", train)], [scene("b", evaluate)], overrides=["evaluate.frames=5"])
    kept = [np.load(path).shape for path in (tmp_path / "frames").rglob("*.npy")]
    assert sorted(kept) == [(2, 56, 56, 3), (5, 56, 56, 3)]


def test_scenes_that_nobody_asks_about_have_no_video(find):
    scenes = [scene("a"), scene("b")]
    assert find(evaluate=scenes, asked=about(scenes[1])).of_scene.keys() == {"b"}


def test_questions_about_scenes_that_are_not_held_out_are_refused(find):
    with pytest.raises(
        HarnessError, match=r"2 scene\(s\) that a task asks .* \(a, c\), so there is"
    ):
        find([scene("a")], [scene("b")], asked=about(scene("c"), scene("a"), scene("b")))


def test_all_unreadable_videos_are_told_up_to_twenty(find, tmp_path):
    scenes = [scene(f"s{i:02}", tmp_path / f"{i:02}.mp4") for i in range(23)]
    with pytest.raises(VideoError) as caught:
        find(evaluate=scenes, overrides=["video.max_unreadable=22"])
    told = str(caught.value).splitlines()
    assert told[0].startswith("23 of 23 videos cannot be read, video.max_unreadable is 22")
    assert told[1] == f"  video {tmp_path}/00.mp4: no such file; check the path"
    assert told[21:] == ["  and 3 more"]
    found = find(evaluate=scenes, overrides=["video.max_unreadable=23"])
    assert (found.of_scene, len(found.unreadable)) == ({}, 23)
