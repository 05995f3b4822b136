"""Small SVG charts with axes, ticks and labels; colours come from the page's style sheet.

Every chart is 360 units wide, so that its text keeps its size on a phone and several stand
beside each other on a wide screen. Hover titles carry the exact numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from harness.report.text import one_line

WIDTH, HEIGHT = 360, 220
LEFT, RIGHT, TOP, BOTTOM = 48, 12, 26, 36
ROW = 22
LABEL_WIDTH, VALUE_WIDTH = 104, 44
MAX_POINTS = 240
COLOURS = 8
# A line that moves by less than this share of its value is drawn flat, not as noise.
FLAT = 1e-4
Point = tuple[float, float]


@dataclass(frozen=True)
class Series:
    """A named line; points are (x, y), finite, in order of x."""

    name: str
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Dot:
    """A row of an interval chart: a value with its interval; `hollow` marks a baseline."""

    label: str
    value: float
    low: float | None = None
    high: float | None = None
    hollow: bool = False


@dataclass(frozen=True)
class _Axis:
    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)


def ticks(low: float, high: float, count: int = 4) -> tuple[float, ...]:
    """Round numbers from at most `low` to at least `high`, about `count` steps apart.

    Ends that are (nearly) equal are spread, so that there are always two ticks or more.
    """
    if high - low <= FLAT * max(abs(low), abs(high), 1e-200):
        spread = 0.1 * max(abs(low), abs(high)) or 1.0
        low, high = low - spread, high + spread
    raw = (high - low) / count
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * m for m in (1, 2, 2.5, 5, 10) if raw <= power * m * (1 + 1e-9))
    first = math.floor(low / step + 1e-9)
    last = math.ceil(high / step - 1e-9)
    return tuple(step * place for place in range(first, last + 1))


def tick_labels(values: Sequence[float]) -> list[str]:
    """The ticks' numbers, no more digits than their step needs; `2e-6` if all are tiny or huge."""
    step = values[1] - values[0] if len(values) > 1 else abs(values[0]) or 1.0
    largest = max(abs(value) for value in values)
    fixed = 1e-2 <= largest < 1e6
    places = max(0, 1 - math.floor(math.log10(step) + 1e-9))
    return [_plain(f"{value:.{places}f}") if fixed else _exponent(value, step) for value in values]


def line_chart(title: str, series: Sequence[Series], x_label: str, y_label: str) -> Markup:
    """A figure with one line for each series and, if several, a legend.

    Returns an empty Markup if no series has a point.
    """
    drawn = [Series(s.name, thinned(s.points)) for s in series if s.points]
    if not drawn:
        return Markup()
    xs = [x for s in drawn for x, _ in s.points]
    ys = [y for s in drawn for _, y in s.points]
    y_ticks = ticks(min(ys), max(ys))
    x_ticks = [t for t in ticks(min(xs), max(xs)) if min(xs) <= t <= max(xs)] or [xs[0]]
    x_low, x_high = (min(xs), max(xs)) if max(xs) > min(xs) else (xs[0] - 1, xs[0] + 1)
    x_axis = _Axis(x_low, x_high, LEFT, WIDTH - RIGHT)
    y_axis = _Axis(y_ticks[0], y_ticks[-1], HEIGHT - BOTTOM, TOP)
    parts = [
        *_y_grid(y_ticks, y_axis),
        *_x_marks(x_ticks, x_axis, TOP, HEIGHT - BOTTOM, grid=False),
        _text(0, 12, y_label, "axis"),
        _text(WIDTH - RIGHT, HEIGHT - 4, x_label, "axis end"),
        *(_line(s, place, x_axis, y_axis) for place, s in enumerate(drawn)),
    ]
    ends = "; ".join(f"{s.name} {s.points[0][1]:.4g} to {s.points[-1][1]:.4g}" for s in drawn)
    legend = _legend([s.name for s in drawn]) if len(drawn) > 1 else Markup()
    return _figure(title, f"{title} over {x_label}: {ends}", HEIGHT, parts, legend)


