"""A scene's plan from above, to scale: outline, boxes, camera path, 1 m grid, axes, scale bar."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.floor_plan.labels import Bounds, Wanted, place
from harness.floor_plan.text import INK, QUIET, clean, font
from harness.layout.palette import Colour, colour_of
from harness.scene import Array, Frame, Scene, SceneObject

if TYPE_CHECKING:
    from PIL.Image import Image

# Shapes are drawn so many times larger and then shrunk: Pillow draws them without smoothing.
_FINE = 3
_MARGIN = 34
_AROUND = 0.4  # metres of paper around the room
_LABEL, _SMALL = 13, 11
_PAPER, _FLOOR, _GRID = (250, 250, 251), (238, 240, 243), (214, 218, 224)
_WALL, _PATH = (60, 66, 76), (20, 90, 160)
_ARROWS = 14
# Objects from which on a plan has no room for all their names.
_CROWD = 30
# Beyond this a plan would be all paper: a stray box or pose of a faulty scene.
_MOST_METRES = 500.0
# A camera whose view goes no further sideways than this looks straight down.
_DOWN = 1e-6


@dataclass(frozen=True)
class Stop:
    """A place on the camera's path with a letter, where a key frame was taken."""

    letter: str
    frame: Frame


def draw_plan(scene: Scene, size: tuple[int, int], stops: Sequence[Stop] = ()) -> Image:
    """The plan as a picture.

    Objects go by their number in `scene.objects`, counted from 1. Those that no frame shows, where
    visibility is known, have dashed sides.

    Args:
        size: the most pixels it may take, width and height.
        stops: key frames to mark.
    """
    from PIL import Image, ImageDraw

    sheet = _Sheet.of(scene, size)
    large = Image.new("RGB", (sheet.width * _FINE, sheet.height * _FINE), _PAPER)
    brush = ImageDraw.Draw(large, "RGBA")
    _draw_floor(brush, scene, sheet)
    _draw_boxes(brush, scene, sheet)
    _draw_path(brush, scene, sheet)
    picture = large.resize((sheet.width, sheet.height), Image.Resampling.LANCZOS)
    pen = ImageDraw.Draw(picture)
    _write_scale(pen, sheet)
    taken = [_write_stop(pen, sheet, stop) for stop in stops]
    _write_labels(pen, scene, sheet, taken)
    return picture


@dataclass(frozen=True)
class _Sheet:
    """From metres to pixels: y up in the world is up on paper."""

    low: Array
    high: Array
    scale: float

    @classmethod
    def of(cls, scene: Scene, size: tuple[int, int]) -> _Sheet:
        corners = [item.box.corners[:, :2] for item in scene.objects]
        places = np.concatenate(
            [
                np.reshape(scene.floor, (-1, 2)),
                *corners,
                _path(scene),
                [np.asarray(scene.room_centre[:2])],
            ]
        )
        middle = np.median(places, axis=0)
        places = places[np.abs(places - middle).max(axis=1) <= _MOST_METRES]
        low, high = places.min(axis=0) - _AROUND, places.max(axis=0) + _AROUND
        room = np.array(size) - 2 * _MARGIN
        return cls(low, high, float((room / np.maximum(high - low, 1.0)).min()))

    @property
    def width(self) -> int:
        return math.ceil(float(self.high[0] - self.low[0]) * self.scale) + 2 * _MARGIN

    @property
    def height(self) -> int:
        return math.ceil(float(self.high[1] - self.low[1]) * self.scale) + 2 * _MARGIN

    @property
    def inner(self) -> Bounds:
        return (_MARGIN, _MARGIN, self.width - _MARGIN, self.height - _MARGIN)

    def at(self, places: Array, fine: int = 1) -> list[tuple[float, float]]:
        x = (places[:, 0] - self.low[0]) * self.scale + _MARGIN
        y = (self.high[1] - places[:, 1]) * self.scale + _MARGIN
        # Pillow takes no numbers of any size; what is far off the paper is far off either way.
        x, y = (np.clip(side * fine, -1e5, 1e5) for side in (x, y))
        return [(float(a), float(b)) for a, b in zip(x, y, strict=True)]


