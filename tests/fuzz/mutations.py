"""Seeded damage to valid files: one mutation is (bytes, what was done), decided by `rng` alone.

`mutated` picks by the file's ending: damage that knows the format, or any bytes.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from pathlib import PurePath
from random import Random

Mutation = tuple[bytes, str]
Mutator = Callable[[bytes, Random], Mutation]

# What a number in a text may become; empty, not finite, huge, of other scripts, of another kind.
EXTREMES = (
    b"", b"0", b"-1", b"-0.0", b"1", b"3", b"255", b"65536", b"2147483647", b"2147483648",
    b"4294967296", b"1152921504606846976", b"9223372036854775807", b"9223372036854775808",
    b"18446744073709551615", b"-9223372036854775809", b"nan", b"NaN", b"inf", b"-inf", b"Infinity",
    b"-Infinity", b"1e308", b"-1e308", b"1e999", b"1e-320", b"1e10", b"1.5", b"9" * 400,
    b"1" * 5000, b"0x10", b"010", b"1_000", "\u0663".encode(), "\u00b2".encode(), b"true", b"null", b"\0",
)  # fmt: skip
_PACKED = ("<i", "<I", "<q", "<Q", "<f", "<d", ">I")
_NUMBERS = (0, 1, -1, 2**31 - 1, 2**31, 2**32 - 1, 2**60, 2**63 - 1, 2**63, 2**64 - 1, -(2**31))
_REALS = (float("nan"), float("inf"), float("-inf"), 1e308, -1e308, 3e38, 1e-320, 1e9, -0.0)
_NUMBER = re.compile(rb"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")


def mutated(path: PurePath, data: bytes, rng: Random) -> Mutation:
    """Damage to the contents of a file with this name."""
    # Imported here, as these build on this module.
    import containers
    import structured

    by_ending = {**structured.MUTATORS, **containers.MUTATORS}
    known = by_ending.get(path.suffix, ())
    found = rng.choice(known) if known and rng.random() < 0.7 else rng.choice(ANY)
    changed, what = found(data, rng)
    if rng.random() < 0.1:  # damage seldom comes alone
        changed, more = rng.choice(ANY)(changed, rng)
        what = f"{what}, then {more}"
    return changed, what


def flipped(data: bytes, rng: Random) -> Mutation:
    found = bytearray(data)
    places = [rng.randrange(len(found)) for _ in range(rng.choice((1, 1, 2, 8)))] if found else []
    for place in places:
        found[place] ^= 1 << rng.randrange(8)
    return bytes(found), f"bits flipped in bytes {places}"


def cut(data: bytes, rng: Random) -> Mutation:
    lines = [place + 1 for place, byte in enumerate(data[:100_000]) if byte == 10]
    powers = [2**k for k in range(20) if 2**k < len(data)]
    places = [0, 1, max(0, len(data) - 1), rng.randrange(len(data) + 1)]
    places += [rng.choice(some) for some in (lines, powers) if some]
    place = rng.choice(places)
    return data[:place], f"cut at byte {place} of {len(data)}"


def _block(data: bytes, rng: Random) -> tuple[int, int]:
    start = rng.randrange(len(data) + 1)
    return start, min(len(data), start + rng.choice((1, 2, 4, 8, 16, 64, 512, len(data) // 2 + 1)))


def removed(data: bytes, rng: Random) -> Mutation:
    start, end = _block(data, rng)
    return data[:start] + data[end:], f"bytes {start} to {end} removed"


def doubled(data: bytes, rng: Random) -> Mutation:
    start, end = _block(data, rng)
    return data[:end] + data[start:], f"bytes {start} to {end} twice"


def zeroed(data: bytes, rng: Random) -> Mutation:
    start, end = _block(data, rng)
    filling = rng.choice((b"\0", b"\xff", b" ", b"9"))
    return data[:start] + filling * (end - start) + data[end:], f"bytes {start} to {end} filled"


def packed(data: bytes, rng: Random) -> Mutation:
    """An extreme number over any bytes."""
    form = rng.choice(_PACKED)
    value = extreme(form, rng)
    start = rng.randrange(len(data) + 1)
    if rng.random() < 0.7:
        start -= start % 4
    return data[:start] + value + data[start + len(value) :], f"{form} {value!r} at byte {start}"


def extreme(form: str, rng: Random) -> bytes:
    """An extreme number of a `struct` form."""
    if form[-1] in "fd":
        value = rng.choice(_REALS)
        return struct.pack(form, value if form[-1] == "d" or abs(value) < 3.4e38 else value * 0)
    bits = 8 * struct.calcsize(form)
    value = rng.choice((*_NUMBERS, rng.randrange(300))) % 2**bits
    return struct.pack(
        form, value - 2**bits if form[-1].islower() and value >= 2 ** (bits - 1) else value
    )


def strange_text(data: bytes, rng: Random) -> Mutation:
    """What is no text, or no text that anybody expects, put in."""
    start = rng.randrange(len(data) + 1)
    found = rng.choice((b"\0", b"\xff\xfe", b"\xc3", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\r", b'"',
                        b"'", "\u2028".encode(), b"\x1b[2J", b"a" * 200_000, b"\n" * 50_000))  # fmt: skip
    return data[:start] + found + data[start:], f"{found[:8]!r} put in at byte {start}"


def number_replaced(data: bytes, rng: Random) -> Mutation:
    """A number of a text becomes an extreme one."""
    start = rng.randrange(len(data) + 1)
    found = _NUMBER.search(data, start) or _NUMBER.search(data)
    if found is None:
        return strange_text(data, rng)
    value = rng.choice(EXTREMES)
    changed = data[: found.start()] + value + data[found.end() :]
    return changed, f"{found[0][:20]!r} at byte {found.start()} became {value[:30]!r}"


ANY: tuple[Mutator, ...] = (
    flipped, cut, removed, doubled, zeroed, packed, strange_text, number_replaced,
)  # fmt: skip
