"""Worker processes that may die: each works on one scene at a time, so the scene is known.

A scene whose process died is read once more, alone; if that process dies too, it is left out.
"""

from __future__ import annotations

import errno
import os
import signal
import threading
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import connection, get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, Literal

from harness import errors
from harness.catalogue import is_exhaustion
from harness.errors import HarnessError
from harness.processes import start
from harness.scene_import.job import ImportJob, import_scene, of_death
from harness.scene_import.parts import Parts
from harness.store import Left

Item = tuple[int, str]
"""Number of a scene in its source, and its id."""


def import_all(
    job: ImportJob, items: Sequence[Item], processes: int
) -> Generator[Item, None, None]:
    """Import scenes; gives each when it is put down, in any order.

    Raises:
        HarnessError: a process cannot begin. OSError: the disk is full.
    """
    waiting, again = deque(items), deque[Item]()
    tried: set[int] = set()
    with _workers(job, min(processes, len(items))) as workers:
        while waiting or again or any(worker.item for worker in workers):
            _hand_out(workers, waiting, again)
            busy = [worker for worker in workers if worker.item]
            for ready in connection.wait([worker.connection for worker in busy]):
                worker = next(one for one in busy if one.connection is ready)
                item = worker.item
                assert item is not None
                said = worker.listen()
                if said == "died" and item[0] not in tried:
                    tried.add(item[0])
                    again.append(item)
                elif said == "died":
                    Parts(job.store).skip(item[0], Left(item[1], of_death(worker.code)))
                    yield item
                elif said == "done":
                    yield item


def _hand_out(workers: Sequence[_Worker], waiting: deque[Item], again: deque[Item]) -> None:
    if again:
        if not any(worker.item for worker in workers):
            workers[0].begin(again.popleft())
        return
    for worker in workers:
        if worker.item is None and waiting:
            worker.begin(waiting.popleft())


@contextmanager
def _workers(job: ImportJob, count: int) -> Iterator[list[_Worker]]:
    workers = [_Worker(job) for _ in range(count)]
    try:
        yield workers
    finally:
        # Killed in the middle of a scene, a worker leaves nothing that counts.
        for worker in workers:
            worker.end()


@dataclass(eq=False)
class _Worker:
    """A process, started with its first scene, and another one after it died."""

    job: ImportJob
    item: Item | None = None
    code: int | None = None
    process: BaseProcess | None = None
    began: bool = False
    connection: Connection[Any, Any] = field(init=False, repr=False)

    def begin(self, item: Item) -> None:
        if self.process is None:
            context = get_context("spawn")
            self.connection, other = context.Pipe()
            self.process, self.began = context.Process(target=_serve, args=(other, self.job)), False
            with _no_interrupt():
                self.process.start()
            other.close()
        self.item = item
        with suppress(BrokenPipeError):  # its death is met where its answer is awaited
            self.connection.send(item)

    def listen(self) -> Literal["began", "done", "died"]:
        """What the process says, or that it is dead."""
        assert self.process is not None
        try:
            said = self.connection.recv()
        except (EOFError, ConnectionResetError):
            self.process.join()
            self.code = self.process.exitcode
            self.connection.close()
            self.process = self.item = None
            if not self.began:
                raise HarnessError(
                    f"a process to import scenes ended before it began (exit code {self.code}): "
                    "see what it wrote above; a script that imports scenes needs "
                    "`if __name__ == '__main__':`"
                ) from None
            return "died"
        _raise(said)
        if not self.began:
            self.began = True
            return "began"
        self.item = None
        return "done"

    def end(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.join()
            self.connection.close()


def _serve(channel: Connection[Any, Any], job: ImportJob) -> None:
    start()
    try:
        source = job.open()
        channel.send(None)
        while True:
            number, scene_id = channel.recv()
            import_scene(job, source, number, scene_id)
            channel.send(None)
    except EOFError:
        return
    except OSError as error:
        number = errno.ENOSPC if is_exhaustion(error) else error.errno or errno.EIO
        channel.send(("OSError", number, str(error.filename or job.store)))
    except HarnessError as error:
        kinds = [one.__name__ for one in type(error).__mro__ if one.__module__ == errors.__name__]
        channel.send((kinds[0], 0, str(error)))


def _raise(said: tuple[str, int, str] | None) -> None:
    """What a process reported before it ended, in this process."""
    if said is None:
        return
    kind, number, text = said
    if kind == "OSError":
        raise OSError(number, os.strerror(number), text)
    raise getattr(errors, kind)(text)


@contextmanager
def _no_interrupt() -> Iterator[None]:
    """A process begins deaf to Ctrl-C: the parent's way of ending it leaves no traceback."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
