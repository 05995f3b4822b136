"""Audits: a verdict on every row, whatever its scene or type, and the command that prints them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from harness import audit as module
from harness.audit import Audited, Tally, audit
from harness.catalogue import Registered, Source
from harness.component import Component, Recomputed, Settings
from harness.errors import PluginError, SceneError
from harness.guarded import GuardedQuestions
from harness.question import Question, to_row
from harness.scene import Scene

RIGHT = Recomputed("4", True, 0.25)
WRONG = Recomputed("3", False, None, ("a reason",))


@dataclass
class Family:
    """Says 4 of every room."""

    asked: list[tuple[str, str]] = field(default_factory=list)
    version: int = 1

    def recompute(self, scene: Scene, question: Question) -> Recomputed:
        self.asked.append((scene.id, question.id))
        return RIGHT if question.answer == "4" else replace(WRONG, answer="4")


@dataclass
class Rooms:
    """Counts how often each room is loaded; `attic` is faulty, `cellar` is not there."""

    loaded: Counter[str] = field(default_factory=Counter)

    def __call__(self, scene_id: str) -> Scene | None:
        self.loaded[scene_id] += 1
        if scene_id == "cellar":
            return None
        if scene_id == "attic":
            raise SceneError("attic.json: no walls")
        return Scene(scene_id, "test", (), 9.0, (0.0, 0.0, 0.0), {})


def asked(place: int, scene: str, kind: str = "object_counting", answer: str = "4") -> Question:
    return Question(str(place), scene, "test", kind, f"question {place}?", answer)


def test_verdicts_come_in_the_order_of_the_rows():
    rooms, family = Rooms(), Family()
    scenes = ["b", "a", "b", "c", "a"]
    questions = [asked(place, scene) for place, scene in enumerate(scenes)]
    found = list(audit(questions, rooms, {"object_counting": family}))
    assert [one.question for one in found] == questions
    assert [one.row for one in found] == [1, 2, 3, 4, 5]
    assert [one.found for one in found] == [RIGHT] * 5
    assert rooms.loaded == {"a": 1, "b": 1, "c": 1}
    assert Counter(family.asked) == {(scene, str(i)): 1 for i, scene in enumerate(scenes)}


def test_what_cannot_be_told_says_why():
    rooms, families = Rooms(), {"object_counting": Family()}
    questions = [
        asked(1, "cellar"),
        asked(2, "attic"),
        asked(3, "hall", "colour"),
        asked(4, "porch", "colour"),
        asked(5, "hall"),
        replace(asked(6, "hall"), dataset="other"),
        replace(asked(7, "hall"), dataset="TEST"),
    ]
    found = [one.found for one in audit(questions, rooms, families)]
    assert [(one.agrees, one.reasons) for one in found] == [
        (None, ("the source has no scene 'cellar'",)),
        (None, ("the scene cannot be read: attic.json: no walls",)),
        (None, ("no question family recomputes the type 'colour'",)),
        (None, ("no question family recomputes the type 'colour'",)),
        (True, ()),
        (True, ("the row says 'other', the scene is of 'test'",)),
        (True, ()),
    ]
    assert rooms.loaded["porch"] == 0, "nothing is asked about it that could be told"


@dataclass
class Raising(Family):
    error: Exception = field(default_factory=KeyError)

    def recompute(self, scene: Scene, question: Question) -> Recomputed:
        raise self.error


def test_a_scene_that_a_family_cannot_use_is_told():
    families = {"object_counting": Raising(error=SceneError("a box of 90 m"))}
    (found,) = audit([asked(1, "hall")], Rooms(), families)
    assert found.found == Recomputed(None, None, None, ("the scene cannot be used: a box of 90 m",))


def test_a_familys_mistake_is_reported_with_its_name():
    component = Component("rooms", Settings, lambda _: None, "about rooms")
    registered = Registered("questions", component, Source("acme", "acme-rooms", "2.1"))
    family = GuardedQuestions(Raising(error=KeyError("walls")), registered)
    with pytest.raises(
        PluginError, match=r"'rooms' .* of plugin 'acme' .*recomputing question '1' "
    ):
        list(audit([asked(1, "hall")], Rooms(), {"object_counting": family}))


def test_rows_are_read_block_by_block(monkeypatch):
    monkeypatch.setattr(module, "BLOCK", 10)
    read = []

    def rows() -> Iterator[Question]:
        for place in range(25):
            read.append(place)
            yield asked(place, f"room {place % 2}")

    rooms = Rooms()
    found = audit(rows(), rooms, {"object_counting": Family()})
    assert next(found).row == 1
    assert len(read) == 10
    assert [one.row for one in found] == list(range(2, 26))
    assert rooms.loaded == {"room 0": 3, "room 1": 3}
    assert list(audit([], rooms, {})) == []


def test_a_row_of_the_report_is_the_questions_with_the_verdict():
    question = replace(asked(1, "hall", answer="3"), margin=9.0)
    assert Audited(1, question, WRONG).as_row() == {
        **to_row(question),
        "recomputed": "3",
        "agrees": False,
        "margin": None,
        "reasons": ["a reason"],
    }


def test_the_summary_counts_by_type():
    tally = Tally()
    kinds = ["room_size_estimation", "colour", "object_counting", "object_counting"]
    verdicts = [RIGHT, Recomputed(None, None), WRONG, RIGHT]
    for place, (kind, found) in enumerate(zip(kinds, verdicts, strict=True), 1):
        tally.add(Audited(place, asked(place, "hall", kind), found))
    assert tally.as_json() == {
        "rows": 4,
        "recomputed": 3,
        "agree": 2,
        "by_type": {
            "object_counting": {"rows": 2, "recomputed": 2, "agree": 1},
            "room_size_estimation": {"rows": 1, "recomputed": 1, "agree": 1},
            "colour": {"rows": 1, "recomputed": 0, "agree": 0},
        },
    }
    assert list(tally.as_json()["by_type"]) == ["object_counting", "room_size_estimation", "colour"]


SOURCE = ("--source", "procedural", "--set", "scenes=3", "--set", "seed=7")


@pytest.fixture
def rows(write) -> list[dict]:  # noqa: ARG001
    """Rows about three rooms, two of each question type, in the working folder's `rows.jsonl`."""
    from harness.generate import AskRules, build_questions
    from harness.generate import Family as Asked
    from harness_plugins.questions import object_counting, object_size_estimation
    from harness_plugins.questions.settings import (
        ObjectCountingSettings,
        ObjectSizeEstimationSettings,
    )
    from harness_plugins.scenes.procedural import build
    from harness_plugins.scenes.settings import ProceduralSettings

    source = build(ProceduralSettings(scenes=3, seed=7))
    families = {
        "count": Asked("count", object_counting.build(ObjectCountingSettings()), limit=2),
        "size": Asked(
            "size", object_size_estimation.build(ObjectSizeEstimationSettings()), limit=2
        ),
    }
    scenes = [source.load(scene_id) for scene_id in source.scene_ids()]
    made = [to_row(q) for q in build_questions(scenes, families, AskRules(seed=0))]
    put(made)
    return made


