"""Random numbers that depend on a seed and on names alone, whatever the machine or the order."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TypeVar

import numpy as np

T = TypeVar("T")


def rng_of(seed: int, *names: str) -> np.random.Generator:
    """Random numbers of their own for whatever the names say."""
    digest = hashlib.sha256("\x1f".join((str(seed), *names)).encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "little")))


def sample(items: Iterable[T], limit: int | None, rng: np.random.Generator) -> list[T]:
    """At most `limit` of the items, each as likely as any other, in the order given."""
    given = list(items)
    if limit is None or len(given) <= limit:
        return given
    return [given[i] for i in sorted(rng.permutation(len(given))[:limit])]
