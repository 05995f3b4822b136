"""The elements of a PLY file: its header, and the records behind it as numpy structures.

Nothing is allocated on a header's word: what it claims is held against the bytes that are there.
Text files become float64 records first, so that one reader serves all three formats.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.errors import SceneError

MOST_HEADER_BYTES = 65_536
_BYTE_ORDERS = {"ascii": "=", "binary_little_endian": "<", "binary_big_endian": ">"}
_OLD_NAMES = ("char", "uchar", "short", "ushort", "int", "uint", "float", "double")
_NEW_NAMES = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "float32", "float64")
_NUMPY = ("i1", "u1", "i2", "u2", "i4", "u4", "f4", "f8")
_KINDS = dict(zip(_OLD_NAMES + _NEW_NAMES, _NUMPY + _NUMPY, strict=True))
# Text takes some fifteen times its size while it becomes numbers.
MOST_TEXT_BYTES = 250_000_000
# Records of one shape are read in blocks that double, so that mixed polygons cost no more.
_FIRST_BLOCK = 64


@dataclass(frozen=True)
class Property:
    """One property of an element; `length` is the type of a list's length, None for a number."""

    name: str
    kind: str
    length: str | None = None


@dataclass(frozen=True)
class Element:
    """One element: `count` records, each with all `properties`."""

    name: str
    count: int
    properties: tuple[Property, ...]


@dataclass(frozen=True)
class Block:
    """Records whose lists are equally long: property name -> (n,) numbers or (n, k) lists."""

    columns: Mapping[str, NDArray[np.generic]]
    size: int


def read_elements(data: bytes, where: str) -> dict[str, list[Block]]:
    """All elements of a PLY file by name, each as blocks in the order of the file.

    Args:
        data: the file.
        where: its name, for messages.

    Raises:
        SceneError: no PLY file, a header that makes no sense, or fewer bytes than it promises.
    """
    order, elements, start = _header(data, where)
    if order == "=":
        data, elements, start = _as_binary(data[start:], elements, where), _doubles(elements), 0
    found = {}
    for element in elements:
        found[element.name], start = _blocks(element, data, start, order, where)
    return found


def _header(data: bytes, where: str) -> tuple[str, list[Element], int]:
    head = data[:MOST_HEADER_BYTES]
    if head[:4] not in (b"ply\n", b"ply\r"):
        raise SceneError(
            f"{where}: expected a PLY file, which begins with 'ply'; download it again"
        )
    order, elements, start = "", list[Element](), 0
    while (end := head.find(b"\n", start)) >= 0:
        line = head[start:end].decode("ascii", errors="replace").strip()
        start = end + 1
        match line.split():
            case ["end_header"]:
                if not order:
                    raise SceneError(f"{where}: header: no 'format' line")
                return order, elements, start
            case ["format", name, "1.0"] if name in _BYTE_ORDERS:
                order = _BYTE_ORDERS[name]
            case ["element", name, count] if count.isdecimal() and len(count) < 20:
                if name in {element.name for element in elements}:
                    raise SceneError(f"{where}: header: element {name!r} occurs twice")
                elements.append(Element(name, int(count), ()))
            case ["property", *words] if elements:
                elements[-1] = _with_property(elements[-1], words, line, where)
            case [] | ["ply" | "comment" | "obj_info", *_]:
                pass
            case _:
                raise SceneError(f"{where}: header: cannot read the line {line[:80]!r}")
    raise SceneError(
        f"{where}: header: no 'end_header' in the first {len(head):,} bytes; "
        "the file is truncated or damaged: download it again"
    )


def _with_property(element: Element, words: list[str], line: str, where: str) -> Element:
    match words:
        case ["list", length, kind, name] if length in _KINDS and kind in _KINDS:
            added = Property(name, _KINDS[kind], _KINDS[length])
        case [kind, name] if kind in _KINDS:
            added = Property(name, _KINDS[kind])
        case _:
            raise SceneError(f"{where}: header: cannot read the line {line[:80]!r}")
    if added.name in {known.name for known in element.properties}:
        raise SceneError(f"{where}: header: {element.name}.{added.name} occurs twice")
    return Element(element.name, element.count, (*element.properties, added))


