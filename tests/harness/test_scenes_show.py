"""`harness scenes list` and `harness scenes show`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

PERILOUS = ("--set", "scenes=3", "--set", "faulty=[1]")


@pytest.fixture(autouse=True)
def perilous(install) -> None:
    install("perilous")


def test_list(harness_main) -> None:
    ended = harness_main("scenes", "list", "perilous", *PERILOUS)
    assert ended.code == 0
    assert [" ".join(line.split()) for line in ended.out.splitlines()] == [
        "scene data set split objects floor m2 frames seen video faults",
        "room000 perilous val 2 20.0 3 yes - <script>alert(1)</script> two tables counted",
        "room001 cannot be used: scene room001: its mesh is torn",
        "room002 perilous val 2 22.0 3 yes - <script>alert(1)</script> two tables counted",
    ]
    assert "1 of 3 scenes cannot be used" in ended.err


def test_list_as_json(harness_main) -> None:
    ended = harness_main("scenes", "list", "perilous", "--json", *PERILOUS)
    first, second, _ = json.loads(ended.out)
    assert first == {
        "scene": "room000",
        "dataset": "perilous",
        "split": "val",
        "objects": 2,
        "categories": 2,
        "room_area": 20.0,
        "frames": 3,
        "visibility": True,
        "video": None,
        "faults": ["<script>alert(1)</script> two tables counted"],
    }
    assert second == {"scene": "room001", "error": "scene room001: its mesh is torn"}


def test_a_scene_that_raises_is_listed_too(harness_main) -> None:
    ended = harness_main("scenes", "list", "perilous", "--set", "scenes=2", "--set", "raising=[0]")
    assert ended.code == 0
    assert "while loading scene room000: ZeroDivisionError: no room" in ended.out


def test_show_writes_a_picture(harness_main) -> None:
    ended = harness_main("scenes", "show", "room000", "--source", "perilous")
    assert (ended.code, ended.out) == (0, "room000.png\n")
    with Image.open("room000.png") as picture:
        assert (picture.format, picture.width) == ("PNG", 1400)


def test_show_writes_the_same_bytes_again(harness_main) -> None:
    for name in ("a.png", "b.png", "a.html", "b.html"):
        harness_main("scenes", "show", "room000", "--source", "perilous", "--out", name)
    assert Path("a.png").read_bytes() == Path("b.png").read_bytes()
    assert Path("a.html").read_bytes() == Path("b.html").read_bytes()


def test_show_takes_key_frames_from_the_footage(harness_main) -> None:
    ended = harness_main(
        *("scenes", "show", "room000", "--source", "perilous", "--out", "deep/page.html"),
        *("--set", "footage=true"),
    )
    page = Path("deep/page.html").read_text()
    assert ended.err == ""
    assert page.count("s, footage</figcaption>") == 3
    assert page.count("s, footage, pose unknown</figcaption>") == 1


def test_show_draws_where_the_footage_cannot_be_read(harness_main) -> None:
    ended = harness_main(
        *("scenes", "show", "room002", "--source", "perilous", "--out", "page.html"),
        *("--set", "footage=true"),
    )
    assert ended.code == 0
    assert ended.err == (
        "warning: key frames are drawn from the boxes: scene room002: no footage\n"
    )
    assert Path("page.html").read_text().count("s, drawn from the boxes") == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("room000", "--source", "perilous", "--out", "x.jpg"),
            "--out x.jpg: expected a .png or .html file",
        ),
        (
            ("../room", "--source", "perilous"),
            "source perilous has no scene '../room'; see `harness scenes list perilous`",
        ),
        (("room000", "--source", "perlous"), "did you mean 'perilous'?"),
    ],
)
def test_show_refuses_what_it_cannot_do(harness_main, arguments, said: str) -> None:
    ended = harness_main("scenes", "show", *arguments)
    assert ended.code == 2
    assert said in ended.err
    assert list(Path().iterdir()) == []


def test_show_tells_what_is_wrong_with_a_faulty_scene(harness_main) -> None:
    ended = harness_main("scenes", "show", "room001", "--source", "perilous", *PERILOUS)
    assert (ended.code, ended.err) == (1, "error: scene room001: its mesh is torn\n")


def test_every_tenth_real_scene_can_be_drawn(harness_main, shared_data) -> None:
    root = f"root={shared_data('vsibench-meta-info')}"
    listed = harness_main("scenes", "list", "vsi_bench_meta", "--set", root, "--json")
    for entry in json.loads(listed.out)[::40]:
        ended = harness_main(
            *("scenes", "show", entry["scene"], "--source", "vsi_bench_meta", "--set", root)
        )
        assert ended.code == 0
