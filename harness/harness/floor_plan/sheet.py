"""One picture of a scene: its plan, a legend, and key frames underneath."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_uppercase
from typing import TYPE_CHECKING, Any

from harness.floor_plan.key_frames import KeyFrame
from harness.floor_plan.plan import Stop, dark, draw_plan, unseen_objects
from harness.floor_plan.text import INK, QUIET, font, shortened
from harness.layout.palette import colour_of
from harness.scene import Scene

if TYPE_CHECKING:
    from PIL.Image import Image

_WIDTH, _PLAN, _LEGEND, _EDGE = 1400, (1010, 860), 330, 24
_COLUMNS, _GAP = 4, 10
_TITLE, _TEXT, _SMALL = 26, 15, 13
_LINE = 22


def scene_sheet(scene: Scene, key_frames: Sequence[KeyFrame]) -> Image:
    """The picture, 1400 pixels wide."""
    from PIL import Image, ImageDraw

    plan = draw_plan(scene, _PLAN, stops(key_frames))
    legend = legend_lines(scene)
    top = 2 * _EDGE + _TITLE + _LINE
    body = max(plan.height, min(len(legend), _most_lines(plan.height)) * _LINE + _EDGE)
    below = top + body + _EDGE
    picture_width = (_WIDTH - 2 * _EDGE - (_COLUMNS - 1) * _GAP) // _COLUMNS
    pictures = [_fitted(one.picture, picture_width) for one in key_frames]
    row = max((one.height for one in pictures), default=0) + _LINE + _GAP
    rows = -(-len(pictures) // _COLUMNS)
    faults = [f"fault: {fault}" for fault in scene.faults[:8]]
    height = below + rows * row + len(faults) * _LINE + _EDGE
    sheet = Image.new("RGB", (_WIDTH, height), (255, 255, 255))
    pen = ImageDraw.Draw(sheet)
    room = _WIDTH - 2 * _EDGE
    pen.text((_EDGE, _EDGE), shortened(scene.id, _TITLE, room), fill=INK, font=font(_TITLE))
    facts = shortened(headline(scene), _TEXT, room)
    pen.text((_EDGE, _EDGE + _TITLE + 8), facts, fill=QUIET, font=font(_TEXT))
    sheet.paste(plan, (_EDGE + (_PLAN[0] - plan.width) // 2, top))
    _write_legend(pen, legend, (_WIDTH - _EDGE - _LEGEND, top + 8), _most_lines(body))
    for number, (one, picture) in enumerate(zip(key_frames, pictures, strict=True)):
        x = _EDGE + number % _COLUMNS * (picture_width + _GAP)
        y = below + number // _COLUMNS * row
        sheet.paste(picture, (x + (picture_width - picture.width) // 2, y))
        pen.text(
            (x, y + row - _LINE - _GAP + 3), caption(number, one), fill=QUIET, font=font(_SMALL)
        )
    for number, fault in enumerate(faults):
        y = below + rows * row + number * _LINE
        pen.text((_EDGE, y), shortened(fault, _TEXT, room), fill=(150, 60, 20), font=font(_TEXT))
    return sheet


def stops(key_frames: Sequence[KeyFrame]) -> list[Stop]:
    """Where the key frames with a known pose were taken."""
    return [
        Stop(ascii_uppercase[number], one.frame)
        for number, one in enumerate(key_frames)
        if one.frame is not None
    ]


def caption(number: int, one: KeyFrame) -> str:
    """A key frame's letter, time and kind."""
    kind = "drawn from the boxes" if one.drawn else "footage"
    where = "" if one.frame is not None else ", pose unknown"
    return f"{ascii_uppercase[number]}   {one.time:.1f} s, {kind}{where}"


def headline(scene: Scene) -> str:
    """What the scene is, in one line."""
    facts = [
        scene.dataset,
        *([f"split {scene.split}"] if scene.split else []),
        f"floor {scene.room_area:.1f} m2",
        *([f"height {scene.height:.2f} m"] if scene.height else []),
        f"{len(scene.objects)} objects in {len(scene.counts)} categories",
        f"{len(scene.frames)} posed frames" if scene.frames else "no posed frames",
    ]
    if scene.visibility is not None:
        unseen = len(unseen_objects(scene))
        facts.append(f"{unseen} in no frame (dashed)" if unseen else "all in some frame")
    if not scene.floor:
        facts.append("outline unknown")
    return "  ·  ".join(facts)


def legend_lines(scene: Scene) -> list[tuple[str, str]]:
    """(Category, its counts and the numbers of its boxes), in the order of the counts."""
    numbers: dict[str, list[int]] = {category: [] for category in scene.counts}
    for number, item in enumerate(scene.objects, 1):
        numbers.setdefault(item.category, []).append(number)
    lines = []
    for category, found in numbers.items():
        count = scene.counts.get(category, 0)
        odd = "" if count == len(found) else f" ({count} counted)"
        lines.append((category, f"{_ranges(found) or 'no box'}{odd}"))
    return lines


def _ranges(numbers: Sequence[int]) -> str:
    """`1-4, 7`."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ", ".join(f"{a}-{b}" if a < b else str(a) for a, b in spans)


def _write_legend(
    pen: Any, lines: Sequence[tuple[str, str]], at: tuple[int, int], most: int
) -> None:
    x, y = at
    shown = lines if len(lines) <= most else lines[: most - 1]
    for category, numbers in shown:
        colour = colour_of(category)
        pen.rectangle((x, y + 2, x + 14, y + 16), fill=colour, outline=dark(colour))
        name = shortened(category, _TEXT, 180)
        pen.text((x + 22, y), name, fill=INK, font=font(_TEXT))
        begin = x + 22 + int(pen.textlength(name, font=font(_TEXT))) + 10
        rest = shortened(numbers, _SMALL, x + _LEGEND - begin)
        pen.text((begin, y + 2), rest, fill=QUIET, font=font(_SMALL))
        y += _LINE
    if len(shown) < len(lines):
        text = f"and {len(lines) - len(shown)} more categories"
        pen.text((x, y), text, fill=QUIET, font=font(_TEXT))


def _most_lines(height: int) -> int:
    return max(10, (height - _EDGE) // _LINE)


def _fitted(picture: Image, width: int) -> Image:
    from PIL import Image

    # Upright footage is as high as it would be wide, no higher.
    share = min(width / picture.width, width / picture.height)
    size = (max(1, round(picture.width * share)), max(1, round(picture.height * share)))
    return picture.resize(size, Image.Resampling.LANCZOS)
