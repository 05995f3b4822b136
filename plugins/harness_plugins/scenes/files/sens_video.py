"""A `.sens` recording as an mp4 with a pose for each of its frames.

Depth stays compressed in the file, a JPEG is decoded no larger than the video needs, and no more
than two pictures are in memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.atomic import write_jsonl
from harness.errors import SceneError
from harness.scene import Array, Frame
from harness.video import sample_indices, write_video
from harness_plugins.scenes.files.sens import SensFile

# VSI-Bench's videos: 640 x 480 at 24 frames a second, whatever the recording's rate.
WIDTH, HEIGHT, FPS = 640, 480, 24


def export_video(
    sens: SensFile,
    out: Path,
    *,
    width: int = WIDTH,
    height: int = HEIGHT,
    fps: int = FPS,
    max_frames: int | None = None,
    world: Array | None = None,
) -> Sequence[Frame | None]:
    """Write the recording as mp4, and beside it `poses_path(out)`; each whole or not at all.

    Args:
        sens: the recording.
        out: the mp4.
        width: pixels, even; the picture is scaled to it, its camera too.
        height: pixels, even.
        fps: frames a second of the mp4. The recording's frames follow each other at this rate.
        max_frames: at most this many frames, evenly from first to last; all if left out.
        world: (4, 4) from the recording's world to the one that poses are wanted in.

    Returns:
        For each frame of the mp4 its pose, at its time in the mp4; None where tracking was lost.

    Raises:
        SceneError: the recording is damaged or has no frames. VideoError: it cannot be encoded.
    """
    if not len(sens):
        raise SceneError(f"{sens.path}: has no frames to make a video of")
    indices: Sequence[int] = range(len(sens))
    if max_frames is not None and len(sens) > max_frames:
        indices = sample_indices(len(sens), max_frames)
    poses, camera = sens.poses(), sens.header.colour.scaled(width, height)
    turn = np.eye(4) if world is None else world
    frames = [
        None if pose is None else Frame(place / fps, tuple((turn @ pose).ravel().tolist()), camera)
        for place, pose in enumerate(poses[index] for index in indices)
    ]
    write_jsonl(poses_path(out), map(_row, indices, frames))
    with ThreadPoolExecutor(max_workers=1) as decoder:
        write_video(out, _pictures(sens, indices, (width, height), decoder), fps)
    return frames


def _pictures(
    sens: SensFile, indices: Sequence[int], size: tuple[int, int], decoder: Executor
) -> Iterator[NDArray[np.uint8]]:
    """The pictures in order; while one is encoded, the one after it is decoded."""
    following = decoder.submit(sens.colour, indices[0], size)
    for index in indices[1:]:
        picture = following.result()
        following = decoder.submit(sens.colour, index, size)
        yield picture
    yield following.result()


def poses_path(out: Path) -> Path:
    """The file beside an mp4 with one JSON object for each of its frames.

    `source_frame` is the frame's number in the recording, `pose` the frame's time, pose and
    camera as `harness.scene.Frame` has them, or null.
    """
    return out.with_suffix(".poses.jsonl")


def _row(source_frame: int, frame: Frame | None) -> dict[str, object]:
    return {"source_frame": source_frame, "pose": None if frame is None else asdict(frame)}