def _doubles(elements: list[Element]) -> list[Element]:
    return [
        Element(
            element.name,
            element.count,
            tuple(Property(p.name, "f8", p.length and "f8") for p in element.properties),
        )
        for element in elements
    ]


def _as_binary(text: bytes, elements: list[Element], where: str) -> bytes:
    if len(text) > MOST_TEXT_BYTES:
        raise SceneError(
            f"{where}: more than {MOST_TEXT_BYTES:,} bytes of text; write it as binary PLY"
        )
    for element in elements:
        # Every number is a digit and a blank at least.
        if element.count * len(element.properties) * 2 > len(text) + 1:
            raise _short(element, len(text), where)
    try:
        return np.array(text.split(), dtype=np.float64).tobytes()
    except ValueError as error:
        raise SceneError(
            f"{where}: the text after the header is not numbers: {error!s:.200}"
        ) from None


def _blocks(
    element: Element, data: bytes, start: int, order: str, where: str
) -> tuple[list[Block], int]:
    if not element.properties:
        return [], start
    least = sum(np.dtype(p.length or p.kind).itemsize for p in element.properties)
    if element.count * least > len(data) - start:
        raise _short(element, len(data) - start, where)
    blocks, left = list[Block](), element.count
    step = _FIRST_BLOCK if any(p.length for p in element.properties) else left
    while left:
        lengths = _lengths(element, data, start, order, where)
        shape = _record(element, lengths, order)
        fitting = min(left, step, (len(data) - start) // shape.itemsize)
        if not fitting:
            raise _short(element, len(data) - start, where)
        records = np.frombuffer(data, shape, fitting, start)
        same = np.ones(fitting, dtype=bool)
        for place, length in lengths.items():
            same &= records[f"length {place}"] == length
        size = fitting if same.all() else int(same.argmin())
        names = [p.name for p in element.properties]
        columns = {name: records[f"value {place}"][:size] for place, name in enumerate(names)}
        blocks.append(Block(columns, size))
        start += size * shape.itemsize
        left -= size
        step = max(_FIRST_BLOCK, 2 * size)
    return blocks, start


def _lengths(element: Element, data: bytes, start: int, order: str, where: str) -> dict[int, int]:
    """The length of each list of the record at `start`, by the place of its property."""
    lengths = {}
    for place, prop in enumerate(element.properties):
        if prop.length:
            kind = np.dtype(order + prop.length)
            if start + kind.itemsize > len(data):
                raise _short(element, 0, where)
            length = np.frombuffer(data, kind, 1, start)[0]
            start += kind.itemsize
            most = (len(data) - start) // np.dtype(prop.kind).itemsize
            if not 0 <= length <= most or length != int(length):
                raise SceneError(
                    f"{where}: {element.name}.{prop.name}: a list of {length:g} entries, but "
                    f"{len(data) - start:,} bytes are left; the file is truncated or damaged: download it again"
                )
            lengths[place] = int(length)
        start += np.dtype(prop.kind).itemsize * lengths.get(place, 1)
    return lengths


def _record(element: Element, lengths: Mapping[int, int], order: str) -> np.dtype[np.void]:
    fields = list[tuple[str, str] | tuple[str, str, tuple[int, ...]]]()
    for place, prop in enumerate(element.properties):
        if prop.length:
            fields.append((f"length {place}", order + prop.length))
            fields.append((f"value {place}", order + prop.kind, (lengths[place],)))
        else:
            fields.append((f"value {place}", order + prop.kind))
    return np.dtype(fields)


def _short(element: Element, left: int, where: str) -> SceneError:
    return SceneError(
        f"{where}: {element.name}: the header promises {element.count:,} records, but only "
        f"{left:,} bytes are left for them; the file is truncated: download it again"
    )
