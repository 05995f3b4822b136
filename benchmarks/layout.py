"""Layout videos: milliseconds a picture, and videos a second.

Run with `python benchmarks/layout.py [--json FILE]`. The scenes are procedural rooms.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from harness.atomic import write_json
from harness.layout import Drawing, camera_walk, film_all, render
from harness.scene import Scene
from harness.schema import LayoutVideo
from harness_plugins.scenes.procedural import build
from harness_plugins.scenes.settings import ProceduralSettings


def rooms(count: int) -> list[Scene]:
    source = build(ProceduralSettings(count=count, min_objects=20, max_objects=30))
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


def measure() -> dict[str, float]:
    scenes = rooms(72)
    objects = statistics.mean(len(scene.objects) for scene in scenes)
    return {
        "objects a scene": objects,
        "ms a 320x240 picture": milliseconds_a_picture(scenes, 320, 240),
        "ms a 160x120 picture": milliseconds_a_picture(scenes, 160, 120),
        "s for 72 videos of 4 s at 4 fps, 160x120, 1 process": seconds_of_filming(scenes, 1),
        "s for 72 videos of 4 s at 4 fps, 160x120, 2 processes": seconds_of_filming(scenes, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    arguments = parser.parse_args()
    figures = measure()
    for name, value in figures.items():
        print(f"{name:<56}{value:>8.2f}")
    if arguments.json:
        write_json(arguments.json, figures)


if __name__ == "__main__":
    main()