def _draw_floor(brush: Any, scene: Scene, sheet: _Sheet) -> None:
    outline = sheet.at(np.reshape(scene.floor, (-1, 2)).astype(np.float64), _FINE)
    if len(outline) > 2:
        brush.polygon(outline, fill=_FLOOR)
    left, top, right, bottom = (side * _FINE for side in sheet.inner)
    for x, _ in _metres(sheet, 0):
        brush.line([(x * _FINE, top), (x * _FINE, bottom)], fill=_GRID, width=_FINE)
    for y, _ in _metres(sheet, 1):
        brush.line([(left, y * _FINE), (right, y * _FINE)], fill=_GRID, width=_FINE)
    if len(outline) > 2:
        brush.line([*outline, outline[0]], fill=_WALL, width=3 * _FINE, joint="curve")


def _metres(sheet: _Sheet, axis: int) -> list[tuple[float, int]]:
    """(Pixel, metre) of the grid's lines along an axis: each metre, or fewer in large rooms."""
    low, high = float(sheet.low[axis]), float(sheet.high[axis])
    step = next(step for step in (1, 2, 5, 10, 20, 50, 100, 1000) if step * sheet.scale >= 14)
    numbers = range(math.ceil(low / step) * step, math.floor(high) + 1, step)
    place = np.zeros((1, 2))
    found = []
    for number in numbers:
        place[0, axis] = number
        found.append((sheet.at(place)[0][axis], number))
    return found


def _draw_boxes(brush: Any, scene: Scene, sheet: _Sheet) -> None:
    unseen = unseen_objects(scene)
    prints = [(footprint(item.box.corners), item) for item in scene.objects]
    # Small things on large ones stay visible.
    for print_, item in sorted(prints, key=lambda pair: -_area(pair[0])):
        colour = colour_of(item.category)
        corners = sheet.at(print_, _FINE)
        brush.polygon(corners, fill=(*colour, 95))
        sides = zip(corners, [*corners[1:], corners[0]], strict=True)
        for a, b in sides:
            for start, end in _dashes(a, b) if item.id in unseen else [(a, b)]:
                brush.line([start, end], fill=dark(colour), width=round(1.6 * _FINE))


def dark(colour: Colour) -> Colour:
    """A shade of a category's colour that shows on paper."""
    red, green, blue = (round(0.6 * part) for part in colour)
    return red, green, blue


def _dashes(
    a: tuple[float, float], b: tuple[float, float]
) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    count = max(1, round(math.dist(a, b) / (5 * _FINE)))
    points = [
        (a[0] + (b[0] - a[0]) * k / count, a[1] + (b[1] - a[1]) * k / count)
        for k in range(count + 1)
    ]
    return list(zip(points[:-1:2], points[1::2], strict=False))


def footprint(corners: Array) -> Array:
    """(k, 2) corners of a box's outline from above, counter-clockwise: their convex hull."""
    points = sorted(set(map(tuple, corners[:, :2].round(6).tolist())))
    halves = []
    for sequence in (points, points[::-1]):
        chain: list[tuple[float, ...]] = []
        for x, y in sequence:
            while len(chain) > 1 and _turn(chain[-2], chain[-1], (x, y)) <= 0:
                chain.pop()
            chain.append((x, y))
        halves.append(chain[:-1])
    return np.array([*halves[0], *halves[1]] or points)


def _turn(a: Sequence[float], b: Sequence[float], c: Sequence[float]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _area(outline: Array) -> float:
    x, y = outline.T
    return float(abs(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)) / 2)


def unseen_objects(scene: Scene) -> set[str]:
    """Ids of the objects that no posed frame shows; none where nobody measured it."""
    seen = scene.visibility
    if seen is None or not len(seen.pixels):
        return set()
    return {name for name, place in seen.column.items() if not seen.pixels[:, place].any()}


def _path(scene: Scene) -> Array:
    return np.array([frame.pose[:2, 3] for frame in scene.frames]).reshape(-1, 2)


