"""What the model will see of a scene's objects, so that questions can be answered from the video."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harness.layout import camera_walk, drawn_visibility
from harness.scene import Scene

if TYPE_CHECKING:
    from harness.schema import LayoutVideo

# An object fills this part of a picture, or the frame counts as not showing it.
SHOWN = 0.001
# Walks are drawn this wide to find out what they show; a pixel is then about 4 of the video's.
_DRAWN_WIDTH = 160


@dataclass(frozen=True)
class SeenRule:
    """Every object of a question must be seen.

    Args:
        frames: frames the model looks at, evenly spread over the video.
        share: part of the picture an object must fill to be seen in a frame.
        min_frames: in how many of those frames.
    """

    frames: int = 32
    share: float = SHOWN
    min_frames: int = 1

    def seen(self, scene: Scene) -> frozenset[str]:
        """Ids of the objects that are seen; none where nobody knows what the frames show."""
        shown = shown_frames(scene, self.share)
        if shown is None:
            return frozenset()
        looked_at = np.linspace(0, len(shown) - 1, self.frames, dtype=int)
        times = shown[np.unique(looked_at)].sum(axis=0)
        assert scene.visibility is not None
        ids = scene.visibility.objects
        return frozenset(ids[i] for i in np.flatnonzero(times >= self.min_frames))


def shown_frames(scene: Scene, share: float = SHOWN) -> NDArray[np.bool_] | None:
    """(frames, objects) which frames show which of `Scene.visibility.objects`, or None if unknown."""
    if scene.visibility is None or not scene.frames:
        return None
    pictures = np.array([f.intrinsics.width * f.intrinsics.height for f in scene.frames])
    return np.asarray(scene.visibility.pixels >= np.maximum(1, share * pictures)[:, None])


def frames_showing(
    scene: Scene, objects: Sequence[str], shown: NDArray[np.bool_] | None
) -> tuple[tuple[int, ...], ...]:
    """For each object the places in `Scene.frames` that show it; () where nobody knows."""
    if shown is None or scene.visibility is None:
        return ()
    column = scene.visibility.column
    return tuple(
        tuple(np.flatnonzero(shown[:, column[one]]).tolist()) if one in column else ()
        for one in objects
    )


def with_drawn_frames(scene: Scene, layout: LayoutVideo, seed: int) -> Scene:
    """A scene without footage, with the frames of its layout video and what they show.

    The frames are those of the video that `harness.layout.film_all` draws with the same settings
    and seed, whatever else the scene knows. A scene that has footage is given back as it is.
    """
    if scene.video is not None:
        return scene
    frames = camera_walk(scene, **layout.model_dump(), seed=seed)
    width = min(_DRAWN_WIDTH, layout.width)
    return replace(scene, frames=frames, visibility=drawn_visibility(scene, frames, width=width))
