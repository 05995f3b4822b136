"""Questions from scenes, as the command makes them: how long a set takes, and what memory.

Run with `python -m benchmarks questions`. 1,200 procedural rooms, as many as ScanNet has training
scans, all eight families, two processes, the file written; once from the source, which furnishes
each room and draws what its video shows, and once from a scene store, which is read. Half as
many rooms show whether memory grows. No peer asks the same questions.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from .result import Result

# Every family with its defaults, but for more relative distances and directions a scene.
PRESET = """
questions:
  families:
    object_counting: {min_count: 1}
    object_abs_distance: {}
    object_rel_distance: {}
    object_rel_direction: {max_triples: 6}
    object_size_estimation: {}
    room_size_estimation: {}
    obj_appearance_order: {}
    route_planning: {}
"""


class Run(NamedTuple):
    seconds: float
    mib: float
    rows: int


def timed(*words: str) -> tuple[float, float]:
    """Seconds of a `harness` command, and MiB at the peak of its largest process."""
    begun = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "harness.cli", *words], stdout=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"harness {' '.join(words)} ended with {status}")
    return time.perf_counter() - begun, used.ru_maxrss / 1024


def built(folder: Path, *source: str) -> Run:
    out = folder / "questions.jsonl"
    words = ["--preset", str(folder / "all.yaml"), "--workers", "2", "--out", str(out)]
    seconds, mib = timed("questions", "build", "--source", *source, *words)
    with out.open("rb") as rows:
        return Run(seconds, mib, sum(1 for _ in rows))


def main(*, quick: bool) -> list[Result]:
    scenes = 24 if quick else 1200
    results = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "all.yaml").write_text(PRESET)
        store = folder / "store"
        seconds, _ = timed(
            "scenes", "import", "procedural", "--set", f"scenes={scenes}", "--out", str(store)
        )
        print(f"import of {scenes:,} rooms into a store: {seconds:.1f} s")
        for where, source in (
            ("procedural", ["procedural", "--set", f"scenes={scenes}"]),
            ("procedural, half", ["procedural", "--set", f"scenes={scenes // 2}"]),
            ("store", ["store", "--set", f"root={store}"]),
        ):
            run = built(folder, *source)
            print(
                f"{where}: {run.rows:,} questions in {run.seconds:.1f} s, "
                f"{run.rows / run.seconds:,.0f} a second, {run.mib:.0f} MiB at the peak"
            )
            what = f"{run.rows:,} questions, {where} scenes, all families, two processes"
            results += [
                Result("questions", what, "s", run.seconds),
                Result("questions", what, "MiB", run.mib),
            ]
    return results
