"""The page of a question set."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from harness.question import Question
from harness.question_stats import describe
from harness.question_stats.page import title_of, write_page
from harness.report.charts import histogram

HOSTILE = '<script>alert("x")</script>&\u202e\x1b[2J'
QUESTION = Question(
    id="1",
    scene="room-1",
    dataset="procedural",
    question_type="object_counting",
    text="How many chair(s) are in this room?",
    answer="2",
)


class Outline(HTMLParser):
    """Tags, attributes that load something, and whether every tag is closed."""

    VOID = frozenset({"meta", "link", "img", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [value or "" for name, value in attrs if name in {"src", "href", "srcset"}]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def outline(text: str) -> Outline:
    found = Outline()
    found.feed(text)
    assert found.open == []
    return found


def questions() -> list[Question]:
    rng = random.Random(0)
    made = []
    for n in range(60):
        scene = f"room-{n}"
        made += [
            replace(QUESTION, id=f"n{n}", scene=scene, answer=str(rng.randint(2, 6))),
            replace(QUESTION, id=f"s{n}", scene=scene, question_type="room_size_estimation",
                    text="How large?", answer=f"{rng.uniform(5, 60):.1f}"),
            replace(QUESTION, id=f"c{n}", scene=scene, question_type="object_rel_direction_easy",
                    text="Where?", answer=rng.choice(["left", "right"]), options=("left", "right")),
            replace(QUESTION, id=f"w{n}", scene=scene, question_type="object_rel_direction_easy",
                    text="Where?", answer=rng.choice(["left", "right"]), style="vsi_100k"),
        ]  # fmt: skip
    return made


def test_the_page_is_whole_and_loads_nothing(tmp_path: Path) -> None:
    stats = describe(enumerate(questions(), 1))
    write_page(tmp_path / "stats.html", "my set", stats)
    text = (tmp_path / "stats.html").read_text()
    found = outline(text)
    assert found.tags.count("figure") == 2 + 2 + 2 + 1, "blind, numbers, letters and texts, words"
    assert all(link.startswith("#") for link in found.loads)
    for anchor in found.loads:
        assert f'id="{anchor[1:]}"' in text
    assert "240 questions about 60 scenes" in text
    assert "Rel dir easy (letter)" in text
    assert f"{100 * stats.macro_frequency:.1f}" in text
    assert f"{100 * (stats.macro_text or 0):.1f}" in text


def test_nothing_in_a_set_reaches_the_page_as_markup(tmp_path: Path) -> None:
    hostile = [
        replace(q, scene=HOSTILE + q.scene, dataset=HOSTILE, question_type=HOSTILE,
                text=HOSTILE + q.text, answer=HOSTILE + q.answer, options=None, leak=HOSTILE)
        for q in questions()
    ]  # fmt: skip
    hostile += [replace(q, answer="other " + HOSTILE) for q in hostile[:30]]
    stats = describe(enumerate(hostile, 1))
    assert stats.contradictions
    write_page(tmp_path / "stats.html", HOSTILE, stats)
    text = (tmp_path / "stats.html").read_text()
    assert outline(text).tags.count("script") == 1
    assert "alert(" in text
    assert not re.search("[\u202e\x1b]", text)


def test_the_same_set_gives_the_same_page(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_page(tmp_path / name, "set", describe(enumerate(questions(), 1)))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.parametrize("answers", [["7"], ["1e308", "-1e308"], ["0", "0"], ["1e-9", "1"]])
def test_odd_numbers_make_a_page(tmp_path: Path, answers: list[str]) -> None:
    odd = [replace(QUESTION, id=a, scene=f"room-{n}", answer=a) for n, a in enumerate(answers)]
    write_page(tmp_path / "stats.html", "odd", describe(enumerate(odd, 1)))
    outline((tmp_path / "stats.html").read_text())


def test_types_in_two_styles_are_told_apart() -> None:
    types = describe(enumerate(questions(), 1)).types
    assert [title_of(one, types) for one in types] == [
        "Count",
        "Room size",
        "Rel dir easy (letter)",
        "Rel dir easy (word)",
    ]


def test_a_histogram_has_a_bar_for_each_count() -> None:
    drawn = histogram("Sizes", (0.0, 1.0, 2.0, 3.0), (2, 0, 4), "metres", "questions")
    bars = re.findall(
        r'<rect class="bar" x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"', drawn
    )
    assert len(bars) == 2
    (left, top, width, height), (right, other_top, other_width, other_height) = (
        [float(number) for number in bar] for bar in bars
    )
    assert other_height == pytest.approx(2 * height)
    assert top + height == pytest.approx(other_top + other_height)
    assert width == other_width
    assert right - left == pytest.approx(2 * (width + 1), abs=0.2)
    assert "<title>2 to 3: 4</title>" in drawn


def test_a_histogram_without_counts_is_nothing() -> None:
    assert histogram("Sizes", (0.0, 1.0), (0,), "metres", "questions") == ""
