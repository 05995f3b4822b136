"""Who asks the scenes: this process, processes of this machine, or a Ray cluster."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children, get_context
from typing import Protocol

from harness.errors import HarnessError, UsageError
from harness.layout.worker import start
from harness.question_build.job import Asked, AskJob, ask_scenes
from harness.suggest import suggestion

# A process takes a second to start; it should have this many scenes to ask.
_SCENES_FOR_A_PROCESS = 24
# Scenes handed to a process at a time.
CHUNK = 8


class Engine(Protocol):
    """Asks scenes in any order."""

    def ask(self, job: AskJob, scenes: Sequence[str]) -> Iterator[Asked]:
        """Every scene once, in any order."""
        ...


class Local:
    """Processes of this machine.

    Args:
        workers: how many; None for as many as there are processors and the work is worth.
    """

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers

    def ask(self, job: AskJob, scenes: Sequence[str]) -> Iterator[Asked]:
        """Every scene once, in any order.

        Raises:
            HarnessError: a process ended abruptly, most often for want of memory.
        """
        worth = max(1, len(scenes) // _SCENES_FOR_A_PROCESS)
        workers = self.workers or min(_processors(), worth)
        if workers == 1:
            yield from _here(job, scenes)
            return
        others = set(active_children())
        pool = ProcessPoolExecutor(workers, get_context("spawn"), initializer=start)
        try:
            chunks = deque(chunked(scenes))
            running: set[Future[list[Asked]]] = set()
            while chunks or running:
                # Few at a time, so that what waits to be put down does not fill the memory.
                while chunks and len(running) < 2 * workers:
                    running.add(pool.submit(ask_scenes, job, chunks.popleft()))
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    yield from future.result()
        except BrokenProcessPool as error:
            raise HarnessError(
                "a process that asks scenes ended abruptly (most often: out of memory): try fewer "
                "processes, --workers 1"
            ) from error
        except BaseException:
            # On an error or Ctrl-C nobody waits for the scenes that are being asked.
            for process in set(active_children()) - others:
                process.kill()
            raise
        finally:
            pool.shutdown(cancel_futures=True)


def _here(job: AskJob, scenes: Sequence[str]) -> Iterator[Asked]:
    asker = job.open()
    for scene in scenes:
        yield asker.ask(scene)


def chunked(scenes: Sequence[str], size: int = CHUNK) -> Iterator[tuple[str, ...]]:
    """The scenes in order, some at a time."""
    for begin in range(0, len(scenes), size):
        yield tuple(scenes[begin : begin + size])


def _ray(workers: int | None, address: str | None) -> Engine:
    from harness.question_build.ray_cluster import RayCluster

    return RayCluster(workers, address)


def _local(workers: int | None, address: str | None) -> Engine:
    if address is not None:
        raise UsageError(f"--address {address} is a Ray cluster's: add --engine ray")
    return Local(workers)


ENGINES: dict[str, Callable[[int | None, str | None], Engine]] = {"local": _local, "ray": _ray}


def find_engine(name: str, workers: int | None, address: str | None) -> Engine:
    """The engine of a name.

    Args:
        workers: processes, or None for as many as are useful. address: of a Ray cluster.

    Raises:
        UsageError: there is none, or the address is not for it.
    """
    if name not in ENGINES:
        raise UsageError(f"no engine {name!r}; {suggestion(name, ENGINES, plural='engines')}")
    return ENGINES[name](workers, address)


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
