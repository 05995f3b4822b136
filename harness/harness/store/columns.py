"""The columns of a scene's row. What is not nullable here is REQUIRED in the file."""

from __future__ import annotations

import pyarrow as pa


def _required(name: str, kind: pa.DataType) -> pa.Field:
    return pa.field(name, kind, nullable=False)


def _list(kind: pa.DataType) -> pa.DataType:
    return pa.list_(_required("element", kind))


def _numbers(count: int) -> pa.DataType:
    return pa.list_(_required("element", pa.float64()), count)


_COUNT = pa.struct([_required("category", pa.string()), _required("count", pa.int64())])
_OBJECT = pa.struct(
    [
        _required("id", pa.string()),
        _required("category", pa.string()),
        _required("centre", _numbers(3)),
        _required("size", _numbers(3)),
        _required("axes", _numbers(9)),
        pa.field("point_mean", _numbers(3)),
        _required("points", pa.int64()),
    ]
)
_CAMERA = pa.struct(
    [_required(name, pa.int32()) for name in ("width", "height")]
    + [_required(name, pa.float64()) for name in ("fx", "fy", "cx", "cy")]
)
_FRAME = pa.struct(
    [
        _required("time", pa.float64()),
        _required("pose", _numbers(16)),
        _required("camera", pa.int32()),
    ]
)
_VISIBILITY = pa.struct(
    [_required("objects", _list(pa.string())), _required("pixels", _list(pa.int32()))]
)

# Lengths in metres, times in seconds; `camera` is a place in `cameras`; `pixels` are frames x
# objects, row by row; `video` is a path below the store.
SCHEMA = pa.schema(
    [
        _required("id", pa.string()),
        _required("dataset", pa.string()),
        pa.field("split", pa.string()),
        _required("room_area", pa.float64()),
        _required("room_centre", _numbers(3)),
        pa.field("height", pa.float64()),
        _required("floor", _list(_numbers(2))),
        _required("counts", _list(_COUNT)),
        _required("objects", _list(_OBJECT)),
        _required("cameras", _list(_CAMERA)),
        _required("frames", _list(_FRAME)),
        pa.field("visibility", _VISIBILITY),
        pa.field("video", pa.string()),
        _required("layout", pa.bool_()),
        _required("faults", _list(pa.string())),
    ]
)