def put(rows: list[dict]) -> None:
    Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_the_command_confirms_what_the_harness_made(harness_main, rows):
    ended = harness_main("questions", "audit", "rows.jsonl", *SOURCE, "--json")
    assert ended.code == 0, ended.err
    assert json.loads(ended.out) == {
        "rows": len(rows),
        "recomputed": len(rows),
        "agree": len(rows),
        "by_type": {
            kind: {"rows": 2, "recomputed": 2, "agree": 2}
            for kind in ("object_counting", "object_size_estimation")
        },
    }


def test_the_command_finds_wrong_rows(harness_main, rows):
    rows[1]["ground_truth"] = rows[1]["answer"] = "777"
    rows[2]["scene_name"] = "elsewhere"
    put(rows)
    ended = harness_main("questions", "audit", "rows.jsonl", *SOURCE, "--out", "report.jsonl")
    assert ended.code == 0, ended.err
    written = [json.loads(line) for line in Path("report.jsonl").read_text().splitlines()]
    assert [row["agrees"] for row in written] == [True, False, None, True]
    assert [row["id"] for row in written] == [row["id"] for row in rows]
    wrong = written[1]
    assert "1 row disagrees with its scene:" in ended.out
    assert (
        f"row 2 ({wrong['id']}, {wrong['scene_name']}, {wrong['question_type']}): stated 777, "
        f"recomputed {wrong['recomputed']}"
    ) in ended.out
    assert f"\n    {wrong['question'].split()[0]}" in ended.out
    assert "1 row cannot be told" in ended.out
    assert "1 x the source has no scene 'elsewhere'" in ended.out
    # rows / recomputed / agree / %
    assert ["all", "4", "3", "2", "66.7"] in [
        [cell.strip() for cell in line.strip("│\n ").split("│")] for line in ended.out.splitlines()
    ]


