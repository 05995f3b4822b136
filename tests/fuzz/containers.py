"""Damage that knows pictures, recordings and Parquet."""

from __future__ import annotations

import io
import json
import struct
import zlib
from functools import cache
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from mutations import ANY, Mutation, Mutator, extreme, flipped
from structured import json_key, json_value

from harness_plugins.scenes.files.sens_header import FRAME, REST, START

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_SIDES = (0, 1, 3, 31, 4000, 9600, 11_000, 65_535, 2**31 - 1, 2**31, 2**32 - 1)


def _chunk(name: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", zlib.crc32(name + content))
    )


def _chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], len(_SIGNATURE)
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        found.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    return found


def _png(chunks: list[tuple[bytes, bytes]]) -> bytes:
    return _SIGNATURE + b"".join(_chunk(name, content) for name, content in chunks)


@cache
def _bomb() -> bytes:
    """Some kilobytes that unpack to 64 MB."""
    return zlib.compress(bytes(64_000_000), 9)


def png_head(data: bytes, rng: Random) -> Mutation:
    """A size, depth or kind that is a lie; the checksum is right."""
    chunks = _chunks(data)
    if not chunks or len(chunks[0][1]) != 13:
        return flipped(data, rng)
    fields = list(struct.unpack(">II5B", chunks[0][1]))
    place = rng.choice((0, 0, 1, 1, 2, 3, 4, 5, 6))
    if place == 0 and rng.random() < 0.3:
        fields[1] = rng.choice(_SIDES)
    fields[place] = rng.choice(_SIDES) if place < 2 else rng.choice((0, 1, 2, 3, 4, 6, 8, 16, 255))
    chunks[0] = (b"IHDR", struct.pack(">II5B", *fields))
    return _png(chunks), f"IHDR {fields}"


def png_chunk(data: bytes, rng: Random) -> Mutation:
    """A chunk too many or too few, some of them bombs."""
    chunks = _chunks(data)
    if len(chunks) < 2:
        return flipped(data, rng)
    place = rng.randrange(len(chunks))
    if rng.random() < 0.3:
        name, _ = chunks.pop(place)
        return _png(chunks), f"chunk {name!r} removed"
    found = rng.choice(
        (
            (b"tRNS", b"\0" * rng.choice((1, 2, 6, 300))),
            (b"PLTE", bytes(range(30))),
            (b"zTXt", b"a\0\0" + _bomb()),
            (b"iCCP", b"a\0\0" + _bomb()),
            (b"iTXt", b"a\0\1\0\0\0" + _bomb()),
            (b"IDAT", _bomb()),
            (b"IDAT", zlib.compress(b"")),
            (b"IDAT", b"x"),
            (b"gAMA", b""),
            (b"pHYs", b"x"),
            (b"acTL", struct.pack(">II", 2**31, 0)),
            (b"fcTL", b"\xff" * 26),
            (b"eXIf", b"Exif\0\0MM\0"),
            (b"cHRM", b"\0"),
            (b"sRGB", b""),
            (b"tIME", b"x"),
            (b"IEND", b""),
            (b"IHDR", struct.pack(">II5B", 9000, 9000, 8, 2, 0, 0, 0)),
            (b"\xff\xff\0a", b"x"),
        )
    )
    chunks.insert(place, found)
    return _png(chunks), f"chunk {found[0]!r} of {len(found[1])} bytes put in at {place}"


