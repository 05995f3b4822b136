"""Damage that knows JSON, tables, PLY headers and YAML."""

from __future__ import annotations

import json
import re
from random import Random
from typing import Any

from mutations import EXTREMES, Mutation, Mutator, number_replaced, strange_text

_HOLE = "@@a hole@@"
_VALUES = (
    b"null", b"true", b"false", b'""', b'" "', b"[]", b"{}", b"[[]]", b"[null]", b"0", b"-1", b"1.5",
    b'"1"', b"2147483648", b"9223372036854775808", b"-9223372036854775809", b"NaN", b"Infinity",
    b"-Infinity", b"1e308", b"-1e308", b"1e999", b"5e-324", b"1" * 400, b"1" * 4300, b"1" * 5000,
    rb'"\ud800"', b'"' + b"x" * 100_000 + b'"', b'"../../etc/passwd"', b'"\\u0000"', b'"NaN"',
    b"[1e308,1e308,1e308]", b"[NaN,0,0]", b"[0,0,0]", b"[-1,1,1]", b'{"a":{"a":[]}}',
)  # fmt: skip


def _deep(rng: Random) -> bytes:
    # Around the depths at which Python's parser, and then its printer, give up.
    depth = rng.choice((60, 300, *range(930, 1000, 4), *range(965, 985), 3000, 100_000))
    pair = rng.choice(((b"[", b"]"), (b'{"a":', b"}")))
    inner = b"" if pair[0] == b"[" else b"1"
    return pair[0] * depth + inner + pair[1] * depth


def _places(value: Any, rng: Random) -> tuple[Any, Any]:
    """A container and a key of it, reached by a random walk."""
    holder, key = None, None
    while isinstance(value, dict | list) and value:
        if holder is not None and rng.random() < 0.25:
            break
        holder = value
        key = rng.choice(list(value)) if isinstance(value, dict) else rng.randrange(len(value))
        value = value[key]
    return holder, key


def _dumped(content: Any, hole: bytes) -> bytes:
    return json.dumps(content).encode().replace(json.dumps(_HOLE).encode(), hole)


def json_value(data: bytes, rng: Random) -> Mutation:
    """A value becomes another: of another type, extreme, deep."""
    content = _parsed(data)
    holder, key = _places(content, rng)
    raw = _deep(rng) if rng.random() < 0.15 else rng.choice(_VALUES)
    if holder is None or rng.random() < 0.03:
        return raw, f"the whole became {raw[:20]!r}"
    holder[key] = _HOLE
    return _dumped(content, raw), f"{key!r:.30} became {raw[:20]!r}"


def json_key(data: bytes, rng: Random) -> Mutation:
    """A key or member is removed, renamed, doubled or put elsewhere."""
    content = _parsed(data)
    holder, key = _places(content, rng)
    if holder is None:
        return strange_text(data, rng)
    what = rng.choice(("removed", "renamed", "twice", "wrapped", "moved"))
    if what == "removed":
        del holder[key]
    elif what == "wrapped":
        holder[key] = rng.choice(([holder[key]], {"value": holder[key]}, str(holder[key])))
    elif isinstance(holder, dict):
        if what == "twice":
            written = _dumped({**holder, _HOLE: holder[key]}, json.dumps(key).encode())
            holder["a hole for an object"] = 0
            return _replaced(content, holder, written), f"key {key!r:.30} twice"
        holder[rng.choice(("", " ", f"{key} ", "\0", "x" * 10_000, "id"))] = holder.pop(key)
    else:
        holder.insert(rng.randrange(len(holder) + 1), holder[key])
        if what == "twice" and len(holder) < 2000:
            holder *= rng.choice((2, 20))
    return json.dumps(content).encode(), f"{key!r:.30} {what}"


def _replaced(content: Any, holder: Any, written: bytes) -> bytes:
    before = json.dumps(holder).encode()
    return json.dumps(content).encode().replace(before, written, 1)


