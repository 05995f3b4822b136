"""Scenes asked by a Ray cluster: one that exists, or one of this machine's processors.

What the nodes give goes through the same drawing as everywhere, so that a cluster changes nothing
in a set, whatever its size and whichever nodes it loses on the way.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from harness.errors import HarnessError, SceneError, UsageError
from harness.plugins import load_catalogue
from harness.question_build.job import Asked, Asker, AskJob, ask_scenes, chunked
from harness.question_build.ray_connection import check_address, connected

# Times that scenes are asked whose process or node is lost.
TRIES = 4
# Seconds until lost scenes are asked again; by then a cluster knows of a node's death.
_PAUSE = 1.0
# Seconds between two looks at how many processors a cluster has.
_LOOK = 5.0
# Seconds to wait for a cluster without processors; one that grows on demand takes minutes.
_PATIENCE = 600.0


@dataclass(frozen=True)
class _Chunk:
    scenes: tuple[str, ...]
    tries: int = 0
    ready: float = 0.0


class RayCluster:
    """Tasks of a Ray cluster.

    Args:
        workers: tasks at once; None for as many as there are processors.
        address: of an existing cluster: `auto`, `HOST:PORT` or `ray://HOST:PORT`. None starts one of
            this machine's processors, for as long as scenes are asked.

    Raises:
        UsageError: Ray is not installed, or the address is none.
    """

    def __init__(self, workers: int | None, address: str | None) -> None:
        check_address(address)
        self.workers = workers
        self.address = address

    def ask(self, job: AskJob, scenes: Sequence[str]) -> Iterator[Asked]:
        """Every scene once, in any order.

        What a node raises is raised here as it is.

        Raises:
            UsageError: no cluster can be reached or started, or a node lacks the harness, a plugin,
                or what the source needs. SceneError: a node cannot read a scene that can be read
                here. HarnessError: processes of a scene end abruptly, or no node has a processor.
        """
        with connected(self.workers, self.address) as ray:
            yield from _Asking(ray, job, self.workers, self.address).all(scenes)


class _Asking:
    """One job on a cluster."""

    def __init__(self, ray: Any, job: AskJob, workers: int | None, address: str | None) -> None:
        self._ray = ray
        self._job = job
        self._room = _Room(ray, workers, address)
        self._elsewhere = address is not None
        self._task = _task(ray, _versions(job), str(Path.cwd()))
        self._box = [ray.put(job)]  # in a list, Ray leaves it packed until its version is checked
        self._here: Asker | None = None

    def all(self, scenes: Sequence[str]) -> Iterator[Asked]:
        """Few chunks at a time, so that what waits to be put down does not fill the memory."""
        waiting = deque(_Chunk(chunk) for chunk in chunked(scenes))
        running: dict[Any, _Chunk] = {}
        try:
            while waiting or running:
                room = self._room.tasks()
                while waiting and len(running) < room:
                    chunk = waiting.popleft()
                    time.sleep(max(0.0, chunk.ready - time.monotonic()))
                    running[self._task.remote(self._box, chunk.scenes)] = chunk
                done, _ = self._ray.wait(list(running), timeout=_LOOK)
                for reference in done:
                    chunk = running.pop(reference)
                    answer = self._answer(reference, chunk, waiting)
                    yield from map(self._confirmed, answer)
        finally:
            for reference in running:
                self._ray.cancel(reference, force=True)

    def _answer(self, reference: Any, chunk: _Chunk, waiting: deque[_Chunk]) -> list[Asked]:
        errors = self._ray.exceptions
        try:
            wrong, asked = self._ray.get(reference)
        except errors.RayTaskError as error:  # what the task raised
            raise _cause(error) from error
        except errors.RayError as error:  # a process, a node, or what it gave is lost
            waiting.extend(_again(chunk, error))
            return []
        if wrong:
            raise UsageError(wrong)
        found: list[Asked] = asked
        return found

    def _confirmed(self, asked: Asked) -> Asked:
        """A scene is faulty if it is so here too; else its node lacks files, and would change the set."""
        if not asked.fault or not self._elsewhere:
            return asked
        self._here = self._here or self._job.open()
        here = self._here.ask(asked.scene)
        if here.fault:
            return here
        raise SceneError(
            f"scene {asked.scene} can be read here, but not on a node of the Ray cluster at "
            f"{self._room.address} ({asked.fault}): give every node the files of source "
            f"{self._job.source!r} under the same path"
        )


class _Room:
    """How many tasks may run or wait on a cluster, whose nodes come and go."""

    def __init__(self, ray: Any, workers: int | None, address: str | None) -> None:
        self._ray = ray
        self._workers = workers
        self.address = address
        self._looked = float("-inf")
        self._had = time.monotonic()
        self._processors = 0

    def tasks(self) -> int:
        now = time.monotonic()
        if now - self._looked > _LOOK:
            self._looked = now
            self._processors = int(self._ray.cluster_resources().get("CPU", 0))
        if self._processors:
            self._had = now
        elif now - self._had > _PATIENCE:
            raise HarnessError(
                f"the Ray cluster at {self.address} has had no processor for {_PATIENCE:.0f} s: "
                "add nodes with `ray start --address`, then run the same command again"
            )
        # One waits behind each that runs; more tasks than processors make a cluster grow.
        return self._workers or max(2, 2 * self._processors)


def _task(ray: Any, expected: Mapping[str, str], folder: str) -> Any:
    """The remote function.

    It is sent by value, as it is defined in here: a node need not have this version of the harness,
    or any, to say so. Ray itself retries nothing: it would retry for ever what runs out of memory.
    """

    def ask_there(box: list[Any], scenes: tuple[str, ...]) -> tuple[str, list[Asked]]:
        import platform
        from importlib.metadata import PackageNotFoundError, version

        node = platform.node()
        wrong = []
        for name, here in expected.items():
            try:
                there = f"{name} {version(name)}"
            except PackageNotFoundError:
                there = f"no {name}"
            if there != f"{name} {here}":
                wrong.append(f"{there}, and here is {here}")
        if wrong:
            remedy = "install the same versions on all nodes"
            return f"node {node} of the Ray cluster has {'; '.join(wrong)}: {remedy}", []
        from harness.question_build.ray_cluster import answer

        return answer(ray.get(box[0]), scenes, folder, node)

    return ray.remote(num_cpus=1, max_retries=0)(ask_there)


_READY: list[AskJob] = []


def answer(job: AskJob, scenes: Sequence[str], folder: str, node: str) -> tuple[str, list[Asked]]:
    """What is wrong with the node that this process runs on, or what the scenes were asked.

    Args:
        folder: the working folder of the command, which the settings' paths are relative to.
        node: its name.
    """
    if job not in _READY:
        with suppress(OSError):
            os.chdir(folder)
        if missing := job.open().source.missing():
            return f"node {node} of the Ray cluster: {'; '.join(missing)}", []
        _READY[:] = [job]
    return "", ask_scenes(job, scenes)


def _versions(job: AskJob) -> dict[str, str]:
    """Distribution -> version, of the harness and of all plugins that the job uses."""
    catalogue = load_catalogue()
    used = [catalogue.get("scenes", job.source)]
    used += [catalogue.get("questions", family.generator) for family in job.families]
    plugins = {registered.distribution: registered.version for registered in used}
    return {"vsi-harness": version("vsi-harness")} | plugins


def _again(chunk: _Chunk, error: Exception) -> list[_Chunk]:
    """The scenes one by one, so that one that ends its process is found."""
    if chunk.tries + 1 == TRIES:
        raise HarnessError(
            f"scene {chunk.scenes[0]}: the process that asks it ended abruptly {TRIES} times (most "
            "often: out of memory; else look into the logs of its node): try fewer tasks at once, "
            f"--workers. Ray says: {str(error).strip().splitlines()[0]}"
        ) from error
    ready = time.monotonic() + _PAUSE
    return [_Chunk((scene,), chunk.tries + 1, ready) for scene in chunk.scenes]


def _cause(error: Any) -> BaseException:
    cause = getattr(error, "cause", None)
    return cause if isinstance(cause, BaseException) else error
