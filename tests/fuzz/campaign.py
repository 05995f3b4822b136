"""Mutations of valid files through readers, in a process of its own.

    python tests/fuzz/campaign.py READER FIRST COUNT [READER FIRST COUNT ...]

Runs the mutations with the seeds FIRST, FIRST + 1, ... of each reader and prints a JSON object for
each reader: how many were run, how many read a valid result, how many were refused with a clear
error, seconds, the most bytes that one took, the bytes that all left behind, and each failure with
its seed. A failure is run again alone, with its traceback, by COUNT 1.
"""

from __future__ import annotations

import faulthandler
import json
import random
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from mutations import mutated, number_replaced
from readers import READERS, Reader

from harness.errors import HarnessError, PluginError

# For one mutation: seconds of the processor, and bytes of memory.
MOST_SECONDS, MOST_GROWTH = 2.0, 200_000_000
# So that a blow-up is a MemoryError and not the end of the machine.
_ADDRESS_SPACE = 6 * 2**30
_MOST_SHOWN = 40
ROOT = "the files"


class Hang(BaseException):
    """Raised into a reader that takes far too long."""


def _alarm(_signal: int, _frame: object) -> None:
    raise Hang


def run(name: str, first: int, count: int, *, loud: bool = False) -> dict[str, Any]:
    """Run the mutations of a reader."""
    reader = READERS[name]
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        root = Path(folder, ROOT)
        root.mkdir()
        reader.write(root)
        shutil.copytree(root, root.with_name("valid"))
        files = sorted(
            {path for pattern in reader.damage for path in root.glob(pattern) if path.is_file()}
        )
        for path in files:  # whatever is loaded but once is no growth
            with suppress(HarnessError):  # not each file is for each of a reader's functions
                reader.read(root, path, random.Random(0))
        failures, valid, peak = [], 0, 0
        before = _resident("VmRSS")
        began = time.process_time()
        for seed in range(first, first + count):
            one = _one(reader, root, files, random.Random(f"{name} {seed}"), loud=loud)
            valid += one.valid
            peak = max(peak, one.growth)
            if one.fault:
                failures.append(f"{name} {seed}: {one.fault.replace(folder, '')}")
        growth = _resident("VmRSS") - before
        if growth > MOST_GROWTH:
            failures.append(f"{name}: all of them left {growth:,} bytes behind")
    return {
        "reader": name,
        "run": count,
        "valid": valid,
        "refused": count - valid - len(failures),
        "failures": failures[:_MOST_SHOWN],
        "failed": len(failures),
        "seconds": round(time.process_time() - began, 2),
        "peak": peak,
        "growth": growth,
    }


class Outcome(NamedTuple):
    """Whether a damaged file gave a valid result, what is wrong, and bytes taken meanwhile."""

    valid: bool
    fault: str = ""
    growth: int = 0


def _one(
    reader: Reader, root: Path, files: list[Path], rng: random.Random, *, loud: bool
) -> Outcome:
    changed = rng.choice(files)
    data = changed.read_bytes()
    what = _damage(changed, data, files, rng)
    where = f"{changed}: {what}"
    if loud:
        print(where, file=sys.stderr)
    before = _reset_peak()
    began = time.process_time()
    faulthandler.dump_traceback_later(120, exit=True)
    signal.setitimer(signal.ITIMER_PROF, 5 * MOST_SECONDS)
    try:
        reader.read(root, changed, rng)
        message = None
    except PluginError as error:
        return Outcome(valid=False, fault=f"{where}: {error!r:.300}")
    except HarnessError as error:
        message = str(error)
    except (Exception, Hang) as error:  # noqa: BLE001 - what else may come out is the question
        if loud:
            traceback.print_exc()
        told = f"{type(error).__name__}: {error!s:.200} ({_place(error)})"
        return Outcome(valid=False, fault=f"{where}: {told}")
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        seconds, growth = time.process_time() - began, _resident("VmHWM") - before
        _restore(root, root.with_name("valid"), changed, data)
    if seconds > MOST_SECONDS:
        return Outcome(valid=False, fault=f"{where}: took {seconds:.1f} s", growth=growth)
    if growth > MOST_GROWTH:
        return Outcome(valid=False, fault=f"{where}: took {growth:,} bytes", growth=growth)
    if message is None:
        return Outcome(valid=True, growth=growth)
    if loud:
        print(message, file=sys.stderr)
    return Outcome(valid=False, fault=_unclear(message, where, root), growth=growth)


