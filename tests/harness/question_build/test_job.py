"""What travels to a worker and back: plain values that give the same questions anywhere."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace

import pytest

from harness.errors import PluginError
from harness.generate import AskRules, Categories, SeenRule
from harness.question import from_row
from harness.question_build import AskJob, FamilyJob
from harness.question_build import job as module
from harness.question_build.job import ask_scenes


def test_a_job_is_the_same_after_it_travelled(job):
    rules = replace(
        job.rules, seen=SeenRule(), categories=Categories(frozenset({"wall"}), {"desk": "table"})
    )
    sent = replace(job, rules=rules)
    come = pickle.loads(pickle.dumps(sent))
    assert come == sent
    scene = "procedural_000003_s5"
    assert come.open().ask(scene) == sent.open().ask(scene)


def test_a_familys_rules_are_built_and_recorded(job):
    families = {family.name: family for family in job.open().families}
    assert [(f.limit, f.per_scene, f.weight) for f in families.values()] == [
        (50, None, 1.0),
        (None, None, 0.5),
        (None, 3, 1.0),
        (None, None, 1.0),
        (None, None, 2.0),
    ]
    assert dict(families["counting"].settings) == {"min_count": 1}
    assert families["order"].needs_visibility
    assert not families["room"].needs_visibility


def test_a_scenes_rows_come_family_after_family(job):
    asked = job.open().ask("procedural_000000_s5")
    questions = [from_row(json.loads(line)) for line in asked.rows.splitlines()]
    names = [question.generator for question in questions]
    assert (asked.scene, asked.dataset, asked.fault) == ("procedural_000000_s5", "procedural", "")
    assert names == sorted(names)
    assert {name: names.count(name) for name in asked.counts} == asked.counts
    assert asked.counts.keys() == {"counting", "near", "order", "room", "size"}
    assert {(q.seed, q.scene, q.leak) for q in questions} == {(3, asked.scene, "")}


def test_odd_text_stays_on_its_line(perilous):
    """Rows are found again by their lines: `<b>table</b>` and worse must not end one."""
    family = FamilyJob("size", "object_size_estimation", "{}")
    job = replace(perilous(scenes=1), families=(family,), rules=AskRules(style="vsi_bench"))
    asker = job.open()
    asked = asker.ask("room000")
    assert asked.rows.count(b"\n") == asked.counts["size"] == len(asked.rows.splitlines())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"margin": float("nan")}, "Out of range float values are not JSON compliant"),
        ({"settings": {"rules": {1}}}, "Object of type set is not JSON serializable"),
    ],
)
def test_what_no_file_can_hold_is_the_familys_mistake(job, monkeypatch, change, message):
    whole = module.ask

    def odd(*given):
        block = whole(*given)
        rooms = [replace(question, **change) for question in block.questions["room"]]
        return replace(block, questions={**block.questions, "room": rooms})

    monkeypatch.setattr(module, "ask", odd)
    with pytest.raises(PluginError) as caught:
        job.open().ask("procedural_000000_s5")
    assert str(caught.value).startswith(
        "question generator 'room' asked about scene procedural_000000_s5 what cannot be written "
        f"({message}"
    )


def test_a_faulty_scene_is_told_not_raised(perilous):
    asked = perilous(faulty=[1]).open().ask("room001")
    assert asked == module.Asked("room001", fault="scene room001: its mesh is torn")


def test_a_worker_keeps_its_job_open(job, perilous, monkeypatch):
    opened: list[str] = []
    whole = AskJob.open

    def counted(self: AskJob):
        opened.append(self.source)
        return whole(self)

    monkeypatch.setattr(AskJob, "open", counted)
    monkeypatch.setattr(module, "_OPEN", {})
    first = ask_scenes(job, ["procedural_000000_s5"])
    second = ask_scenes(pickle.loads(pickle.dumps(job)), ["procedural_000000_s5"])
    assert first == second
    assert opened == ["procedural"]
    ask_scenes(replace(job, rules=replace(job.rules, seed=9)), ["procedural_000000_s5"])
    ask_scenes(perilous(), ["room000"])
    assert opened == ["procedural", "procedural", "perilous"]
    assert len(module._OPEN) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"seen": SeenRule(frames=8)},
        {"categories": Categories(merge_plurals=True)},
        {"style": "vsi_100k"},
        {"layout": None},
    ],
)
def test_other_rules_are_another_job(job, monkeypatch, change):
    monkeypatch.setattr(module, "_OPEN", {})
    other = replace(job, rules=replace(job.rules, **change))
    ask_scenes(job, [])
    (before,) = module._OPEN
    ask_scenes(other, [])
    assert before not in module._OPEN
