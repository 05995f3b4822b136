"""Rooms whose walls hide nothing are counted without them, to the same pixels."""

from dataclasses import replace

import numpy as np
import pytest

from harness.layout import Drawing, camera_walk
from harness.layout.raster import WALL, _drawn, object_pixels
from harness.scene import Box, Scene, SceneObject

SQUARE = ((0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (0.0, 4.0))
BENT = ((0.0, 0.0), (4.0, 0.0), (4.0, 2.0), (2.0, 2.0), (2.0, 4.0), (0.0, 4.0))


def room(floor=SQUARE, at=(1.0, 1.0, 0.5)) -> Scene:
    boxes = [Box.upright(at, (0.4, 0.6, 1.0), 0.3), Box.upright((1.0, 3.0, 0.4), (1.0, 0.5, 0.8))]
    objects = tuple(SceneObject(str(i), "box", box) for i, box in enumerate(boxes))
    return Scene("r", "t", objects, 16.0, (2.0, 2.0, 1.0), {"box": 2}, floor=floor, height=2.5)


@pytest.mark.parametrize(
    ("scene", "expected"),
    [
        (room(), True),
        (room(SQUARE[::-1]), True),
        (room(BENT), False),
        (room(at=(3.9, 1.0, 0.5)), False),
        (room(at=(1.0, 1.0, 2.3)), False),
        (replace(room(), floor=()), True),
    ],
    ids=["square", "clockwise", "bent", "through a wall", "through the ceiling", "no walls"],
)
def test_where_walls_hide_nothing(scene, expected):
    assert Drawing.of(scene).shell_hides_nothing == expected


def counted_in_the_picture(drawing, frame):
    first = WALL + len(drawing.walls)
    codes = _drawn(drawing, frame).code
    return [((codes - first) // 3 == i)[codes >= first].sum() for i in range(len(drawing.centres))]


@pytest.mark.parametrize("floor", [SQUARE, BENT, ()], ids=["square", "bent", "no walls"])
def test_the_pixels_are_those_of_the_picture(floor):
    scene = room(floor)
    drawing = Drawing.of(scene)
    for frame in camera_walk(scene, seconds=2, fps=8, width=160, height=120, seed=0):
        assert list(object_pixels(drawing, frame)) == counted_in_the_picture(drawing, frame)
    assert np.isfinite(drawing.corners).all()
