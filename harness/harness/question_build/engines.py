"""Who asks the scenes: this process, processes of this machine, or a Ray cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from harness.errors import UsageError
from harness.question_build.job import Asked, AskJob
from harness.question_build.local import Local
from harness.suggest import suggestion


class Engine(Protocol):
    """Asks scenes in any order."""

    def ask(self, job: AskJob, scenes: Sequence[str]) -> Iterator[Asked]:
        """Every scene once, in any order."""
        ...


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
