"""Layout videos as files: content, reuse, damage, processes."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.errors import VideoError
from harness.frame_cache import FrameCache
from harness.layout import Drawing, camera_walk, film, film_all, film_layout, render
from harness.scene import Box, Scene, VideoRef, Visibility
from harness.schema import LayoutVideo
from harness.video import read_clip, write_video

MakeScene = Callable[..., Scene]
SETTINGS = LayoutVideo(seconds=2.0, fps=4, width=96, height=64)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def refuse_drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    def write(*_: object) -> None:
        raise AssertionError("drawn again")

    monkeypatch.setattr(film, "write_video", write)


@pytest.fixture
def rooms(make_scene: MakeScene) -> list[Scene]:
    return [
        make_scene([("chair", Box.upright((x, 1.0, 0.5), (0.6, 0.6, 1.0)))], name=f"room {x}")
        for x in (1.0, 2.0, 3.0, 4.0)
    ]


def test_video_shows_the_walk_and_the_sidecar_tells_it(furnished: Scene, tmp_path: Path) -> None:
    drawn = film_layout(furnished, tmp_path / "made" / "room.1", SETTINGS, seed=5)
    video, sidecar = tmp_path / "made" / "room.1.mp4", tmp_path / "made" / "room.1.json"
    frames = camera_walk(furnished, seconds=2.0, fps=4, width=96, height=64, seed=5)
    assert drawn == replace(furnished, frames=frames, video=VideoRef(video, layout=True))

    clip = read_clip(video, frames=8)
    assert (clip.total, clip.fps) == (8, 4.0)
    assert clip.times == tuple(frame.time for frame in frames)
    drawing = Drawing.of(furnished)
    expected = np.stack([render(drawing, frame).colour for frame in frames])
    assert np.abs(clip.frames.astype(float) - expected).mean() < 6

    told = json.loads(sidecar.read_text())
    assert told["layout"] is True
    assert (told["scene"], told["dataset"], told["fps"]) == ("room", "made", 4)
    assert told["intrinsics"]["width"] == 96
    assert [tuple(frame["camera_to_world"]) for frame in told["frames"]] == [
        frame.camera_to_world for frame in frames
    ]
    assert told["video_sha256"] == hashlib.sha256(video.read_bytes()).hexdigest()
    assert names(video.parent) == ["room.1.json", "room.1.mp4"]


def test_equal_input_gives_equal_bytes_so_caches_hit(furnished: Scene, tmp_path: Path) -> None:
    for name in ("one", "two"):
        film_layout(furnished, tmp_path / name / "room", SETTINGS, seed=0)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    cache = FrameCache(tmp_path / "cache")
    for name in ("one", "two"):
        cache.clip(tmp_path / name / "room.mp4", frames=4, height=28, width=28)
    assert len(list(cache.folder.rglob("*.npy"))) == 1


def test_bytes_do_not_hang_on_what_was_in_memory(rooms: list[Scene], tmp_path: Path) -> None:
    """With x264's usual rate control this gave several files: it reads memory it never set."""
    drawing = Drawing.of(rooms[1])
    frames = camera_walk(rooms[1], seconds=2.0, fps=4, width=96, height=64, seed=3)
    pictures = [render(drawing, frame).colour for frame in frames]
    rng = np.random.default_rng(0)
    written = set()
    for _ in range(60):
        litter = [rng.standard_normal(rng.integers(1000, 30000)) for _ in range(8)]
        del litter
        write_video(tmp_path / "room.mp4", pictures, 4)
        written.add((tmp_path / "room.mp4").read_bytes())
    assert len(written) == 1