def interval_chart(
    title: str,
    dots: Sequence[Dot],
    x_label: str,
    span: tuple[float, float],
    reference: float | None,
) -> Markup:
    """A figure with a dot and an interval in each row, on an axis that covers `span`.

    `reference` draws a vertical line to compare with. Empty Markup without dots.
    """
    if not dots:
        return Markup()
    top = 4
    # Names too long to stand beside their row stand above it.
    above = max(len(one_line(dot.label, 60)) for dot in dots) > 15
    row, left = (2 * ROW - 8, 6) if above else (ROW, LABEL_WIDTH)
    bottom = top + row * len(dots)
    x_ticks = ticks(*span)
    axis = _Axis(x_ticks[0], x_ticks[-1], left, WIDTH - VALUE_WIDTH)
    parts = [
        *_x_marks(x_ticks, axis, top, bottom, grid=True),
        _text(WIDTH - VALUE_WIDTH, bottom + 32, x_label, "axis end"),
    ]
    if reference is not None:
        x = axis.at(reference)
        parts.append(
            Markup('<line class="reference" x1="{x}" x2="{x}" y1="{y}" y2="{end}"/>').format(
                x=_n(x), y=_n(top), end=_n(bottom)
            )
        )
    for place, dot in enumerate(dots):
        y = top + row * (place + 1) - ROW / 2
        parts.append(_text(0, y - 12 if above else y + 4, one_line(dot.label, 50), "name"))
        parts += _dot(dot, y, axis)
    described = "; ".join(_described(dot) for dot in dots)
    return _figure(title, f"{title}: {described}", bottom + BOTTOM, parts, Markup())


def histogram(
    title: str, edges: Sequence[float], counts: Sequence[int], x_label: str, y_label: str
) -> Markup:
    """A figure with a bar for each count, from its edge to the next.

    Empty Markup without counts, or if the edges are further apart than a number can say.
    """
    if not counts or max(counts) <= 0 or not math.isfinite(edges[-1] - edges[0]):
        return Markup()
    y_ticks = ticks(0, max(counts))
    x_ticks = [t for t in ticks(edges[0], edges[-1]) if edges[0] <= t <= edges[-1]] or [edges[0]]
    x_axis = _Axis(edges[0], edges[-1], LEFT, WIDTH - RIGHT)
    y_axis = _Axis(0, y_ticks[-1], HEIGHT - BOTTOM, TOP)
    parts = [
        *_y_grid(y_ticks, y_axis),
        *_x_marks(x_ticks, x_axis, TOP, HEIGHT - BOTTOM, grid=False),
        _text(0, 12, y_label, "axis"),
        _text(WIDTH - RIGHT, HEIGHT - 4, x_label, "axis end"),
        *(
            _bar(x_axis.at(low), x_axis.at(high), y_axis.at(count), f"{low:g} to {high:g}: {count}")
            for low, high, count in zip(edges, edges[1:], counts, strict=False)
            if count
        ),
    ]
    described = f"{title}: {sum(counts):,} from {edges[0]:g} to {edges[-1]:g} {x_label}"
    return _figure(title, described, HEIGHT, parts, Markup())


