from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.report.charts import (
    MAX_POINTS,
    WIDTH,
    Dot,
    Series,
    interval_chart,
    line_chart,
    thinned,
    tick_labels,
    ticks,
)

NUMBERS = st.floats(-1e99, 1e99, allow_nan=False)
HOSTILE = "</svg><script>alert(1)</script>\"'\x00\u202e"


@pytest.mark.parametrize(
    ("low", "high", "expected", "labels"),
    [
        (0, 1, (0, 0.25, 0.5, 0.75, 1), ["0", "0.25", "0.5", "0.75", "1"]),
        (3, 97, (0, 25, 50, 75, 100), ["0", "25", "50", "75", "100"]),
        (
            -0.03,
            0.028,
            (-0.04, -0.02, 0, 0.02, 0.04),
            ["\N{MINUS SIGN}0.04", "\N{MINUS SIGN}0.02", "0", "0.02", "0.04"],
        ),
        (0, 1e-6, (0, 2.5e-7, 5e-7, 7.5e-7, 1e-6), ["0", "2.5e-7", "5e-7", "7.5e-7", "1e-6"]),
        (1000, 3000, (1000, 1500, 2000, 2500, 3000), ["1,000", "1,500", "2,000", "2,500", "3,000"]),
        (2e6, 4e6, (2e6, 2.5e6, 3e6, 3.5e6, 4e6), ["2e6", "2.5e6", "3e6", "3.5e6", "4e6"]),
    ],
)
def test_ticks_are_round(
    low: float, high: float, expected: tuple[float, ...], labels: list[str]
) -> None:
    found = ticks(low, high)
    assert found == pytest.approx(expected)
    assert tick_labels(found) == labels


@settings(derandomize=True, max_examples=300)
@given(NUMBERS, NUMBERS)
def test_ticks_enclose_any_range(one: float, other: float) -> None:
    low, high = sorted((one, other))
    found = ticks(low, high)
    slack = 1e-6 * max(abs(low), abs(high))
    assert 2 <= len(found) <= 8
    assert found[0] <= low + slack
    assert found[-1] >= high - slack
    assert list(found) == sorted(set(found))
    assert len(tick_labels(found)) == len(found)


def test_ticks_of_one_value_surround_it() -> None:
    assert ticks(5, 5) == pytest.approx((4.5, 4.75, 5, 5.25, 5.5))
    assert ticks(0, 0) == pytest.approx((-1, -0.5, 0, 0.5, 1))


def test_thinning_keeps_spikes_and_order() -> None:
    points = [(float(x), 1000.0 if x == 777 else float(x % 7)) for x in range(5000)]
    kept = thinned(points)
    assert len(kept) <= MAX_POINTS
    assert (777.0, 1000.0) in kept
    assert list(kept) == sorted(kept)
    assert thinned(points[:10]) == tuple(points[:10])


@settings(derandomize=True, max_examples=100)
@given(st.lists(st.tuples(st.floats(0, 1e9), NUMBERS), min_size=1, max_size=300))
def test_lines_stay_inside_the_chart(points: list[tuple[float, float]]) -> None:
    figure = ET.fromstring(line_chart("t", [Series("s", tuple(sorted(points)))], "step", "loss"))
    spots = [
        tuple(map(float, spot.split(",")))
        for line in figure.iter("polyline")
        for spot in line.attrib["points"].split()
    ]
    assert all(0 <= x <= WIDTH and 0 <= y <= 220 for x, y in spots)
    assert len(list(figure.iter("polyline"))) + len(list(figure.iter("circle"))) == 1


def test_a_line_chart_has_labels_title_and_legend() -> None:
    series = [Series("reward", ((1.0, 0.1), (2.0, 0.4))), Series("kl", ((1.0, 0.0), (2.0, 0.2)))]
    figure = ET.fromstring(line_chart("Reward", series, "optimizer step", "reward"))
    words = [text.text for text in figure.iter("text")]
    assert "optimizer step" in words
    assert "reward" in words
    assert figure.findtext("figcaption") == "Reward"
    assert ["".join(item.itertext()) for item in figure.iter("li")] == ["reward", "kl"]
    assert [line.attrib["class"] for line in figure.iter("polyline")] == ["s0 d0", "s1 d0"]


def test_one_point_is_a_spot_and_no_point_no_chart() -> None:
    figure = ET.fromstring(line_chart("t", [Series("s", ((1.0, 2.0),))], "x", "y"))
    assert len(list(figure.iter("circle"))) == 1
    assert line_chart("t", [Series("s", ())], "x", "y") == ""
    assert interval_chart("t", [], "x", (0, 1), None) == ""


def test_dots_stand_at_their_values() -> None:
    dots = [Dot("base", 25.0, 20.0, 30.0), Dot("blind", 50.0, hollow=True)]
    figure = ET.fromstring(interval_chart("Macro", dots, "percent", (0.0, 100.0), 25.0))
    circles = list(figure.iter("circle"))
    lines = {line.attrib["class"]: line.attrib for line in figure.iter("line")}
    assert [c.attrib["class"] for c in circles] == ["model dot", "baseline dot"]
    assert [c.findtext("title") for c in circles] == ["base 25.0 [20.0, 30.0]", "blind 50.0"]
    assert [float(c.attrib["cx"]) for c in circles] == [157, 210]
    assert lines["reference"]["x1"] == "157"
    assert float(lines["model whisker"]["x1"]) < 157 < float(lines["model whisker"]["x2"])


def test_long_names_stand_above_their_rows() -> None:
    short = ET.fromstring(interval_chart("t", [Dot("a", 1.0)], "x", (0, 10), None))
    long = ET.fromstring(interval_chart("t", [Dot("a" * 30, 1.0)], "x", (0, 10), None))
    names = [t for t in long.iter("text") if t.attrib["class"] == "name"]
    assert [n.text for n in names] == ["a" * 30]
    assert float(long.find("svg").attrib["viewBox"].split()[3]) > float(
        short.find("svg").attrib["viewBox"].split()[3]
    )


def test_hostile_names_stay_text() -> None:
    series = [Series(HOSTILE, ((0.0, 0.0), (1.0, 1.0))), Series("b", ((0.0, 1.0),))]
    charts = (
        line_chart(HOSTILE, series, HOSTILE, HOSTILE),
        interval_chart(HOSTILE, [Dot(HOSTILE, 1.0)], HOSTILE, (0, 2), None),
    )
    for chart in charts:
        tags = {element.tag for element in ET.fromstring(chart).iter()}
        assert tags <= {
            "figure", "figcaption", "svg", "line", "text", "polyline", "circle", "title", "ul", "li",
        }  # fmt: skip
        assert "\x00" not in chart
        assert "\u202e" not in chart
