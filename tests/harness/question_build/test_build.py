"""A set from a whole source: the same whoever asks, in whatever order, as one made in memory."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import HarnessError, SceneError, UsageError
from harness.generate import AskRules, SeenRule, build_questions
from harness.question import to_row
from harness.question_build import AskJob, FamilyJob, Limits, built_questions, find_engine
from harness.question_build.job import Asked

LOCAL = find_engine("local", 1, None)


def shuffle(seed: int) -> Callable[[list[Asked]], list[Asked]]:
    return lambda answers: random.Random(seed).sample(answers, len(answers))


class InOrder:
    """Gives the answers of this process in some order."""

    def __init__(self, order: Callable[[list[Asked]], list[Asked]]) -> None:
        self.order, self.closed = order, False

    def ask(self, job: AskJob, scenes) -> Iterator[Asked]:
        asker = job.open()
        try:
            yield from self.order([asker.ask(scene) for scene in scenes])
        finally:
            self.closed = True


@pytest.mark.parametrize("limit", [None, 40])
def test_a_set_is_that_of_the_scenes_in_memory(job, rows, limit):
    asker = job.open()
    scenes = [asker.source.load(one) for one in asker.source.scene_ids()]
    families = {family.name: family for family in asker.families}
    made = build_questions(scenes, families, job.rules, limit=limit)
    assert {q.generator for q in made} == {"counting", "room", "size", "order", "near"}
    assert [json.dumps(to_row(question)) for question in made] == rows(job, LOCAL, limit)


def test_the_order_of_the_answers_changes_nothing(job, rows):
    expected = rows(job, LOCAL, 60)
    assert len(expected) == 60
    for order in (shuffle(1), shuffle(2), lambda answers: answers[::-1]):
        assert rows(job, InOrder(order), 60) == expected


def test_processes_change_nothing(job, rows):
    expected = rows(job, LOCAL, 60)
    for workers in (2, 3):
        assert rows(job, find_engine("local", workers, None), 60) == expected


def test_other_seeds_draw_others(job, rows):
    other = replace(job, rules=replace(job.rules, seed=4))
    assert rows(job, LOCAL, 60) == rows(job, LOCAL, 60) != rows(other, LOCAL, 60)


def test_what_was_asked_is_told(job, tmp_path):
    told: list[tuple[int, int, str]] = []
    scenes = job.open().source.scene_ids()
    with built_questions(
        job, scenes, LOCAL, Limits(), folder=tmp_path, progress=lambda *step: told.append(step)
    ) as built:
        found = list(built.questions)
    assert (built.scenes, built.skipped, built.leaked) == (20, [], {})
    assert built.asked["room"] == 20
    assert built.asked["size"] <= 60
    assert Counter(q.generator for q in found) == built.asked | {"counting": 50}
    assert [(done, total) for done, total, _ in told] == [(i, 20) for i in range(1, 21)]
    assert {scene for *_, scene in told} == set(scenes)


def test_faulty_scenes_are_left_out_up_to_a_number(perilous, rows, tmp_path):
    job = perilous(scenes=6, faulty=[4, 1])
    kept = [json.loads(row)["scene_name"] for row in rows(job, LOCAL, max_faulty=2)]
    assert set(kept) == {"room000", "room002", "room003", "room005"}
    for order in (shuffle(0), shuffle(3)):
        with pytest.raises(SceneError) as caught:
            rows(job, InOrder(order), max_faulty=1)
        assert str(caught.value) == (
            "2 of 6 scenes are faulty, --max-faulty is 1: mend them, leave them out, or raise "
            "--max-faulty\n  room001: scene room001: its mesh is torn\n  room004: scene room004: "
            "its mesh is torn"
        )
    scenes = job.open().source.scene_ids()
    with built_questions(job, scenes, LOCAL, Limits(max_faulty=2), folder=tmp_path) as built:
        assert [one["scene"] for one in built.skipped] == ["room001", "room004"]
        assert built.scenes == 4


def test_a_source_without_scenes(job, tmp_path):
    with (
        pytest.raises(SceneError, match="source 'procedural' lists no scenes, so there is nothing"),
        built_questions(job, [], LOCAL, Limits(), folder=tmp_path),
    ):
        pass


def test_no_admissible_question_says_why(job, rows):
    nothing = (FamilyJob("counting", "object_counting", '{"min_count": 99}'),)
    few = replace(job, settings='{"scenes": 2}', families=nothing)
    with pytest.raises(
        HarnessError, match=r"^2 scenes gave no question: add scenes or families, or"
    ):
        rows(few, LOCAL)
    unseen = replace(
        few, families=job.families[:1], rules=replace(job.rules, seen=SeenRule(share=1))
    )
    with pytest.raises(HarnessError, match="because an object is not seen: loosen `visible`"):
        rows(unseen, LOCAL)
    unknown = replace(unseen, rules=replace(unseen.rules, layout=None))
    with pytest.raises(
        HarnessError, match="dropped because nobody knows what the videos show: imp"
    ):
        rows(unknown, LOCAL)


def test_leaks_are_refused_or_marked(rows, shared_data, tmp_path):
    root = shared_data("vsibench-meta-info")
    settings = json.dumps({"root": str(root), "limit": 3})
    family = FamilyJob("room", "room_size_estimation", "{}")
    job = AskJob("vsi_bench_meta", settings, (family,), AskRules())
    with pytest.raises(UsageError, match=r"3 of 3 scenes show spaces that .* say --allow-leak if"):
        rows(job, LOCAL)
    made = [json.loads(row) for row in rows(job, LOCAL, allow_leak=True)]
    assert [row["leak"] for row in made] == ["VSI-Bench"] * 3
    scenes = job.open().source.scene_ids()
    with built_questions(job, scenes, LOCAL, Limits(allow_leak=True), folder=tmp_path) as built:
        assert built.leaked == {(r["dataset"], r["scene_name"]): "VSI-Bench" for r in made}


def test_nothing_is_left_when_it_stops(job, tmp_path: Path):
    engine = InOrder(list)

    def stop(done: int, _total: int, _scene: str) -> None:
        assert list(tmp_path.iterdir()) == []  # the file has no name
        if done == 3:
            raise KeyboardInterrupt

    scenes = job.open().source.scene_ids()
    with (
        pytest.raises(KeyboardInterrupt),
        built_questions(job, scenes, engine, Limits(), folder=tmp_path, progress=stop),
    ):
        pass
    assert engine.closed
    assert list(tmp_path.iterdir()) == []
