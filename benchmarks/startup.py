"""How long a command takes that only tells something: ours, trl's and lm-eval's.

Run with `python -m benchmarks startup`. The medians of several starts, after one that fills the
file cache; a peer that is not installed is left out.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

from .result import Result

OURS = (("harness", "--help"), ("harness", "plugins"))
PEERS = (("trl", "--help"), ("lm-eval", "--help"))


def seconds_to_run(command: tuple[str, ...], rounds: int) -> float | None:
    """Median seconds, or None if it is not installed beside this Python."""
    program = Path(sys.executable).with_name(command[0])
    if not program.is_file():
        return None
    taken = []
    for _ in range(rounds + 1):
        begun = time.perf_counter()
        subprocess.run([program, *command[1:]], check=True, capture_output=True)
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken[1:])


def main(*, quick: bool) -> list[Result]:
    rounds = 1 if quick else 7
    times = {c: s for c in (*OURS, *PEERS) if (s := seconds_to_run(c, rounds)) is not None}
    for command, seconds in times.items():
        print(f"{' '.join(command):<20}{seconds:>7.2f} s")
    return [
        Result("startup", f"{' '.join(ours)}, against {' '.join(peer)}", "s", times[ours], seconds)
        for ours in OURS
        for peer in PEERS
        if (seconds := times.get(peer)) is not None
    ]
