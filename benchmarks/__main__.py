"""Run the benchmarks: `python -m benchmarks [NAME...] [--quick] [--json FILE]`.

`results.json` gets the rows. A benchmark is a module of this folder with `main(*, quick: bool) ->
list[Result]`: it prints its table and gives the rows. `--quick` shortens the work to see that it
runs; its figures mean nothing.
"""

from __future__ import annotations

import argparse
import os
import platform
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from harness.atomic import write_json

from .result import Result

HERE = Path(__file__).parent
NO_BENCHMARKS = {"__main__", "result"}
NAMES = sorted({path.stem for path in HERE.glob("*.py")} - NO_BENCHMARKS)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which of {', '.join(NAMES)}")
    parser.add_argument("--quick", action="store_true", help="see that they run, measure nothing")
    parser.add_argument("--json", type=Path, default=HERE / "results.json")
    arguments = parser.parse_args()
    if unknown := sorted(set(arguments.names) - set(NAMES)):
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(NAMES)}")
    print(f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {platform.platform()}\n")
    results: list[Result] = []
    for name in arguments.names or NAMES:
        print(f"== {name}", flush=True)
        results += import_module(f".{name}", __package__).main(quick=arguments.quick)
        print(flush=True)
    write_json(arguments.json, [result.to_json() for result in results])
    print(f"written: {arguments.json}")


if __name__ == "__main__":
    main()