def jpeg_head(data: bytes, rng: Random) -> Mutation:
    """Sizes that are a lie, or a segment that says something else."""
    start = next((at for mark in (0xC0, 0xC2) if (at := data.find(bytes((0xFF, mark)))) >= 0), -1)
    if start < 0 or rng.random() < 0.4:
        segment = rng.choice(
            (
                b"\xff\xe2" + struct.pack(">H", 40) + b"MPF\0MM\0*\0\0\0\x08" + b"\xff" * 27,
                b"\xff\xe1" + struct.pack(">H", 20) + b"Exif\0\0MM\0*" + b"\xff" * 8,
                b"\xff\xda",
                b"\xff\xd9",
                b"\xff\xc4\0\x02",
                b"\xff\xdb\0\x01",
                b"\xff\xee\0\x0eAdobe\0\0\0\0\0\0\x02",
                b"\xff\xe0\xff\xff",
                b"\xff\xe2" + struct.pack(">H", 20) + b"ICC_PROFILE\0\xff\xff\0\0",
            )
        )
        return data[:2] + segment + data[2:], f"segment {segment[:8]!r} put in"
    offset = rng.choice((2, 4, 5, 7, 9))
    value = struct.pack(">H", rng.choice((0, 1, 24, 32, 12_000, 65_535)))
    at = start + offset
    return data[:at] + value + data[at + 2 :], f"frame header: {value!r} at {offset}"


def sens_field(data: bytes, rng: Random) -> Mutation:
    """A field of the head, or of a frame's head, becomes an extreme number."""
    fields = _sens_fields(data)
    if not fields:
        return flipped(data, rng)
    name, at, form = rng.choice(fields)
    value = extreme(form, rng)
    return data[:at] + value + data[at + len(value) :], f"{name}: {value!r}"


def _sens_fields(data: bytes) -> list[tuple[str, int, str]]:
    fields = [("version", 0, "<I"), ("name's length", 4, "<Q")] * 2
    rest = START.size + struct.unpack_from("<Q", data, 4)[0] if len(data) > 12 else len(data)
    if rest + REST.size > len(data):
        return []
    fields += [(f"matrix {k}", rest + 4 * k, "<f") for k in range(64)]
    codes = [("code", k, "<i") for k in (256, 260)] + [
        ("side", k, "<I") for k in range(264, 280, 4)
    ]
    head = [*codes, ("shift", 280, "<f"), ("frames", 284, "<Q")]
    fields += [(name, rest + at, form) for name, at, form in head] * 8
    at = rest + REST.size
    while at + FRAME.size <= len(data):
        fields += [(f"pose {k}", at + 4 * k, "<f") for k in range(16)]
        fields += [("times and sizes", at + 64 + 8 * k, "<Q") for k in range(4)] * 4
        colour, depth = struct.unpack_from("<2Q", data, at + 80)
        at += FRAME.size + colour + depth
    return fields


def sens_payload(data: bytes, rng: Random) -> Mutation:
    """A frame's picture or depth becomes another; its size in the frame's head is right."""
    starts = [at - 64 for name, at, _ in _sens_fields(data) if name == "times and sizes"][::16]
    starts = [at for at in starts if at + FRAME.size <= len(data)]
    if not starts:
        return flipped(data, rng)
    at = rng.choice(starts)
    colour, depth = struct.unpack_from("<2Q", data, at + 80)
    body = at + FRAME.size
    pictures = [data[body : body + colour], data[body + colour : body + colour + depth]]
    which = rng.randrange(2)
    if which == 0:
        pictures[0], what = rng.choice((jpeg_head, *ANY))(pictures[0], rng)
    else:
        made = rng.choice((_bomb, lambda: zlib.compress(b""), lambda: zlib.compress(b"\xff" * 7)))
        pictures[1], what = (
            (made(), "a bomb or too short")
            if rng.random() < 0.5
            else rng.choice(ANY)(pictures[1], rng)
        )
    sizes = struct.pack("<2Q", *map(len, pictures))
    changed = data[: at + 80] + sizes + b"".join(pictures) + data[body + colour + depth :]
    return changed, f"{('colour', 'depth')[which]}: {what}"


_TYPES = (pa.string(), pa.int8(), pa.int64(), pa.float32(), pa.bool_(), pa.binary(), pa.null(),
          pa.list_(pa.int64()), pa.timestamp("ns"), pa.large_string(), pa.struct([("a", pa.int8())]))  # fmt: skip


