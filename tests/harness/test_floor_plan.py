"""The plan of a scene: to scale, readable, and safe to open."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.floor_plan import draw_plan, drawn_frames, scene_page, scene_sheet
from harness.floor_plan.labels import Wanted, place
from harness.floor_plan.plan import footprint, unseen_objects
from harness.floor_plan.sheet import headline, legend_lines
from harness.layout.palette import colour_of
from harness.scene import Box, Frame, Intrinsics, Scene, SceneObject, Visibility

PLACES = st.tuples(st.floats(0, 400), st.floats(0, 300))
SIZES = st.lists(st.tuples(st.floats(5, 120), st.floats(5, 20)), min_size=1, max_size=2)


def pose(x: float, y: float, yaw: float) -> tuple[float, ...]:
    c, s = math.cos(yaw), math.sin(yaw)
    return (s, 0.0, c, x, -c, 0.0, s, y, 0.0, -1.0, 0.0, 1.5, 0.0, 0.0, 0.0, 1.0)


def room(**changes) -> Scene:
    camera = Intrinsics(640, 480, 500.0, 500.0, 320.0, 240.0)
    objects = (
        SceneObject("a", "sofa", Box((1.0, 1.0, 0.4), (1.0, 1.0, 0.8))),
        SceneObject("b", "table", Box((3.0, 3.0, 0.4), (1.0, 0.5, 0.8))),
        SceneObject("c", "sofa", Box((3.0, 1.0, 0.4), (1.0, 1.0, 0.8))),
    )
    frames = tuple(Frame(float(k), pose(2 + 0.2 * k, 2.0, 0.3 * k), camera) for k in range(4))
    whole = Scene(
        id="room",
        dataset="made",
        objects=objects,
        room_area=16.0,
        room_centre=(2.0, 2.0, 1.2),
        counts={"sofa": 2, "table": 3},
        frames=frames,
        visibility=Visibility(("a", "b", "c"), np.array([[9, 0, 3]] * 4, np.int32)),
        floor=((0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (0.0, 4.0)),
        height=2.5,
    )
    return replace(whole, **changes)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.lists(st.builds(Wanted, PLACES, SIZES), max_size=25))
def test_labels_never_meet_and_stay_on_the_paper(wanted: list[Wanted]) -> None:
    inside, taken = (0.0, 0.0, 400.0, 300.0), (100.0, 100.0, 160.0, 140.0)
    bounds = [one.bounds for one in place(wanted, inside, [taken]) if one is not None]
    for left, top, right, bottom in bounds:
        assert left >= 0
        assert top >= 0
        assert right <= 400
        assert bottom <= 300
    every = [taken, *bounds]
    for number, a in enumerate(every):
        for b in every[number + 1 :]:
            assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]


def test_a_label_without_neighbours_stands_on_its_object_in_full() -> None:
    (placed,) = place([Wanted((200.0, 100.0), [(80.0, 16.0), (10.0, 16.0)])], (0, 0, 400, 300), [])
    assert placed is not None
    assert (placed.wording, placed.middle, placed.away) == (0, (200.0, 100.0), False)


def test_a_label_without_any_room_is_left_out() -> None:
    assert place([Wanted((5.0, 5.0), [(80.0, 16.0)])], (0, 0, 40, 40), []) == [None]


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.floats(-7, 7), st.floats(0.1, 5), st.floats(0.1, 5))
def test_the_footprint_of_an_upright_box_is_its_rectangle(yaw: float, a: float, b: float) -> None:
    outline = footprint(Box.upright((1.0, 2.0, 0.5), (a, b, 1.0), yaw).corners)
    sides = np.linalg.norm(outline - np.roll(outline, -1, axis=0), axis=1)
    assert sorted(sides) == pytest.approx(sorted([a, a, b, b]), abs=1e-4)
    assert outline.mean(axis=0) == pytest.approx([1.0, 2.0], abs=1e-5)


def test_the_plan_is_to_scale() -> None:
    """The outlines of two objects are as far apart in pixels as in metres, both ways."""
    item = SceneObject("a", "bed", Box((2.0, 2.0, 0.4), (2.0, 1.0, 0.8)))
    bare = room(objects=(item,), frames=(), visibility=None)
    picture = np.asarray(draw_plan(bare, (800, 800))).astype(int)
    paper = np.asarray(draw_plan(replace(bare, objects=()), (800, 800))).astype(int)
    ys, xs = np.nonzero(np.abs(picture - paper).sum(axis=2) > 30)
    width, height = np.ptp(xs), np.ptp(ys)
    pixels_per_metre = (800 - 2 * 34) / 4.8  # margins; a room of 4 m, with 0.4 m around
    assert width == pytest.approx(2 * pixels_per_metre, abs=4)
    assert height == pytest.approx(1 * pixels_per_metre, abs=4)


def test_up_on_paper_is_y() -> None:
    item = SceneObject("a", "bed", Box((1.0, 3.5, 0.4), (0.5, 0.5, 0.8)))
    bare = room(objects=(item,), frames=(), visibility=None)
    picture = np.asarray(draw_plan(bare, (800, 800))).astype(int)
    paper = np.asarray(draw_plan(replace(bare, objects=()), (800, 800))).astype(int)
    ys, xs = np.nonzero(np.abs(picture - paper).sum(axis=2) > 30)
    assert ys.mean() < 300
    assert xs.mean() < 300


def test_the_camera_path_is_drawn() -> None:
    with_path = np.asarray(draw_plan(room(), (800, 800)))
    without = np.asarray(draw_plan(room(frames=(), visibility=None), (800, 800)))
    assert (with_path != without).any()


def test_objects_that_no_frame_shows() -> None:
    assert unseen_objects(room()) == {"b"}
    assert unseen_objects(room(visibility=None)) == set()
    dashed, solid = (
        np.asarray(draw_plan(one, (800, 800))) for one in (room(), room(visibility=None))
    )
    assert (dashed != solid).any()


@pytest.mark.parametrize(
    "changes",
    [
        {"objects": (), "visibility": None, "counts": {}},
        {"objects": (), "visibility": None, "floor": (), "frames": ()},
        {"floor": ()},
        {"floor": ((0.0, 0.0), (1e4, 0.0), (4.0, 1e300)), "frames": (), "visibility": None},
        {"room_area": 1e6, "frames": (), "visibility": None},
        {"height": None, "split": "train"},
        {"faults": ("x" * 5000, "y\x1b[2J") * 20},
        {"id": "x" * 500},
        {
            "objects": (SceneObject("far", "bed", Box((1e7, 0.0, 0.0), (1.0, 1.0, 1.0))),),
            "visibility": None,
        },
        {
            "objects": tuple(
                SceneObject(str(k), f"thing {k}", Box((0.1 * k, 1.0, 1.0), (0.5, 0.1, 0.1)))
                for k in range(150)
            ),
            "visibility": None,
        },
    ],
)
def test_every_scene_can_be_drawn(changes: dict) -> None:
    scene = room(**changes)
    sheet = scene_sheet(scene, drawn_frames(scene))
    assert sheet.width == 1400
    assert 400 < sheet.height < 3000
    assert scene_page(scene, []).endswith("</html>")


def test_the_legend_counts_as_the_annotation_and_numbers_as_the_plan() -> None:
    assert legend_lines(room()) == [("sofa", "1, 3"), ("table", "2 (3 counted)")]
    assert legend_lines(room(objects=room().objects * 2, counts={"bed": 1}, visibility=None)) == [
        ("bed", "no box (1 counted)"),
        ("sofa", "1, 3-4, 6 (0 counted)"),
        ("table", "2, 5 (0 counted)"),
    ]


def test_the_headline() -> None:
    assert headline(room()).split("  ·  ") == [
        *("made", "floor 16.0 m2", "height 2.50 m", "3 objects in 2 categories"),
        *("4 posed frames", "1 in no frame (dashed)"),
    ]


def test_drawn_frames_look_through_the_scenes_own_camera() -> None:
    frames = drawn_frames(room())
    assert [one.frame for one in frames] == list(room().frames)
    assert {one.picture.size for one in frames} == {(480, 360)}
    assert len(drawn_frames(room(frames=(), visibility=None))) == 8


class Found(HTMLParser):
    """The tags of a page, its cells, and every address in it."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.cells: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append(tag)
        self.addresses += [value for name, value in attrs if name in ("src", "href") and value]
        if tag == "td":
            self.cells.append("")

    def handle_data(self, data) -> None:
        if self.cells:
            self.cells[-1] += data.strip()


def test_the_page_has_a_row_for_each_object() -> None:
    page = Found()
    page.feed(scene_page(room(), drawn_frames(room())))
    assert page.cells[:7] == ["1", "a", "sofa", "1.00 x 1.00 x 0.80", "1.00, 1.00, 0.40", "4", "9"]
    assert page.cells[7:14][-2:] == ["0", "0"]
    assert page.tags.count("img") == 1 + 4
    assert all(address.startswith("data:image/") for address in page.addresses)


def test_nothing_in_a_scene_becomes_part_of_the_page() -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)>\x1b[2J"
    items = (SceneObject(evil, evil, room().objects[0].box),)
    hostile = room(objects=items, counts={evil: 1}, faults=(evil,), visibility=None, split=evil)
    text = scene_page(replace(hostile, id=evil, dataset=evil), [])
    page = Found()
    page.feed(text)
    assert "script" not in page.tags
    assert page.tags.count("img") == 1
    assert "\x1b" not in text
    assert re.search(r"default-src &#39;none&#39;", text)


def test_a_category_has_one_colour_in_plan_and_page() -> None:
    red, green, blue = colour_of("sofa")
    assert f'fill="#{red:02x}{green:02x}{blue:02x}"' in scene_page(room(), [])
