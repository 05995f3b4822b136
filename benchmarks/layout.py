"""Layout videos: milliseconds a picture, and videos a second.

Run with `python -m benchmarks layout`. The scenes are procedural rooms. No peer draws such videos.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from harness.layout import Drawing, camera_walk, film_all, render
from harness.scene import Scene
from harness.schema import LayoutVideo
from harness_plugins.scenes.procedural import build
from harness_plugins.scenes.settings import ProceduralSettings

from .result import Result


def rooms(count: int) -> list[Scene]:
    source = build(ProceduralSettings(scenes=count, min_objects=20, max_objects=30))
    return [source.load(scene) for scene in source.scene_ids()]


def milliseconds_a_picture(scenes: list[Scene], width: int, height: int) -> float:
    """Median over the walks through all scenes, on one core."""
    taken = []
    for scene in scenes:
        drawing = Drawing.of(scene)
        for frame in camera_walk(scene, seconds=4, fps=2, width=width, height=height, seed=0):
            begun = time.perf_counter()
            render(drawing, frame)
            taken.append(time.perf_counter() - begun)
    return statistics.median(taken) * 1e3


def seconds_of_filming(scenes: list[Scene], workers: int) -> float:
    settings = LayoutVideo(seconds=4, fps=4, width=160, height=120)
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        film_all(scenes, Path(folder), settings, seed=0, workers=workers)
        return time.perf_counter() - begun


def main(*, quick: bool) -> list[Result]:
    scenes = rooms(8 if quick else 72)
    objects = statistics.mean(len(scene.objects) for scene in scenes)
    results = [
        Result("layout", f"a {width}x{height} picture of {objects:.0f} objects", "ms", ours)
        for width, height in ((320, 240), (160, 120))
        if (ours := milliseconds_a_picture(scenes, width, height))
    ] + [
        Result(
            "layout",
            f"{len(scenes)} videos of 4 s at 4 fps, 160x120, processes: {workers}",
            "s",
            seconds_of_filming(scenes, workers),
        )
        for workers in (1, 2)
    ]
    for result in results:
        print(f"{result.what:<56}{result.ours:>9.2f} {result.unit}")
    return results
