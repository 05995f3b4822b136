"""Where the camera was in each frame of a video, in a file beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from harness.atomic import write_jsonl
from harness.scene import Frame

# Takes the place of a video's suffix.
POSES = ".poses.jsonl"


def write_poses(path: Path, frames: Sequence[Frame | None]) -> None:
    """Write one JSON object a line for each frame of a video, in order.

    `frame` counts from 0; `pose` has the frame's time (seconds), camera to world (16 numbers,
    row-major, metres) and intrinsics (pixels) as `harness.scene.Frame`, or is null where it was
    lost.
    """
    write_jsonl(
        path,
        (
            {"frame": number, "pose": None if frame is None else asdict(frame)}
            for number, frame in enumerate(frames)
        ),
    )