def thinned(points: Sequence[Point], limit: int = MAX_POINTS) -> tuple[Point, ...]:
    """At most about `limit` points: the lowest and the highest of each stretch, so spikes stay."""
    if len(points) <= limit:
        return tuple(points)
    stretches = limit // 2
    kept: list[Point] = []
    for place in range(stretches):
        stretch = points[place * len(points) // stretches : (place + 1) * len(points) // stretches]
        ends = {min(stretch, key=lambda p: p[1]), max(stretch, key=lambda p: p[1])}
        kept += sorted(ends)
    return tuple(kept)


def _line(series: Series, place: int, x_axis: _Axis, y_axis: _Axis) -> Markup:
    spots = [(_n(x_axis.at(x)), _n(y_axis.at(y))) for x, y in series.points]
    colour, dash = place % COLOURS, place // COLOURS % 3
    name = _title(series.name)
    if len(spots) == 1:
        return Markup('<circle class="s{} spot" cx="{}" cy="{}" r="3">{}</circle>').format(
            colour, *spots[0], name
        )
    path = " ".join(f"{x},{y}" for x, y in spots)
    return Markup('<polyline class="s{} d{}" points="{}">{}</polyline>').format(
        colour, dash, path, name
    )


def _dot(dot: Dot, y: float, axis: _Axis) -> list[Markup]:
    style = "baseline" if dot.hollow else "model"
    parts = []
    if dot.low is not None and dot.high is not None:
        parts.append(
            Markup('<line class="{} whisker" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(
                style, _n(axis.at(dot.low)), _n(axis.at(dot.high)), _n(y), _n(y)
            )
        )
    parts.append(
        Markup('<circle class="{} dot" cx="{}" cy="{}" r="4.5">').format(
            style, _n(axis.at(dot.value)), _n(y)
        )
        + _title(_described(dot))
        + Markup("</circle>")
    )
    return [*parts, _text(WIDTH, y + 4, f"{dot.value:.1f}", "value end")]


def _bar(left: float, right: float, top: float, name: str) -> Markup:
    # a hair of the page between bars, unless they are hairs themselves
    gap = 1 if right - left > 4 else 0
    return Markup('<rect class="bar" x="{}" y="{}" width="{}" height="{}">{}</rect>').format(
        _n(left + gap / 2), _n(top), _n(right - left - gap), _n(HEIGHT - BOTTOM - top), _title(name)
    )


def _described(dot: Dot) -> str:
    if dot.low is None or dot.high is None:
        return f"{one_line(dot.label)} {dot.value:.1f}"
    return f"{one_line(dot.label)} {dot.value:.1f} [{dot.low:.1f}, {dot.high:.1f}]"


def _y_grid(values: Sequence[float], axis: _Axis) -> list[Markup]:
    parts = []
    for value, text in zip(values, tick_labels(values), strict=True):
        y = axis.at(value)
        parts.append(
            Markup('<line class="grid" x1="{}" x2="{}" y1="{y}" y2="{y}"/>').format(
                LEFT, WIDTH - RIGHT, y=_n(y)
            )
        )
        parts.append(_text(LEFT - 6, y + 4, text, "tick end"))
    return parts


def _x_marks(
    values: Sequence[float], axis: _Axis, top: float, bottom: float, *, grid: bool
) -> list[Markup]:
    parts = []
    for value, text in zip(values, tick_labels(values), strict=True):
        x = axis.at(value)
        start, style = (top, "grid") if grid else (bottom, "mark")
        parts.append(
            Markup('<line class="{}" x1="{x}" x2="{x}" y1="{}" y2="{}"/>').format(
                style, _n(start), _n(bottom + 4), x=_n(x)
            )
        )
        parts.append(_text(x, bottom + 17, text, "tick middle"))
    return parts


def _plain(text: str) -> str:
    whole, _, fraction = text.partition(".")
    fraction = fraction.rstrip("0")
    number = f"{int(whole.removeprefix('-')):,}" + (f".{fraction}" if fraction else "")
    return f"\N{MINUS SIGN}{number}" if whole.startswith("-") and number != "0" else number


def _exponent(value: float, step: float) -> str:
    if abs(value) < step * 1e-6:
        return "0"
    digits = math.floor(math.log10(abs(value)) + 1e-9) - math.floor(math.log10(step)) + 1
    mantissa, _, exponent = f"{value:.{min(max(digits, 0), 6)}e}".partition("e")
    return f"{_plain(mantissa)}e{int(exponent)}"


def _legend(names: Sequence[str]) -> Markup:
    items = Markup().join(
        Markup(
            '<li><svg width="22" height="8" aria-hidden="true"><line class="s{} d{}" '
            'x1="1" x2="21" y1="4" y2="4"/></svg>{}</li>'
        ).format(place % COLOURS, place // COLOURS % 3, one_line(name, 60))
        for place, name in enumerate(names)
    )
    return Markup('<ul class="legend">{}</ul>').format(items)


def _figure(
    title: str, description: str, height: float, parts: Sequence[Markup], legend: Markup
) -> Markup:
    return Markup(
        '<figure class="chart"><figcaption>{}</figcaption>'
        '<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>{}</figure>'
    ).format(
        one_line(title, 60),
        WIDTH,
        _n(height),
        one_line(description, 600),
        Markup().join(parts),
        legend,
    )


def _text(x: float, y: float, text: str, style: str) -> Markup:
    return Markup('<text class="{}" x="{}" y="{}">{}</text>').format(
        style, _n(x), _n(y), one_line(text)
    )


def _title(text: str) -> Markup:
    return Markup("<title>") + escape(one_line(text, 200)) + Markup("</title>")


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