def parquet_column(data: bytes, rng: Random) -> Mutation:
    """A column missing, doubled, renamed, or of another type."""
    table = _table(data)
    place = rng.randrange(table.num_columns)
    name = table.column_names[place]
    what = rng.choice(("missing", "twice", "renamed", "retyped", "retyped"))
    if what == "missing":
        table = table.remove_column(place)
    elif what == "twice":
        table = table.append_column(name, table.column(place))
    elif what == "renamed":
        names = [
            *table.column_names[:place],
            rng.choice(("", "\0", "x" * 5000, "id")),
            *table.column_names[place + 1 :],
        ]
        table = table.rename_columns(names)
    else:
        kind = rng.choice(_TYPES)
        try:
            column = table.column(place).cast(kind)
        except (pa.ArrowException, ValueError):
            column = pa.nulls(table.num_rows, kind)
        table = table.set_column(place, name, column)
    return _written(table), f"column {name!r} {what}"


def parquet_value(data: bytes, rng: Random) -> Mutation:
    """A value becomes another one that the column can hold."""
    table = _table(data)
    rows = table.to_pylist()
    if not rows:
        return flipped(data, rng)
    row = rng.choice(rows)
    name = rng.choice(list(row))
    row[name], what = _other(row[name], rng)
    if rng.random() < 0.2:
        rows += [row] * rng.choice((1, 300))
    try:
        return _written(pa.Table.from_pylist(rows, schema=table.schema)), f"{name}: {what}"
    except (pa.ArrowException, ValueError, TypeError, OverflowError):
        return parquet_column(data, rng)


_STRINGS = (
    "", " ", "x" * 20_000, "\0", "../x", "A", "NaN", "{", "[" * 5000, '{"a":' * 990, "videos/../../x",
)  # fmt: skip


def _other(value: Any, rng: Random) -> tuple[Any, str]:
    if isinstance(value, list) and value and rng.random() < 0.7:
        place = rng.randrange(len(value))
        value[place], what = _other(value[place], rng)
        return value, what
    if isinstance(value, dict) and value and rng.random() < 0.8:
        key = rng.choice(list(value))
        value[key], what = _other(value[key], rng)
        return value, f"{key}: {what}"
    choices: dict[type, tuple[Any, ...]] = {
        float: (float("nan"), float("inf"), -1.0, 0.0, 1e308, 5e-324, None),
        int: (-1, 0, 2**31 - 1, -(2**31), 2**62, None),
        str: (*_STRINGS, None),
        bool: (True, None),
    }
    if isinstance(value, list):
        choices[list] = ([], None, value * 2, value[:1] * 1000)
    found = rng.choice(choices.get(type(value), (None, "a", 1, 0.5, [], {})))
    return found, f"became {found!r:.30}"


def parquet_footer(data: bytes, rng: Random) -> Mutation:
    """The key-value metadata of the file says something else."""
    table = _table(data)
    known = dict(table.schema.metadata or {})
    key = rng.choice([*known, b"ARROW:schema", b"harness.store"])
    if rng.random() < 0.2:
        known.pop(key, None)
        return _written(table.replace_schema_metadata(known)), f"footer: no {key!r}"
    before = known.get(key, json.dumps({"scenes": 1}).encode())
    known[key], what = rng.choice((json_value, json_key, *ANY))(before, rng)
    return _written(table.replace_schema_metadata(known)), f"footer {key!r}: {what}"


def _table(data: bytes) -> pa.Table:
    return pq.ParquetFile(io.BytesIO(data)).read(use_threads=False)


def _written(table: pa.Table) -> bytes:
    file = io.BytesIO()
    pq.write_table(table, file, compression="zstd", dictionary_pagesize_limit=2**24)
    return file.getvalue()


MUTATORS: dict[str, tuple[Mutator, ...]] = {
    ".png": (png_head, png_chunk),
    ".jpg": (jpeg_head,),
    ".sens": (sens_field, sens_field, sens_payload),
    ".parquet": (parquet_column, parquet_value, parquet_value, parquet_footer),
}
