"""What the model will see: the frames it looks at, how much of them, and of which video."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pytest

from harness.generate import AskRules, Family, SeenRule, ask, with_drawn_frames
from harness.generate.seen import shown_frames
from harness.layout import drawn_visibility, film_all
from harness.question import Question
from harness.scene import Box, Frame, Intrinsics, Scene, SceneObject, VideoRef, Visibility
from harness.schema import LayoutVideo
from harness.video import sample_indices

POSE = (1.0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1)
CAMERA = Intrinsics(100, 50, 80, 80, 50, 25)  # 5,000 pixels, of which 5 are the default's share
WALK = LayoutVideo(seconds=2, fps=4, width=96, height=64)


def room(pixels: dict[str, list[int]] | None, **more) -> Scene:
    """A room of `chair`, `table` and `lamp`; pixels of each in each frame, or nobody knows."""
    objects = tuple(
        SceneObject(name, name, Box.upright((place, 0.3, 0.5), (0.5, 0.5, 1)))
        for place, name in enumerate(("chair", "table", "lamp"))
    )
    seen, frames = None, ()
    if pixels is not None:
        seen = Visibility(tuple(pixels), np.array(list(pixels.values()), np.int32).T.copy())
        frames = tuple(Frame(float(i), POSE, CAMERA) for i in range(len(seen.pixels)))
    return Scene(
        "hall", "test", objects, 20.0, (1, 0, 1), {o.id: 1 for o in objects},
        frames=frames, visibility=seen, **more,
    )  # fmt: skip


@dataclass(frozen=True)
class About:
    """Asks about these objects, a question each, and one about none."""

    objects: tuple[tuple[str, ...], ...] = (("chair",), ("table",), ("chair", "table"), ())
    needs_visibility: bool = False
    version: int = 1

    def questions(self, scene: Scene, style: str, _: np.random.Generator) -> Iterator[Question]:
        for one in self.objects:
            yield Question(
                "", scene.id, scene.dataset, "touch", f"Do {one} touch?", "no",
                style=style, objects=one,
            )  # fmt: skip


def asked(scene: Scene, about: About | None = None, **rules):
    block = ask(scene, [Family("about", about or About())], AskRules(**rules))
    return [q.objects for q in block.questions["about"]], (block.unseen, block.unknown)


def test_an_object_is_seen_from_its_share_on():
    scene = room({"chair": [0, 4, 0], "table": [0, 5, 0], "lamp": [0, 250, 0]})
    assert SeenRule().seen(scene) == {"table", "lamp"}
    assert SeenRule(share=0.05).seen(scene) == {"lamp"}
    assert SeenRule(share=0.0501).seen(scene) == set()
    assert SeenRule(share=1e-9).seen(scene) == {"chair", "table", "lamp"}


def test_no_pixel_is_never_enough():
    assert SeenRule(share=1e-9).seen(room({"chair": [0, 0]})) == set()


def test_it_must_be_seen_in_enough_frames():
    scene = room({"chair": [9, 9, 0], "table": [9, 0, 0]})
    assert SeenRule(min_frames=1).seen(scene) == {"chair", "table"}
    assert SeenRule(min_frames=2).seen(scene) == {"chair"}
    assert SeenRule(min_frames=3).seen(scene) == set()


@pytest.mark.parametrize("frames", [1, 2, 3, 8, 16, 99, 200])
def test_frames_are_looked_at_as_the_model_looks_at_them(frames):
    total = 100
    ids = tuple(map(str, range(total)))
    only = Visibility(ids, np.diag(np.full(total, 99, np.int32)))
    scene = replace(room({"chair": [1] * total}), visibility=only)
    found = SeenRule(frames=frames).seen(scene)
    assert found == {str(index) for index in sample_indices(total, frames)}


def test_a_frame_that_is_repeated_counts_once():
    scene = room({"chair": [9, 0], "table": [9, 9]})
    assert SeenRule(frames=8, min_frames=2).seen(scene) == {"table"}


def test_questions_about_what_is_not_seen_are_dropped_and_counted():
    scene = room({"chair": [9, 9], "table": [9, 0]})
    expected = [("chair",), ("table",), ("chair", "table"), ()]
    assert asked(scene) == (expected, (0, 0))
    assert asked(scene, seen=SeenRule(min_frames=2)) == ([("chair",), ()], (2, 0))
    measured = room({"chair": [9, 9]})  # nobody measured the table
    assert asked(measured, seen=SeenRule()) == ([("chair",), ()], (2, 0))


def test_what_nobody_knows_is_dropped_and_counted_as_unknown():
    assert asked(room(None), seen=SeenRule()) == ([], (0, 4))
    assert asked(room(None)) == ([("chair",), ("table",), ("chair", "table"), ()], (0, 0))


def test_families_that_need_it_ask_nothing_of_scenes_nobody_knows():
    about = About(needs_visibility=True)
    assert asked(room(None), about) == ([], (0, 0))
    assert len(asked(room({"chair": [9]}), about)[0]) == 4


def test_questions_are_sampled_from_what_is_seen():
    scene = room({"chair": [9], "lamp": [9]})
    about = About((("table",), ("chair",), ("lamp", "table"), ("lamp",)))
    family = Family("about", about, per_scene=2)
    block = ask(scene, [family], AskRules(seen=SeenRule()))
    assert [q.objects for q in block.questions["about"]] == [("chair",), ("lamp",)]


def test_questions_say_which_frames_show_their_objects():
    scene = room({"table": [5, 4, 0, 900], "chair": [0, 50, 0, 0]})
    about = About((("chair", "table"), ("lamp", "table"), ()))

    def frames(scene: Scene, **rules):
        block = ask(scene, [Family("about", about)], AskRules(**rules))
        return [q.frames for q in block.questions["about"]]

    assert frames(scene) == [((1,), (0, 3)), ((), (0, 3)), ()]
    assert frames(scene, seen=SeenRule(share=0.01)) == [((1,), (3,)), ()]
    assert frames(room(None)) == [(), (), ()]


@pytest.mark.parametrize("seed", [0, 7])
def test_what_is_measured_is_what_a_run_shows(tmp_path, seed):
    bare = room(None, floor=((-2.0, -2.0), (4.0, -2.0), (4.0, 3.0), (-2.0, 3.0)))
    (filmed,) = film_all([bare], tmp_path, WALK, seed=seed)
    drawn = with_drawn_frames(bare, WALK, seed)
    assert drawn.frames == filmed.frames
    assert drawn.frames != with_drawn_frames(bare, WALK, seed + 1).frames
    whole = drawn_visibility(bare, filmed.frames)
    assert drawn.visibility is not None
    assert drawn.visibility.objects == whole.objects
    assert np.array_equal(drawn.visibility.pixels, whole.pixels)  # 96 pixels are drawn whole


def test_poses_of_lost_footage_are_not_those_of_its_layout_video(tmp_path):
    """A scene with poses, but without a video, is shown as a layout video too."""
    measured = room({"chair": [9, 9], "table": [0, 0], "lamp": [0, 0]})
    (filmed,) = film_all([measured], tmp_path, WALK, seed=0)
    drawn = with_drawn_frames(measured, WALK, 0)
    assert drawn.frames == filmed.frames != measured.frames
    block = ask(measured, [Family("about", About((("table",),)))], AskRules(layout=WALK))
    (question,) = block.questions["about"]
    shown = shown_frames(drawn)
    assert shown is not None
    assert question.frames == (tuple(np.flatnonzero(shown[:, 1]).tolist()),)


def test_footage_is_left_as_it_is(tmp_path):
    scene = replace(room({"chair": [9]}), video=VideoRef(tmp_path / "hall.mp4"))
    assert with_drawn_frames(scene, WALK, 0) is scene
    unknown = replace(room(None), video=VideoRef(tmp_path / "hall.mp4"))
    assert asked(unknown, seen=SeenRule(), layout=WALK) == ([], (0, 4))
    assert asked(room(None), seen=SeenRule(frames=8), layout=WALK)[1][1] == 0
