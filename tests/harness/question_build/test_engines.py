"""Who asks the scenes: processes of this machine, and how they end."""

from __future__ import annotations

import time
from multiprocessing import active_children
from pathlib import Path

import pytest

from harness.errors import HarnessError, PluginError, SceneError, UsageError
from harness.question_build import ENGINES, find_engine
from harness.question_build.job import CHUNK, chunked
from harness.question_build.local import Local


def test_scenes_are_cut_into_chunks_in_their_order():
    scenes = [f"s{i}" for i in range(2 * CHUNK + 3)]
    chunks = list(chunked(scenes))
    assert [len(chunk) for chunk in chunks] == [CHUNK, CHUNK, 3]
    assert [scene for chunk in chunks for scene in chunk] == scenes
    assert list(chunked([])) == []


def test_engines_by_name():
    assert set(ENGINES) == {"local", "ray"}
    engine = find_engine("local", 3, None)
    assert isinstance(engine, Local)
    assert engine.workers == 3
    with pytest.raises(UsageError, match="no engine 'lokal'; did you mean 'local'"):
        find_engine("lokal", None, None)
    with pytest.raises(
        UsageError, match=r"--address 10\.0\.0\.1:6379 is a Ray cluster's: add --en"
    ):
        find_engine("local", None, "10.0.0.1:6379")


def test_few_scenes_are_asked_in_this_process(perilous):
    for _ in Local().ask(perilous(scenes=9), [f"room{i:03d}" for i in range(9)]):
        assert active_children() == []


@pytest.mark.parametrize("workers", [1, 2])
def test_every_scene_is_asked_once(perilous, workers):
    job = perilous(scenes=20, faulty=[7])
    scenes = job.open().source.scene_ids()
    answers = list(Local(workers).ask(job, scenes))
    assert sorted(one.scene for one in answers) == scenes
    assert {one.scene: one.fault for one in answers if one.fault} == {
        "room007": "scene room007: its mesh is torn"
    }
    assert {one.dataset for one in answers} == {"", "perilous"}
    assert active_children() == []


@pytest.mark.parametrize("workers", [1, 2])
def test_a_plugins_mistake_ends_the_build_with_its_name(perilous, rows, workers, tmp_path: Path):
    job = perilous(scenes=20, raising=[11])
    with pytest.raises(
        PluginError, match=r"'perilous' .* loading scene room011: ZeroDivisionError"
    ):
        rows(job, find_engine("local", workers, None))
    assert active_children() == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("way", ["killed", "leaving"])
def test_a_process_that_ends_abruptly_is_told(perilous, rows, way, tmp_path: Path):
    job = perilous(scenes=20, **{way: [3]})
    with pytest.raises(HarnessError) as caught:
        rows(job, find_engine("local", 2, None))
    assert str(caught.value) == (
        "a process that asks scenes ended abruptly (most often: out of memory): try fewer "
        "processes, --workers 1"
    )
    assert active_children() == []
    assert list(tmp_path.iterdir()) == []


def test_nobody_waits_for_scenes_that_are_being_asked(perilous):
    """Ctrl-C, or an error here, ends the processes; their chunks would take 3 seconds each."""
    answers = Local(2).ask(perilous(scenes=40, seconds=0.4), [f"room{i:03d}" for i in range(40)])
    next(answers)
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        answers.throw(KeyboardInterrupt)
    assert time.monotonic() - begun < 2
    assert active_children() == []


def test_a_scene_that_a_family_cannot_use_is_faulty(perilous, rows):
    """As is one that cannot be read: neither ends the build."""
    job = perilous(scenes=4)
    from harness_plugins.questions.object_counting import ObjectCounting

    whole = ObjectCounting.questions

    def torn(self, scene, style, rng):
        if scene.id == "room002":
            raise SceneError("scene room002: no chair can be told from another")
        return whole(self, scene, style, rng)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ObjectCounting, "questions", torn)
        local = find_engine("local", 1, None)
        with pytest.raises(SceneError, match="room002: scene room002: no chair can be told from"):
            rows(job, local)
        assert len(rows(job, local, max_faulty=1)) == 6
