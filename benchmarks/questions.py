"""Questions from scenes: how many a second, and what memory they take.

Run with `python -m benchmarks questions`. 1,200 procedural rooms, as many as ScanNet has training
scans, every built-in family with its defaults. No peer asks the same questions.
"""

from __future__ import annotations

import resource
import time

from harness.catalogue import build
from harness.generate import AskRules, Family, build_questions
from harness.plugins import load_catalogue
from harness_plugins.scenes.procedural import build as build_rooms
from harness_plugins.scenes.settings import ProceduralSettings

from .result import Result


def families() -> dict[str, Family]:
    """Every question generator that is installed, with its default settings."""
    return {
        one.name: Family(one.name, build(one, one.component.config()))
        for one in load_catalogue()
        if one.kind == "questions"
    }


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(*, quick: bool) -> list[Result]:
    count = 24 if quick else 1200
    source = build_rooms(ProceduralSettings(scenes=count))
    begun = time.perf_counter()
    scenes = [source.load(scene) for scene in source.scene_ids()]
    loaded, before = time.perf_counter(), peak_mib()
    asked = build_questions(scenes, families(), AskRules(seed=0))
    seconds = time.perf_counter() - loaded
    print(f"{count} rooms furnished in {loaded - begun:.1f} s")
    print(f"{len(asked):,} questions in {seconds:.1f} s, {len(asked) / seconds:,.0f} a second")
    print(f"memory: {peak_mib() - before:.0f} MiB more at the peak")
    what = f"{len(asked):,} questions about {count:,} scenes, all families, one process"
    return [
        Result("questions", what, "s", seconds),
        Result("questions", what, "questions/s", len(asked) / seconds, better="high"),
    ]
