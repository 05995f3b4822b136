"""Layout videos as files: `NAME.mp4`, and `NAME.json` with the poses and what it was drawn from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from harness.atomic import write_json
from harness.errors import HarnessError, VideoError
from harness.layout.camera import camera_walk
from harness.layout.drawing import Drawing
from harness.layout.raster import render
from harness.processes import processors, start
from harness.scene import Frame, Intrinsics, Scene, VideoRef
from harness.video import write_video

if TYPE_CHECKING:  # pydantic's models take drawing processes long to import
    from harness.schema import LayoutVideo

# A process takes a second to start; it should have this many videos to draw.
VIDEOS_FOR_A_PROCESS = 8
# To be raised when the same scene and settings give another picture or another walk.
DRAWING_VERSION = 1

Progress = Callable[[int, int], None]


def film_layout(scene: Scene, path: Path, settings: LayoutVideo, seed: int) -> Scene:
    """Draw a scene and give it back with its video and the posed frames of the walk.

    Writes `<path>.mp4` (H.264) and `<path>.json`: `layout` true, `fps`, `intrinsics`, `frames`
    (time, camera to world), and digests of the input and of the video. Equal input gives equal
    bytes; files that are there already and agree with the input are taken as they are.

    Raises:
        VideoError: the files cannot be written; the scene is named.
    """
    return _film(scene, path, _Shot(**settings.model_dump(), seed=seed))


@dataclass(frozen=True)
class _Shot:
    seconds: float
    fps: int
    width: int
    height: int
    seed: int


def _film(scene: Scene, path: Path, shot: _Shot) -> Scene:
    found = _found(scene, path, shot)
    if found is not None:
        return found
    video, sidecar = _files(path)
    frames = camera_walk(scene, **asdict(shot))
    drawing = Drawing.of(scene)
    try:
        write_video(video, (render(drawing, frame).colour for frame in frames), shot.fps)
        write_json(sidecar, _describe(scene, frames, shot, video))
    except OSError as error:
        raise VideoError(f"scene {scene.id}: {sidecar}: {error.strerror}") from error
    except HarnessError as error:
        raise VideoError(f"scene {scene.id}: cannot be drawn: {error}") from error
    return replace(scene, frames=frames, visibility=None, video=VideoRef(video, layout=True))


def film_all(
    scenes: Iterable[Scene],
    folder: Path,
    settings: LayoutVideo,
    *,
    seed: int,
    workers: int | None = None,
    progress: Progress | None = None,
) -> list[Scene]:
    """Draw every scene that has no video into `folder`; the others stay as they are.

    Args:
        scenes: in any number; ids are unique within a data set.
        folder: where the videos go, as `<dataset>-<scene>.mp4`.
        settings: length, rate and size of the videos.
        seed: of the walks.
        workers: processes, 1 for this one; if None, as many as there are processors and the work
            is worth.
        progress: called with (videos done, videos in all) after each.

    Returns:
        The scenes in their order, all with a video.

    Raises:
        VideoError: a scene cannot be drawn; it is named. What was drawn before stays.
    """
    filmed = list(scenes)
    shot = _Shot(**settings.model_dump(), seed=seed)
    bare = [place for place, scene in enumerate(filmed) if scene.video is None]
    tell = progress or _say_nothing
    left = []
    for place in bare:
        found = _found(filmed[place], _path(folder, filmed[place]), shot)
        if found is None:
            left.append(place)
        else:
            filmed[place] = found
            tell(len(bare) - len(left), len(bare))
    jobs = [(_for_drawing(filmed[place]), _path(folder, filmed[place])) for place in left]
    processes = workers or min(processors(), max(1, len(left) // VIDEOS_FOR_A_PROCESS))
    with closing(_draw(jobs, shot, processes)) as drawn:
        for done, (number, scene) in enumerate(drawn, len(bare) - len(left) + 1):
            place = left[number]
            filmed[place] = replace(
                filmed[place],
                frames=scene.frames,
                visibility=scene.visibility,
                video=scene.video,
            )
            tell(done, len(bare))
    return filmed


def _draw(
    jobs: Sequence[tuple[Scene, Path]], shot: _Shot, workers: int
) -> Generator[tuple[int, Scene], None, None]:
    """(Number of the job, scene with its video) as they are done."""
    if min(workers, len(jobs)) <= 1:
        for number, (scene, path) in enumerate(jobs):
            yield number, _film(scene, path, shot)
        return
    pool = ProcessPoolExecutor(min(workers, len(jobs)), get_context("spawn"), initializer=start)
    try:
        waiting = {
            pool.submit(_film, scene, path, shot): number
            for number, (scene, path) in enumerate(jobs)
        }
        for future in as_completed(waiting):
            number = waiting[future]
            yield number, _result(future, jobs[number][0])
    finally:
        # On an error or Ctrl-C the rest is dropped; what is being drawn ends within a moment.
        pool.shutdown(cancel_futures=True)


def _say_nothing(_done: int, _total: int) -> None:
    pass


def _result(future: Future[Scene], scene: Scene) -> Scene:
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise VideoError(
            f"scene {scene.id}: a drawing process ended abruptly (out of memory, or a script "
            f"without `if __name__ == '__main__':`); try workers=1; finished videos are kept"
        ) from error


def _for_drawing(scene: Scene) -> Scene:
    """The scene without what drawing does not need and moving between processes would cost."""
    return replace(
        scene,
        objects=tuple(replace(item, points=None) for item in scene.objects),
        frames=(),
        visibility=None,  # of other frames than those to be drawn
    )


def _path(folder: Path, scene: Scene) -> Path:
    # Ids come from outside: nothing in them may leave the folder.
    return folder / f"{quote(scene.dataset, safe='')}-{quote(scene.id, safe='')}"


def _digest(scene: Scene, shot: _Shot) -> str:
    """SHA-256 over everything the picture depends on."""
    value = {
        "version": DRAWING_VERSION,
        "id": scene.id,
        "objects": [(item.category, asdict(item.box)) for item in scene.objects],
        "room": [scene.room_area, scene.room_centre, scene.floor, scene.height],
        "shot": asdict(shot),
    }
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _describe(scene: Scene, frames: Sequence[Frame], shot: _Shot, video: Path) -> dict[str, Any]:
    return {
        "layout": True,
        "scene": scene.id,
        "dataset": scene.dataset,
        "made_from": _digest(scene, shot),
        "video_sha256": hashlib.sha256(video.read_bytes()).hexdigest(),
        "fps": shot.fps,
        "intrinsics": asdict(frames[0].intrinsics),
        "frames": [
            {"time": frame.time, "camera_to_world": frame.camera_to_world} for frame in frames
        ],
    }


def _found(scene: Scene, path: Path, shot: _Shot) -> Scene | None:
    """The scene with the video that is there already, if it is whole and was drawn from this."""
    video, sidecar = _files(path)
    try:
        found = json.loads(sidecar.read_text())
        if found["made_from"] != _digest(scene, shot):
            return None
        if found["video_sha256"] != hashlib.sha256(video.read_bytes()).hexdigest():
            return None
        camera = Intrinsics(**found["intrinsics"])
        frames = tuple(
            Frame(frame["time"], tuple(frame["camera_to_world"]), camera)
            for frame in found["frames"]
        )
    except (OSError, ValueError, KeyError, TypeError):
        # Absent or damaged: drawn anew.
        return None
    return replace(scene, frames=frames, visibility=None, video=VideoRef(video, layout=True))


def _files(path: Path) -> tuple[Path, Path]:
    return path.with_name(path.name + ".mp4"), path.with_name(path.name + ".json")