def _unclear(message: str, where: str, root: Path) -> str:
    """What an error's message lacks: the path of a file, or a folder and the name in it."""
    told = message.replace(str(root), "")
    missing = told != message and re.search(r"<|\.\w|found ['\"]", told)
    # A matrix is of one file, which the command line names.
    if (
        not missing
        and not message.startswith("matrix: ")
        and not re.search(rf"{re.escape(str(root))}/\S", message)
    ):
        return f"{where}: the error names no file: {message[:300]}"
    if len(message) > 20_000:
        return f"{where}: the error has {len(message):,} characters: {message[:200]}"
    return ""


def _damage(path: Path, data: bytes, files: list[Path], rng: random.Random) -> str:
    """Damage a file, mostly its contents; gives what was done."""
    if rng.random() < 0.94:
        made, what = mutated(path, data, rng)
        path.write_bytes(made)
        return what
    return rng.choice((_replaced, _replaced, _renamed, _without_folder))(path, data, files, rng)


def _replaced(path: Path, data: bytes, files: list[Path], rng: random.Random) -> str:
    path.unlink()
    what = rng.choice(("missing", "a folder", "a link to itself", "another file", "a broken link"))
    if what == "a folder":
        path.mkdir()
    elif what == "a link to itself":
        path.symlink_to(path)
    elif what == "a broken link":
        path.symlink_to(path.with_name("nowhere"))
    elif what == "another file":
        other = rng.choice(files)
        path.write_bytes(data[::-1] if other == path else other.read_bytes())
        what = f"has the contents of {other.name}"
    return what


def _renamed(path: Path, _data: bytes, _files: list[Path], rng: random.Random) -> str:
    """The file, or a folder that it is in, has another name."""
    folder = path.parent if path.parent.name != ROOT else path
    there = rng.choice((path, path, folder))
    made, _ = number_replaced(there.name.encode(), rng)
    name = "".join(sign for sign in made.decode(errors="replace") if sign not in "/\0")[:60]
    target = there.with_name("x" if name in {"", ".", ".."} else name)
    while target.exists():
        target = target.with_name(f"{target.name}x")
    there.rename(target)
    return f"{there.name} is named {target.name!r}"


def _without_folder(path: Path, _data: bytes, _files: list[Path], rng: random.Random) -> str:
    """Where its folder was is nothing, a file, or an empty folder."""
    folder = path.parent
    shutil.rmtree(folder)
    what = rng.choice(("missing", "a file", "empty"))
    if what == "a file":
        folder.write_bytes(b"x")
    elif what == "empty":
        folder.mkdir()
    return f"its folder is {what}"


def _restore(root: Path, valid: Path, path: Path, data: bytes) -> None:
    """The valid files again."""
    if path.is_file() and not path.is_symlink():
        path.write_bytes(data)
        return
    if root.is_dir():
        shutil.rmtree(root)
    root.unlink(missing_ok=True)
    shutil.copytree(valid, root)


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "/harness" in frame.filename] or frames[-1:]
    return ", ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in ours[-3:])


def _resident(field: str) -> int:
    """Bytes of this process in memory: now (`VmRSS`), or at most since the reset (`VmHWM`)."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(re.search(rf"{field}:\s+(\d+)", status)[1])


def _reset_peak() -> int:
    """Forget the peak, as damaging a file takes memory too; gives the bytes in memory now."""
    Path("/proc/self/clear_refs").write_text("5")
    return _resident("VmRSS")


def main(arguments: list[str]) -> None:
    """Run what the command line asks for."""
    warnings.simplefilter("error")
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE, _ADDRESS_SPACE))
    signal.signal(signal.SIGPROF, _alarm)
    triples = list(zip(*[iter(arguments)] * 3, strict=True))
    for name, first, count in triples:
        print(json.dumps(run(name, int(first), int(count), loud=count == "1")), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