def test_hostile_text_does_not_reach_the_terminal(harness_main, rows):
    rows[0] |= {"question": "\x1b[2J[bold]How many\u202e?", "question_type": "x\x1b[31m[red]"}
    rows[1]["ground_truth"] = "777"
    rows[1]["id"] = "\x1b]0;title\x07"
    put(rows)
    ended = harness_main("questions", "audit", "rows.jsonl", *SOURCE)
    assert ended.code == 0, ended.err
    assert not set(ended.out) & {"\x1b", "\u202e", "\x07"}
    assert "x\\x1b[31m[red]" in ended.out


@pytest.mark.parametrize("seed", [-5, 2**63 - 1, None])
def test_any_seed_of_a_row_will_do(harness_main, rows, seed):
    put([row | {"seed": seed} for row in rows])
    ended = harness_main("questions", "audit", "rows.jsonl", *SOURCE, "--json")
    assert json.loads(ended.out)["agree"] == len(rows)


def test_rows_that_cannot_be_read_are_named(harness_main, rows):
    del rows[1]["question"]
    put(rows)
    ended = harness_main("questions", "audit", "rows.jsonl", *SOURCE, "--out", "report.jsonl")
    assert ended.code == 1
    assert "rows.jsonl:2" in ended.err
    assert "question" in ended.err
    assert not Path("report.jsonl").exists(), "no half of a report"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["rows.jsonl", *SOURCE, "--out", "rows.jsonl"],
            "--out rows.jsonl: expected a .jsonl file",
        ),
        (
            ["rows.jsonl", *SOURCE, "--out", "report.csv"],
            "--out report.csv: expected a .jsonl file",
        ),
        (["gone.jsonl", *SOURCE], "gone.jsonl"),
        (["rows.jsonl", "--source", "procedurel"], "procedural"),
        (["rows.jsonl", *SOURCE, "--preset", "nobody's"], "nobody's"),
    ],
)
def test_wrong_arguments_are_2(harness_main, rows, arguments, message):  # noqa: ARG001
    ended = harness_main("questions", "audit", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert message in ended.err


def test_the_released_rows_are_confirmed(harness_main, shared_data):
    rows = shared_data("vsibench-questions-subset") / "vsibench_subset.jsonl"
    root = shared_data("vsibench-meta-info")
    source = ("--source", "vsi_bench_meta", "--set", f"root={root}")
    ended = harness_main("questions", "audit", rows, *source, "--json")
    assert ended.code == 0, ended.err
    found = json.loads(ended.out)["by_type"]
    from_boxes = {
        "object_counting": 5,
        "object_abs_distance": 7,
        "object_size_estimation": 9,
        "room_size_estimation": 1,
        "object_rel_distance": 6,
        "object_rel_direction_hard": 6,
    }
    assert {kind: found[kind] for kind in from_boxes} == {
        kind: {"rows": rows, "recomputed": rows, "agree": rows} for kind, rows in from_boxes.items()
    }
    assert found["obj_appearance_order"]["recomputed"] == 0, "these scenes have no frames"
