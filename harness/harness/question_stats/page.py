"""The statistics as one HTML file that opens offline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path

from markupsafe import Markup

from harness.atomic import write_text
from harness.question_stats.describe import SetStats, TypeStats
from harness.question_stats.findings import CLOSED, counted, findings
from harness.report.charts import Dot, histogram, interval_chart
from harness.report.html import render
from harness.report.scores import label

UNITS = {
    "object_counting": "objects",
    "object_abs_distance": "metres",
    "object_size_estimation": "centimetres",
    "room_size_estimation": "square metres",
}
# Where there are more right texts than this, such as orders of four objects, none stands out.
MOST_TEXTS = 100
_Z = 1.96


@dataclass(frozen=True)
class TypeView:
    """A question type as the page shows it."""

    stats: TypeStats
    title: str
    charts: tuple[Markup, ...]


def write_page(path: Path, name: str, stats: SetStats) -> None:
    """Write the page; `name` is its heading."""
    context = {
        "name": name,
        "size": (
            f"{counted(stats.questions, 'question')} about {counted(stats.scenes, 'scene')} "
            f"in {counted(stats.spaces, 'space')}"
        ),
        "stats": stats,
        "findings": list(findings(stats)),
        "views": [_view(one, title_of(one, stats.types)) for one in stats.types],
        "blind": _blind_charts(stats),
    }
    write_text(path, render("questions.html", context))


def title_of(one: TypeStats, types: Sequence[TypeStats]) -> str:
    """The type's short name, with the kind of answer where the type has several."""
    twice = sum(other.question_type == one.question_type for other in types) > 1
    return f"{label(one.question_type)} ({one.kind})" if twice else label(one.question_type)


def _blind_charts(stats: SetStats) -> list[Markup]:
    """What a fixed answer and the text alone score, on one axis for all."""
    charts = []
    for title, which, hollow, macro in (
        ("Most frequent answer", "frequency", True, stats.macro_frequency),
        ("Text alone", "text", False, stats.macro_text),
    ):
        dots = list(_blind_dots(stats, which, hollow=hollow))
        reference = None if macro is None else 100 * macro
        charts.append(interval_chart(title, dots, "percent", (0, 100), reference))
    return charts


def _blind_dots(stats: SetStats, which: str, *, hollow: bool) -> Iterator[Dot]:
    for one in stats.types:
        share = getattr(one.blind, which)
        if share is None:
            continue
        low, high = _interval(share, one.questions) if one.kind != "number" else (None, None)
        yield Dot(title_of(one, stats.types), 100 * share, low, high, hollow)


def _view(one: TypeStats, title: str) -> TypeView:
    charts = []
    if one.numbers is not None:
        unit = UNITS.get(one.question_type, "answer")
        charts.append(histogram(title, one.numbers.edges, one.numbers.counts, unit, "questions"))
    if one.letters is not None:
        expected = {round(100 * n / one.questions, 6) for n in one.letters.expected.values()}
        even = expected.pop() if len(expected) == 1 else None
        charts.append(_shares(f"{title}: right letters", one.letters.counts, one.questions, even))
    if one.numbers is None and one.answers <= MOST_TEXTS:
        even = 100 / one.answers if one.answers <= CLOSED else None
        charts.append(_shares(f"{title}: right texts", dict(one.top), one.questions, even))
    return TypeView(one, title, tuple(charts))


def _shares(title: str, counts: Mapping[str, int], total: int, even: float | None) -> Markup:
    dots = [
        Dot(answer, 100 * times / total, *_interval(times / total, total))
        for answer, times in counts.items()
    ]
    greatest = max([dot.high or 0.0 for dot in dots] + [even or 0.0])
    return interval_chart(title, dots, "percent", (0, min(100.0, greatest)), even)


def _interval(share: float, count: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share, in percent."""
    middle = (share + _Z**2 / (2 * count)) / (1 + _Z**2 / count)
    reach = _Z / (1 + _Z**2 / count) * sqrt(share * (1 - share) / count + (_Z / count) ** 2 / 4)
    return 100 * max(0.0, middle - reach), 100 * min(1.0, middle + reach)