def test_what_is_there_is_taken(
    furnished: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = film_layout(furnished, tmp_path / "room", SETTINGS, seed=0)
    refuse_drawing(monkeypatch)
    assert film_layout(furnished, tmp_path / "room", SETTINGS, seed=0) == first


@pytest.mark.parametrize(
    "change",
    [
        lambda scene: (replace(scene, objects=scene.objects[:-1]), SETTINGS, 0),
        lambda scene: (replace(scene, height=2.4), SETTINGS, 0),
        lambda scene: (replace(scene, floor=()), SETTINGS, 0),
        lambda scene: (replace(scene, room_area=21.0), SETTINGS, 0),
        lambda scene: (scene, SETTINGS.model_copy(update={"fps": 5}), 0),
        lambda scene: (scene, SETTINGS, 1),
    ],
)
def test_other_input_is_drawn_anew(
    change: Callable[[Scene], tuple[Scene, LayoutVideo, int]], furnished: Scene, tmp_path: Path
) -> None:
    film_layout(furnished, tmp_path / "room", SETTINGS, seed=0)
    scene, settings, seed = change(furnished)
    film_layout(scene, tmp_path / "room", settings, seed)
    again = contents(tmp_path)
    film_layout(scene, tmp_path / "fresh" / "room", settings, seed)
    assert again == contents(tmp_path / "fresh")


@pytest.mark.parametrize(
    "damage",
    [
        lambda video, _: video.write_bytes(video.read_bytes()[:-10]),
        lambda video, _: video.unlink(),
        lambda _, sidecar: sidecar.write_text("{"),
        lambda _, sidecar: sidecar.write_text("[]"),
        lambda _, sidecar: sidecar.unlink(),
        lambda _, sidecar: sidecar.write_text(sidecar.read_text().replace("intrinsics", "in")),
    ],
)
def test_damaged_files_are_made_anew(
    damage: Callable[[Path, Path], object], furnished: Scene, tmp_path: Path
) -> None:
    film_layout(furnished, tmp_path / "room", SETTINGS, seed=0)
    whole = contents(tmp_path)
    damage(tmp_path / "room.mp4", tmp_path / "room.json")
    film_layout(furnished, tmp_path / "room", SETTINGS, seed=0)
    assert contents(tmp_path) == whole


def test_all_scenes_in_order_and_footage_left_alone(rooms: list[Scene], tmp_path: Path) -> None:
    footage = replace(rooms[1], video=VideoRef(Path("real.mp4")))
    told: list[tuple[int, int]] = []
    filmed = film_all(
        [rooms[0], footage, *rooms[2:]],
        tmp_path,
        SETTINGS,
        seed=0,
        workers=1,
        progress=lambda done, total: told.append((done, total)),
    )
    assert [scene.id for scene in filmed] == [scene.id for scene in rooms]
    assert filmed[1] is footage
    assert [scene.video and scene.video.layout for scene in filmed] == [True, False, True, True]
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert all(len(scene.frames) == 8 for scene in filmed if scene is not footage)


def test_what_other_frames_showed_is_dropped(rooms: list[Scene], tmp_path: Path) -> None:
    """A release may pose and look through frames without having footage to show."""
    recorded = film_layout(rooms[0], tmp_path / "x", SETTINGS, 0).frames[:3]
    looked = replace(
        rooms[0],
        frames=recorded,
        visibility=Visibility((rooms[0].objects[0].id,), np.ones((3, 1), dtype=np.int32)),
    )
    # Drawn first, found there the second time.
    for _ in range(2):
        (filmed,) = film_all([looked], tmp_path, SETTINGS, seed=1)
        assert (len(filmed.frames), filmed.visibility) == (8, None)


def test_processes_give_what_one_gives_and_keep_points(
    rooms: list[Scene], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = np.zeros((5, 3))
    rooms[0] = replace(rooms[0], objects=(replace(rooms[0].objects[0], points=points),))
    one = film_all(rooms, tmp_path / "one", SETTINGS, seed=3, workers=1)
    told: list[tuple[int, int]] = []
    two = film_all(
        rooms,
        tmp_path / "two",
        SETTINGS,
        seed=3,
        workers=2,
        progress=lambda done, total: told.append((done, total)),
    )
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert [scene.frames for scene in one] == [scene.frames for scene in two]
    assert [scene.id for scene in two] == [scene.id for scene in rooms]
    assert two[0].objects[0].points is points
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    refuse_drawing(monkeypatch)
    assert film_all(rooms, tmp_path / "two", SETTINGS, seed=3, workers=2) == two


def test_ids_stay_in_the_folder(make_scene: MakeScene, tmp_path: Path) -> None:
    box = Box.upright((1.0, 1.0, 0.5), (0.6, 0.6, 1.0))
    scenes = [make_scene([("chair", box)], name=name) for name in ("../up", "a/b", "..", "C:\\x")]
    filmed = film_all(scenes, tmp_path / "videos", SETTINGS, seed=0, workers=1)
    assert names(tmp_path) == ["videos"]
    paths = {scene.video.path for scene in filmed if scene.video}
    assert {path.parent for path in paths} == {tmp_path / "videos"}
    assert len(paths) == 4


@pytest.mark.parametrize("workers", [1, 2])
def test_errors_name_the_scene(workers: int, rooms: list[Scene], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(VideoError, match=r"scene room \d.0: cannot be drawn: video .*file"):
        film_all(rooms, tmp_path / "file" / "videos", SETTINGS, seed=0, workers=workers)


def test_nothing_to_draw(tmp_path: Path) -> None:
    assert film_all([], tmp_path / "videos", SETTINGS, seed=0) == []
    assert names(tmp_path) == []


INTERRUPTED = """
import sys
from pathlib import Path
from harness.layout import film_all
from harness.scene import Box, Scene, SceneObject
from harness.schema import LayoutVideo

if __name__ == "__main__":
    box = Box.upright((1.0, 1.0, 0.5), (0.6, 0.6, 1.0))
    scenes = [
        Scene(f"s{i}", "made", (SceneObject("a", "chair", box),), 12.0, (1.0, 1.0, 1.0), {"chair": 1})
        for i in range(1000)
    ]
    told = lambda done, total: print(done, flush=True)
    settings = LayoutVideo(seconds=2.0, fps=8, width=160, height=120)
    film_all(scenes, Path(sys.argv[1]), settings, seed=0, workers=2, progress=told)
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_run_ends_and_leaves_whole_files(
    how: signal.Signals, tmp_path: Path
) -> None:
    program = tmp_path / "program.py"
    program.write_text(INTERRUPTED)
    folder = tmp_path / "videos"
    command = [sys.executable, str(program), str(folder)]
    run = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    )
    assert run.stdout is not None
    for _ in range(3):
        run.stdout.readline()
    run.send_signal(how)
    assert run.wait(timeout=30) != 0
    # The pipe ends when the last worker has let go of it.
    run.stdout.read()
    run.stdout.close()
    drawn = names(folder)
    assert 3 <= len([name for name in drawn if name.endswith(".mp4")]) < 900
    time.sleep(0.5)
    assert names(folder) == drawn
    for sidecar in folder.glob("*.json"):
        told = json.loads(sidecar.read_text())
        video = sidecar.with_suffix(".mp4")
        assert told["video_sha256"] == hashlib.sha256(video.read_bytes()).hexdigest()
    if how == signal.SIGINT:
        assert [name for name in drawn if name.startswith(".")] == []
