"""What a failed command tells its user."""

from __future__ import annotations

import errno
from collections.abc import Iterator

from harness.errors import HarnessError
from harness.terminal import printable

_KEPT = "then run the same command again: finished work is kept"


def explain(error: BaseException) -> str | None:
    """A message without a traceback, or None for an error that nobody foresaw."""
    chain = list(_chain(error))
    for one in chain:
        if _is_disk_full(one):
            where = getattr(one, "filename", None)
            place = f" ({printable(str(where))})" if where else ""
            return f"the disk is full, or your quota on it{place}; free some space, {_KEPT}"
    if isinstance(error, HarnessError):
        return printable(str(error))
    if any(isinstance(one, MemoryError) for one in chain):
        return f"out of memory; lower video.frames or the batch sizes, {_KEPT}"
    if any(type(one).__name__ == "OutOfMemoryError" for one in chain):
        return (
            "out of memory on the GPU; lower the stage's batch_size (and raise "
            "gradient_accumulation), lower video.frames, or set gradient_checkpointing: true, "
            f"{_KEPT}"
        )
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what led to it."""
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield following
        following = following.__cause__ or following.__context__


def _is_disk_full(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return True
    # Libraries in other languages report it as text: safetensors, and torch.save in its own words.
    text = str(error)
    return "No space left on device" in text or (
        "inline_container.cc" in text and ("unexpected pos" in text or "failed writing" in text)
    )
