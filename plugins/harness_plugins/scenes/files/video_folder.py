"""Videos beside a release: `<folder>/<dataset>/<scene>.mp4`, as VSI-Bench lays them out."""

from __future__ import annotations

from pathlib import Path

from harness.scene import VideoRef


def video_in(folder: Path | None, dataset: str, scene: str) -> VideoRef | None:
    """The scene's video, if it is there."""
    if folder is None:
        return None
    path = folder / dataset / f"{scene}.mp4"
    return VideoRef(path) if path.is_file() else None


def lacking_files(*, labels: Path | None, videos: Path | None, dataset: str) -> list[str]:
    """What is wrong with the paths of two settings, with the remedy."""
    lacking = []
    if labels is not None and not labels.is_file():
        lacking.append(f"labels {labels} does not exist: give a file, or leave `labels` out")
    if videos is not None and not videos.is_dir():
        lacking.append(
            f"videos {videos} is no folder: give the folder with {dataset}/<scene>.mp4, or leave "
            "`videos` out"
        )
    return lacking
