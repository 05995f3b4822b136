"""Scenes asked by processes of this machine."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children, get_context

from harness.errors import HarnessError
from harness.processes import processors, start
from harness.question_build.job import Asked, AskJob, ask_scenes, chunked

# A process takes a second to start; it should have this many scenes to ask.
_SCENES_FOR_A_PROCESS = 24


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
        workers = self.workers or min(processors(), worth)
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