def _draw_path(brush: Any, scene: Scene, sheet: _Sheet) -> None:
    if not scene.frames:
        return
    points = sheet.at(_path(scene), _FINE)
    if len(points) > 1:
        brush.line(points, fill=(255, 255, 255, 200), width=5 * _FINE, joint="curve")
        brush.line(points, fill=(*_PATH, 220), width=2 * _FINE, joint="curve")
    step = max(1, len(points) // _ARROWS)
    for (x, y), frame in list(zip(points, scene.frames, strict=True))[::step]:
        forward = frame.pose[:2, 2]
        length = float(np.linalg.norm(forward))
        if length <= _DOWN:
            continue
        ahead = forward / length * [1, -1]
        aside = np.array([-ahead[1], ahead[0]])
        here = np.array([x, y])
        tip, left, right = (
            here + 9 * _FINE * ahead,
            here + 4 * _FINE * aside,
            here - 4 * _FINE * aside,
        )
        brush.polygon([tuple(tip), tuple(left), tuple(right)], fill=(*_PATH, 255))


def _write_scale(pen: Any, sheet: _Sheet) -> None:
    left, top, right, bottom = sheet.inner
    for axis in (0, 1):
        last = -math.inf
        for place_, metre in _metres(sheet, axis):
            if abs(place_ - last) < 28:
                continue
            last = place_
            at, anchor = ((place_, bottom + 5), "mt") if axis == 0 else ((left - 6, place_), "rm")
            pen.text(at, str(metre), fill=QUIET, font=font(_SMALL), anchor=anchor)
    pen.text((right, bottom + 19), "x, metres", fill=QUIET, font=font(_SMALL), anchor="rt")
    pen.text((left, top - 6), "y, metres", fill=QUIET, font=font(_SMALL), anchor="lb")
    metres = 1 if sheet.scale >= 30 else 5
    end, y = right, top - 14
    begin = end - metres * sheet.scale
    pen.line([(begin, y), (end, y)], fill=INK, width=3)
    for x in (begin, end):
        pen.line([(x, y - 4), (x, y + 4)], fill=INK, width=2)
    pen.text((begin - 6, y), f"{metres} m", fill=INK, font=font(_LABEL), anchor="rm")


def _write_stop(pen: Any, sheet: _Sheet, stop: Stop) -> Bounds:
    ((x, y),) = sheet.at(stop.frame.pose[:2, 3].reshape(1, 2))
    radius = 9
    forward = stop.frame.pose[:2, 2]
    if (length := float(np.linalg.norm(forward))) > _DOWN:
        ahead = forward / length * [1, -1]
        aside = np.array([-ahead[1], ahead[0]]) * 5
        here = np.array([x, y]) + ahead * radius * 0.7
        tip = here + ahead * radius
        pen.polygon([tuple(tip), tuple(here + aside), tuple(here - aside)], fill=_PATH)
    bounds = (x - radius, y - radius, x + radius, y + radius)
    pen.ellipse(bounds, fill=_PATH, outline=(255, 255, 255), width=2)
    pen.text((x, y), stop.letter, fill=(255, 255, 255), font=font(_SMALL), anchor="mm")
    return bounds


def _write_labels(pen: Any, scene: Scene, sheet: _Sheet, taken: Sequence[Bounds]) -> None:
    order = sorted(
        range(len(scene.objects)), key=lambda k: _area(footprint(scene.objects[k].box.corners))
    )
    centres = np.array([item.box.centre[:2] for item in scene.objects]).reshape(-1, 2)
    spots = sheet.at(centres)
    wordings = [
        _wordings(pen, number, item, scene, sheet) for number, item in enumerate(scene.objects, 1)
    ]
    wanted = [Wanted(spots[k], [_extent(pen, text) for text in wordings[k]]) for k in order]
    # Without a place, its number and colour are still in the legend.
    placed = [
        (k, one)
        for k, one in zip(order, place(wanted, sheet.inner, taken), strict=True)
        if one is not None
    ]
    for k, one in placed:
        if one.away:
            pen.line([spots[k], one.middle], fill=QUIET, width=1)
    for k, one in placed:
        pen.rounded_rectangle(one.bounds, 3, fill=(255, 255, 255), outline=(200, 204, 210))
        pen.text(one.middle, wordings[k][one.wording], fill=INK, font=font(_LABEL), anchor="mm")


def _wordings(pen: Any, number: int, item: SceneObject, scene: Scene, sheet: _Sheet) -> list[str]:
    """Number and name, or the number alone; in a crowd, names only where they hide nothing else."""
    full = f"{number} {clean(item.category)}"
    corners = np.array(sheet.at(footprint(item.box.corners)))
    fits = _extent(pen, full)[0] <= np.ptp(corners, axis=0)[0]
    return [full, str(number)] if fits or len(scene.objects) <= _CROWD else [str(number)]


def _extent(pen: Any, text: str) -> tuple[float, float]:
    return pen.textlength(text, font=font(_LABEL)) + 6, _LABEL + 4
