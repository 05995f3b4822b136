"""A connection to a Ray cluster that fails soon, says why, and is quiet."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from harness.errors import UsageError

FORMS = "auto, HOST:PORT, or ray://HOST:PORT"
# Seconds to wait for a cluster's host.
_SECONDS = 5.0
# Bytes of a folder's name to which 82 are added: its own, the session's and the socket's.
_SHORT = 24
# Bytes of shared memory of a cluster started here; what waits there are rows of text.
_OBJECTS = 256 * 2**20
# Ray reads these once, before it is imported or as it connects. Somebody who sets them is heard.
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # it warns that it will change
    "RAY_DEDUP_LOGS_SKIP_REGEX": "^",  # it prints about lost processes, which are asked again
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",  # it would send the working folder to all nodes
}
_SOON = {"RAY_NUM_REDIS_GET_RETRIES": "1", "RAY_py_gcs_connect_timeout_s": "5"}


def check_address(address: str | None) -> None:
    """Whether there can be a cluster at an address.

    Raises:
        UsageError: Ray is not installed, or the address is none.
    """
    if find_spec("ray") is None:
        raise UsageError("--engine ray needs Ray: pip install 'vsi-harness[ray]'")
    if address not in (None, "auto"):
        _host_and_port(str(address))


def prepare(address: str | None) -> None:
    """Set the environment variables with which Ray is quiet; before it is imported."""
    os.environ.update((_QUIET if address is None else _QUIET | _SOON) | os.environ)


@contextmanager
def connected(workers: int | None, address: str | None) -> Iterator[Any]:
    """The module `ray`, connected; afterwards nothing that was started here is left.

    A process that is connected already stays so, to the cluster it is connected to.

    Args:
        workers: processors of a cluster that is started here; None for all.
        address: of an existing cluster, or None to start one.

    Raises:
        UsageError: no cluster can be reached or started.
    """
    prepare(address)
    if address is not None:
        _knock(address)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import ray
    if ray.is_initialized():
        yield ray
        return
    handler = signal.getsignal(signal.SIGTERM)
    with _short_folder() as folder:
        try:
            _start(ray, workers, address, folder)
            # Ray's own handler prints a stack.
            _on_sigterm(_leave if handler is signal.SIG_DFL else handler)
            yield ray
        finally:
            ray.shutdown()
            _on_sigterm(handler)


def _on_sigterm(handler: Any) -> None:
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, handler)


def _leave(number: int, _frame: Any) -> None:
    sys.exit(128 + number)  # so that what was started here is ended


def _short_folder() -> tempfile.TemporaryDirectory[str]:
    """Where a cluster has its sockets, whose names may have 107 bytes."""
    place = tempfile.gettempdir()
    short = place if len(os.fsencode(place)) <= _SHORT else "/tmp"  # noqa: S108  (a folder of its own)
    return tempfile.TemporaryDirectory(prefix="harness-ray-", dir=short, ignore_cleanup_errors=True)


def _start(ray: Any, workers: int | None, address: str | None, folder: str) -> None:
    settings: dict[str, Any] = {"address": address}
    if address is None:
        settings = {
            "address": "local",
            "num_cpus": workers,
            "include_dashboard": False,
            "object_store_memory": _OBJECTS,
            "_temp_dir": folder,
        }
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ray.init(**settings, log_to_driver=False, logging_level=logging.CRITICAL)
    except Exception as error:  # Ray has no type of its own for this
        said = " ".join(str(error).split()) or type(error).__name__
        if address is None:
            raise UsageError(f"Ray cannot be started here: {said}") from error
        raise UsageError(_unreachable(address, said)) from error


def _knock(address: str) -> None:
    """Whether anybody listens; Ray itself would try for minutes."""
    known = os.environ.get("RAY_ADDRESS") if address == "auto" else address
    if known is None or known == "auto":
        return
    try:
        socket.create_connection(_host_and_port(known), timeout=_SECONDS).close()
    except OSError as error:
        raise UsageError(_unreachable(known, error.strerror or str(error))) from error


def _host_and_port(address: str) -> tuple[str, int]:
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise UsageError(f"--address {address}: expected {FORMS}")
    return host.strip("[]"), int(port)


def _unreachable(address: str, said: str) -> str:
    return (
        f"--address {address}: no Ray cluster can be reached there ({said}); on its first machine "
        "`ray start --head` starts one and tells its address, and the command runs on one of its "
        "machines"
    )
