"""Layout videos: a camera walk through a scene's boxes, drawn without a display.

For scenes that have annotations but no footage. Names are imported on first use, so that the
start of a worker process can limit its threads before numpy is loaded.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.layout.camera import camera_walk
    from harness.layout.drawing import Drawing
    from harness.layout.film import film_all, film_layout
    from harness.layout.raster import Rendered, render
    from harness.layout.visibility import drawn_visibility

_MODULE_OF = {
    "Drawing": "drawing",
    "Rendered": "raster",
    "camera_walk": "camera",
    "drawn_visibility": "visibility",
    "film_all": "film",
    "film_layout": "film",
    "render": "raster",
}

__all__ = [
    "Drawing",
    "Rendered",
    "camera_walk",
    "drawn_visibility",
    "film_all",
    "film_layout",
    "render",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'harness.layout' has no attribute {name!r}")
    return getattr(import_module(f"harness.layout.{_MODULE_OF[name]}"), name)