def _parsed(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return [0]


def json_line(data: bytes, rng: Random) -> Mutation:
    """A line of JSON lines."""
    lines = data.split(b"\n")
    place = rng.randrange(len(lines))
    lines[place], what = rng.choice((json_value, json_key))(lines[place] or b"{}", rng)
    return b"\n".join(lines), f"line {place + 1}: {what}"


def table_cell(data: bytes, rng: Random) -> Mutation:
    """A cell of a table becomes another, or several."""
    lines, separator = data.split(b"\n"), _separator(data)
    place = rng.randrange(len(lines))
    cells = lines[place].split(separator)
    column = rng.randrange(len(cells))
    found = rng.choice(
        (
            *EXTREMES,
            b'"',
            b'"a\n',
            b"\0",
            b"\xff",
            b"x" * 200_000,
            separator,
            b'""""',
            b"\r",
            b"=1+1",
        )
    )
    cells[column] = found
    lines[place] = separator.join(cells)
    return b"\n".join(lines), f"line {place + 1}, column {column + 1} became {found[:20]!r}"


def table_column(data: bytes, rng: Random) -> Mutation:
    """A column of a table is missing, doubled or emptied."""
    lines, separator = data.split(b"\n"), _separator(data)
    column = rng.randrange(len(lines[0].split(separator)))
    what = rng.choice(("missing", "twice", "empty"))
    made = []
    for line in lines:
        cells = line.split(separator)
        if column < len(cells) > 1:
            cells[column : column + 1] = {
                "missing": [], "twice": [cells[column]] * 2, "empty": [b""]
            }[what]  # fmt: skip
        made.append(separator.join(cells))
    return b"\n".join(made), f"column {column + 1} {what}"


def table_lines(data: bytes, rng: Random) -> Mutation:
    """Lines in another order, missing, doubled, empty."""
    lines = data.split(b"\n")
    one, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    what = rng.choice(("swapped", "missing", "twice", "empty", "windows", "only", "many"))
    if what == "swapped":
        lines[one], lines[other] = lines[other], lines[one]
    elif what == "missing":
        del lines[one]
    elif what == "twice":
        lines.insert(one, lines[one])
    elif what == "empty":
        lines[one] = b""
    elif what == "many":
        lines += [lines[one]] * 5000
    elif what == "only":
        lines = lines[:1]
    ending = b"\r\n" if what == "windows" else b"\n"
    return ending.join(lines), f"line {one + 1} {what}"


def _separator(data: bytes) -> bytes:
    head = data[: data.find(b"\n") + 1] or data
    return next((sign for sign in (b"\t", b",") if sign in head), b" ")


_PLY_TYPES = (
    b"char",
    b"uchar",
    b"short",
    b"uint",
    b"int",
    b"float",
    b"double",
    b"float64",
    b"int8",
    b"x",
)
_WORD = re.compile(rb"\S+")


def ply_header(data: bytes, rng: Random) -> Mutation:
    """A word of the header becomes another: counts, types, names, formats."""
    end = data.find(b"end_header")
    if end < 0:
        return strange_text(data, rng)
    words = list(_WORD.finditer(data, 0, end + 10))
    word = rng.choice(words)
    if word[0].isdigit():
        found = rng.choice(
            (*EXTREMES, str(int(word[0]) - 1).encode(), str(int(word[0]) + 1).encode())
        )
    elif word[0] in _PLY_TYPES:
        found = rng.choice(
            (*_PLY_TYPES, b"list uchar int", b"list double double", b"list int float")
        )
    else:
        found = rng.choice((b"", b"binary_big_endian", b"ascii", b"x", b"vertex", b"face", b"list",
                            b"element", b"property", b"label", b"vertex_index", b"end_header"))  # fmt: skip
    changed = data[: word.start()] + found + data[word.end() :]
    return changed, f"header: {word[0]!r} became {found[:30]!r}"


def ply_line(data: bytes, rng: Random) -> Mutation:
    """A line of the header missing, doubled, moved."""
    end = data.find(b"end_header")
    if end < 0:
        return strange_text(data, rng)
    head, what = table_lines(data[:end].removesuffix(b"\n"), rng)
    return head + b"\n" + data[end:], f"header: {what}"


_YAML = (
    b"&a [1]", b"*a", b"!!python/object/apply:os.system ['true']", b"!!binary x", b"<<: *a", b"on", b"~",
    b"1e-6", b"010", b"12:30", b".nan", b".inf", b"[" * 60, b"[" * 20_000, b"{a: " * 400, b"'", b'"',
    rb'"\ud800"', rb'"\UFFFFFFFF"', b"\t", b"---\n", b"...\n", b"%YAML 1.1\n", b"? x\n: y\n", b"- 1\n",
    b"|\n  text\n", b">-\n  text\n", b"x: 1\nx: 2\n", b"null: 1\n", b"[1, 2]: 3\n", b"{}", b"[]",
    b"a: " * 50, b"- " * 500, b"!!set {a, b}", b"'" + b"x" * 100_000 + b"'", b"9" * 30, b"\x85", b"\xe2\x80\xa8",
)  # fmt: skip


def yaml_value(data: bytes, rng: Random) -> Mutation:
    """The value of a key becomes another."""
    lines = data.split(b"\n")
    place = rng.randrange(len(lines))
    found = rng.choice((*_YAML, *EXTREMES))
    key, sign, _ = lines[place].partition(b":")
    lines[place] = key + (sign or b":") + b" " + found
    return b"\n".join(lines), f"line {place + 1} became {lines[place][:40]!r}"


def yaml_line(data: bytes, rng: Random) -> Mutation:
    """A line put in, or indented otherwise."""
    lines = data.split(b"\n")
    place = rng.randrange(len(lines))
    if rng.random() < 0.5:
        found = rng.choice(_YAML)
        lines.insert(place, found)
        return b"\n".join(lines), f"{found[:20]!r} put in before line {place + 1}"
    before = lines[place]
    lines[place] = rng.choice((b"  ", b" ", b"\t", b"    ")) + before
    if rng.random() < 0.5:
        lines[place] = before.lstrip()
    return b"\n".join(lines), f"line {place + 1} indented otherwise"


_TABLE: tuple[Mutator, ...] = (table_cell, table_cell, table_column, table_lines, number_replaced)
_JSON: tuple[Mutator, ...] = (json_value, json_value, json_key, number_replaced)

MUTATORS: dict[str, tuple[Mutator, ...]] = {
    ".json": _JSON,
    ".jsonl": (json_line, json_line, table_lines),
    **dict.fromkeys((".csv", ".tsv", ".txt", ".traj", ".pincam"), _TABLE),
    ".ply": (ply_header, ply_line, number_replaced),
    ".yaml": (yaml_value, yaml_line, table_lines, number_replaced),
}
