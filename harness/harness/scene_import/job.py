"""One scene read, checked and put down; this runs in a worker process."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from harness.catalogue import build, is_exhaustion
from harness.component import SceneSource
from harness.errors import HarnessError
from harness.guarded import GuardedScenes
from harness.plugins import load_catalogue
from harness.scene import Frame, Scene
from harness.scene_import.parts import Parts
from harness.store import POSES, Left, table_of, write_poses

_CONTAINERS = (".mp4", ".mov", ".mkv", ".webm", ".avi")


@dataclass(frozen=True)
class ImportJob:
    """What a worker process needs to know.

    Args:
        source: name of the scene source. settings: of the source, as JSON text.
        store: folder of the store.
        videos: whether to write footage.
    """

    source: str
    settings: str
    store: Path
    videos: bool

    def open(self) -> GuardedScenes:
        """The source, built anew from its name and settings."""
        registered = load_catalogue().get("scenes", self.source)
        settings = registered.component.config.model_validate_json(self.settings)
        return GuardedScenes(cast(SceneSource, build(registered, settings)), registered)


def import_scene(job: ImportJob, source: GuardedScenes, number: int, scene_id: str) -> None:
    """Put a scene down as a part, or why it was left out.

    Raises:
        OSError: the disk is full.
    """
    parts = Parts(job.store)
    try:
        scene = source.load(scene_id)
        table_of(scene)  # a scene that cannot be kept needs no video
        video, why = _video(job, source, number, scene) if job.videos else (None, "")
        parts.keep(number, table_of(scene, video), why)
    except MemoryError:
        parts.skip(number, Left(scene_id, "out of memory: try fewer processes (--workers 1)"))
    except HarnessError as error:
        _refuse_full_disk(error)
        parts.skip(number, Left(scene_id, str(error)))


def _video(
    job: ImportJob, source: GuardedScenes, number: int, scene: Scene
) -> tuple[str | None, str]:
    """The video's path in the store, or None and why there is none."""
    temporary = Parts(job.store).video(number)
    temporary.parent.mkdir(exist_ok=True)
    suffix = ".mp4"
    frames: Sequence[Frame | None] | None = None
    try:
        if scene.video is not None:
            suffix = scene.video.path.suffix.lower()
            if suffix not in _CONTAINERS:
                return None, f"{scene.video.path}: expected a video in {', '.join(_CONTAINERS)}"
            shutil.copyfile(scene.video.path, temporary)
        elif source.has_footage:
            frames = source.export_video(scene.id, temporary)
            if not temporary.is_file():
                return None, f"{source.registered}: its export_video wrote no file"
        else:
            return None, "the source has no footage"
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
    except (HarnessError, OSError) as error:
        _refuse_full_disk(error)
        return None, str(error)
    name = f"videos/{scene.dataset}/{scene.id}{suffix}"
    (job.store / name).parent.mkdir(parents=True, exist_ok=True)
    if frames is not None:
        write_poses((job.store / name).with_suffix(POSES), frames)
    temporary.replace(job.store / name)
    return name, ""


def _refuse_full_disk(error: BaseException) -> None:
    """A full disk is no fault of the scene: the import ends, and goes on when there is room."""
    if is_exhaustion(error) and not isinstance(error, MemoryError):
        place = getattr(error, "filename", None)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), place) from error


def of_death(code: int | None) -> str:
    """Why a scene is missing whose process ended while it read it."""
    if code is not None and code < 0:
        how = f"was killed by signal {-code}"
    else:
        how = f"ended with exit code {code}"
    return (
        f"the process that read this scene {how}, twice, the second time with no other beside it "
        "(most often: out of memory)"
    )
