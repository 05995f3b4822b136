"""`harness questions build`: from a source to a file, what it says, and what it leaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

from harness.question_files import read_questions

ROOMS = ("--source", "procedural", "--set", "scenes=6", "--set", "seed=3")


def without(*names: str) -> tuple[str, ...]:
    return tuple(word for name in names for word in ("--with", f"families.{name}=null"))


QUICK = without("obj_appearance_order", "route_planning", "object_rel_direction")
THREE = (*QUICK, *without("object_abs_distance", "object_rel_distance"))


@pytest.fixture
def build(harness_main):
    """Runs the command."""
    return lambda *arguments: harness_main("questions", "build", *arguments)


def rows(path: str) -> list[dict]:
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def left() -> list[str]:
    """What is in the working folder."""
    return sorted(path.name for path in Path.cwd().iterdir())


def test_a_set_and_what_is_said_of_it(build):
    ended = build(*ROOMS, "--out", "set.jsonl", "--seed", "4")
    assert ended.code == 0, ended.err
    made = rows("set.jsonl")
    first, *lines = ended.out.splitlines()
    assert first == f"set.jsonl: {len(made)} questions about 6 of 6 scenes"
    told = {line.split()[0]: (int(line.split()[1]), line.split()[3]) for line in lines}
    kinds = Counter(row["question_type"] for row in made)
    scenes = {k: len({r["scene_name"] for r in made if r["question_type"] == k}) for k in kinds}
    assert told == {kind: (count, str(scenes[kind])) for kind, count in kinds.items()}
    assert {row["seed"] for row in made} == {4}
    assert [row["scene_name"] for row in made] == sorted(row["scene_name"] for row in made)
    assert left() == ["set.jsonl"]


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(build):
    for name, seed in (("a", "4"), ("b", "4"), ("c", "5")):
        assert build(*ROOMS, *QUICK, "--out", f"{name}.jsonl", "--seed", seed).code == 0
    whole = [Path(f"{name}.jsonl").read_bytes() for name in "abc"]
    assert whole[0] == whole[1] != whole[2]


def test_other_processes_give_the_same_bytes(build, harness_process):
    """All families, with the sets and dictionaries of other processes in other orders."""
    words = ("--preset", "strict", "--with", "rename={chair: seat, stool: seat}", "--limit", "150")
    assert build(*ROOMS, *words, "--out", "here.jsonl").code == 0
    for hashes in ("1", "2"):
        arguments = (*ROOMS, *words, "--workers", hashes, "--out", "there.jsonl")
        command = harness_process("questions", "build", *arguments, PYTHONHASHSEED=hashes)
        _, err = command.communicate(timeout=60)
        assert command.returncode == 0, err
        assert Path("there.jsonl").read_bytes() == Path("here.jsonl").read_bytes()


def test_a_drawn_sets_answers_are_all_confirmed(build, harness_main):
    """All ten types, with the walk that shows in which order things appear."""
    source = ("--source", "procedural", "--set", "scenes=16", "--set", "seed=3")
    assert build(*source, "--out", "set.jsonl", "--seed", "5", "--limit", "300").code == 0
    ended = harness_main("questions", "audit", "set.jsonl", *source, "--json")
    assert ended.code == 0, ended.err
    found = json.loads(ended.out)
    assert len(found["by_type"]) == 10
    assert (found["rows"], found["recomputed"], found["agree"]) == (300, 300, 300)


def test_a_set_with_merged_names_is_confirmed_by_its_preset(build, harness_main):
    changes = (*QUICK, "--with", "rename={chair: seat, stool: seat}")
    assert build(*ROOMS, *changes, "--out", "set.jsonl").code == 0
    assert any("seat" in row["question"] for row in rows("set.jsonl"))
    ended = harness_main("questions", "audit", "set.jsonl", *ROOMS, *changes, "--json")
    found = json.loads(ended.out)
    assert found["rows"] == found["recomputed"] == found["agree"]


@pytest.mark.parametrize("name", ["set.jsonl", "set.parquet", "folder"])
def test_the_suffix_says_the_form(build, name):
    assert build(*ROOMS, *THREE, "--out", name).code == 0
    expected = build(*ROOMS, *THREE, "--out", "again.jsonl")
    assert expected.code == 0
    assert list(read_questions(Path(name))) == list(read_questions(Path("again.jsonl")))
    if name == "folder":
        assert "- preset: vsi\\_bench, families" in Path("folder/README.md").read_text()


def test_the_form_can_be_named(build):
    assert build(*ROOMS, *THREE, "--out", "set.jsonl", "--format", "vsi_bench").code == 0
    assert [row["id"] for row in rows("set.jsonl")] == list(range(len(rows("set.jsonl"))))
    assert "margin" not in rows("set.jsonl")[0]


def test_a_limit_is_of_the_whole_set(build):
    weights = ("--with", "families.room_size_estimation.weight=3")
    ended = build(*ROOMS, *THREE, *weights, "--out", "set.jsonl", "--limit", "10")
    assert ended.code == 0, ended.err
    kinds = Counter(row["question_type"] for row in rows("set.jsonl"))
    assert kinds == {
        "object_counting": 2, "object_size_estimation": 2, "room_size_estimation": 6
    }  # fmt: skip


def test_every_candidate_of_the_benchmarks_scenes(build, shared_data):
    root = ("--source", "vsi_bench_meta", "--set", f"root={shared_data('vsibench-meta-info')}")
    refused = build(*root, *THREE, "--candidates", "--out", "set.jsonl")
    assert (refused.code, refused.out) == (2, "")
    assert "288 of 288 scenes show spaces that benchmarks test on: 288 of VSI-Bench" in refused.err
    assert "say --allow-leak if that is what you want" in refused.err
    assert left() == []
    ended = build(*root, *THREE, "--candidates", "--allow-leak", "--out", "set.jsonl")
    assert ended.code == 0, ended.err
    made = rows("set.jsonl")
    assert Counter(row["question_type"] for row in made) == {
        "object_counting": 570, "object_size_estimation": 955, "room_size_estimation": 288
    }  # fmt: skip
    assert {row["leak"] for row in made} == {"VSI-Bench"}
    assert "leak: 288 scenes of VSI-Bench; each of their rows is marked" in ended.out


def test_what_was_left_out_is_said(build, install):
    install("perilous")
    faulty = ("--source", "perilous", "--set", "scenes=4", "--set", "faulty=[1]")
    assert build(*faulty, "--out", "set.jsonl").code == 1
    rules = ("--with", "visible={share: 0.9}")
    ended = build(*faulty, *rules, "--max-faulty", "1", "--out", "set.jsonl")
    assert ended.code == 0, ended.err
    lines = ended.out.splitlines()
    assert lines[:2] == [
        "set.jsonl: 3 questions about 3 of 3 scenes",
        "  room_size_estimation         3  in 3 scenes",
    ]
    assert lines[2].startswith("no admissible question: obj_appearance_order, object_abs_distance,")
    assert lines[3].startswith("dropped ")
    assert lines[3].endswith(" questions about objects that the model would not see")
    assert lines[4:] == [
        "skipped 1 faulty scene:",
        "  room001: scene room001: its mesh is torn",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--source", "procedurel", "--out", "x.jsonl"], "procedural"),
        ([*ROOMS, "--out", "x.csv"], "cannot tell the form from '.csv'"),
        ([*ROOMS, "--out", "x.jsonl", "--format", "parquet"], "parquet is written to .parquet"),
        ([*ROOMS, "--out", "x.jsonl", "--engine", "slurm"], "no engine 'slurm'"),
        ([*ROOMS, "--out", "x.jsonl", "--address", "auto"], "add --engine ray"),
        ([*ROOMS, "--out", "x.jsonl", "--preset", "hard"], "hard"),
        ([*ROOMS, "--out", "x.jsonl", "--with", "families.counting={}"], "counting"),
        ([*ROOMS, "--out", "x.jsonl", "--set", "rooms=3"], "rooms"),
        (["--source", "vsi_bench_meta", "--out", "x.jsonl"], "root is not set"),
        ([*ROOMS, "--out", "x.jsonl", "--limit", "0"], "--limit"),
    ],
)
def test_a_wrong_command_line_is_2(build, arguments, message):
    ended = build(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert message in ended.err
    assert left() == []


def test_what_was_there_stays_unless_it_succeeds(build):
    Path("set.jsonl").write_text("yesterday's")
    nothing = (*THREE, *without("room_size_estimation", "object_size_estimation"))
    many = ("--with", "families.object_counting.min_count=99")
    ended = build(*ROOMS, *nothing, *many, "--out", "set.jsonl")
    assert ended.code == 1
    assert "6 scenes gave no question" in ended.err
    assert Path("set.jsonl").read_text() == "yesterday's"
    assert build(*ROOMS, *THREE, "--out", "set.jsonl").code == 0
    assert len(rows("set.jsonl")) > 20
    assert left() == ["set.jsonl"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("set.jsonl", "set.jsonl: is a folder, expected a file or nothing"),
        ("folder", "folder: holds other files than a question set (set.jsonl, set.jsonl/notes)"),
    ],
)
def test_what_cannot_take_a_place_is_told_before_any_scene_is_asked(build, name, message):
    other = Path("folder/set.jsonl") if name == "folder" else Path(name)
    other.mkdir(parents=True)
    (other / "notes").write_text("mine")
    ended = build(*ROOMS, *THREE, "--out", name)
    assert (ended.code, ended.out) == (2, "")
    assert message in ended.err
    assert "scenes in" not in ended.err
    assert (other / "notes").read_text() == "mine"


def unnamed_files(process: int) -> list[str]:
    """What the process has open in the working folder that has no name there."""
    found = []
    for link in Path(f"/proc/{process}/fd").glob("*"):
        with suppress(OSError):  # it was closed just now
            found.append(str(link.readlink()))
    return [name for name in found if name.startswith(str(Path.cwd())) and "(deleted)" in name]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("workers", ["1", "2"])
def test_ctrl_c_leaves_nothing(harness_process, workers):
    Path("set.jsonl").write_text("yesterday's")
    command = harness_process(
        "questions", "build", "--source", "perilous", "--out", "set.jsonl", "--workers", workers,
        "--set", "scenes=40", "--set", "seconds=0.4", plugins="perilous",
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not unnamed_files(command.pid):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    time.sleep(0.5)  # so that it asks, rather than imports
    os.killpg(command.pid, signal.SIGINT)
    begun = time.monotonic()
    out, err = command.communicate(timeout=60)
    assert time.monotonic() - begun < 3
    # Python ends by the signal itself if it came while a string was evaluated; to shells 130 too.
    assert command.returncode in (130, -signal.SIGINT), err
    assert (out, "Traceback" in err) == ("", False)
    assert Path("set.jsonl").read_text() == "yesterday's"
    assert left() == ["set.jsonl"]


def test_a_killed_worker_is_told(harness_process):
    command = harness_process(
        "questions", "build", "--source", "perilous", "--out", "set.jsonl", "--workers", "2",
        "--set", "scenes=20", "--set", "killed=[3]", plugins="perilous",
    )  # fmt: skip
    out, err = command.communicate(timeout=60)
    assert (command.returncode, out) == (1, "")
    assert err.splitlines()[-1] == (
        "error: a process that asks scenes ended abruptly (most often: out of memory): try fewer "
        "processes, --workers 1"
    )
    assert left() == []


PEAK = """
import sys
from harness.cli import main
try:
    main()
except SystemExit as left:
    assert not left.code, left.code
status = open("/proc/self/status").read()
print("peak", status.split("VmHWM:")[1].split()[0])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_does_not_grow_with_the_scenes(write):  # noqa: ARG001
    peaks = {}
    for scenes in (60, 600):
        words = ("--set", f"scenes={scenes}", "--out", f"{scenes}.jsonl", "--workers", "1")
        done = subprocess.run(
            [sys.executable, "-c", PEAK, "questions", "build", "--source", "procedural", *THREE, *words],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        peaks[scenes] = int(done.stdout.split("peak")[1])
    assert len(rows("600.jsonl")) > 8 * len(rows("60.jsonl"))
    assert peaks[600] - peaks[60] < 30 * 1024  # KiB
