"""`harness questions leak`, as its users meet it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.cli import main
from harness.commands.questions_leak import ranges

Harness = Callable[..., tuple[int, str, str]]
ROW = {
    "dataset": "scannet",
    "scene_name": "scene0000_00",
    "question_type": "object_counting",
    "question": "How many table(s) are in this room?",
    "ground_truth": "4",
}


@pytest.fixture
def leak(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Harness:
    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["harness", "questions", "leak", *arguments])
        monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # typer sets its own
        with pytest.raises(SystemExit) as left:
            main()
        said = capsys.readouterr()
        return int(left.value.code or 0), said.out, said.err

    return call


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    scenes = ["scene0000_00", "scene0231_01", "scene0231_01", "scene0231_00", "scene0707_00"]
    rows = [{**ROW, "scene_name": scene, "question": f"{n}?"} for n, scene in enumerate(scenes)]
    rows.append({**ROW, "dataset": "mine", "leak": "MyBench"})
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_leaks_are_listed_by_split(leak: Harness, mixed: Path) -> None:
    said = (
        "MyBench: 1 scene, 1 question\n"
        "  mine/scene0000_00: rows 6\n"
        "ScanNet v2 test split: 1 scene, 1 question\n"
        "  scannet/scene0707_00: rows 5\n"
        "VSI-Bench: 2 scenes, 3 questions\n"
        "  scannet/scene0231_00: rows 4\n"
        "  scannet/scene0231_01: rows 2-3\n"
        "leaks in 6 questions about 5 scenes: scores on those benchmarks mean nothing after "
        "training on them\n"
    )
    assert leak(str(mixed)) == (1, said, "")


def test_leaks_as_json(leak: Harness, mixed: Path) -> None:
    code, out, _ = leak(str(mixed), "--json")
    assert code == 1
    assert json.loads(out) == {
        "questions": 6,
        "scenes": 5,
        "leaked_questions": 5,
        "leaked_scenes": 4,
        "splits": {
            "MyBench": [{"dataset": "mine", "scene": "scene0000_00", "rows": [6]}],
            "ScanNet v2 test split": [{"dataset": "scannet", "scene": "scene0707_00", "rows": [5]}],
            "VSI-Bench": [
                {"dataset": "scannet", "scene": "scene0231_00", "rows": [4]},
                {"dataset": "scannet", "scene": "scene0231_01", "rows": [2, 3]},
            ],
        },
    }


def test_a_clean_set_leaves_with_zero(leak: Harness, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text((json.dumps(ROW) + "\n") * 2)  # what repeats may be described
    assert leak(str(path)) == (0, "no leak in 2 questions about 1 scene\n", "")
    code, out, _ = leak(str(path), "--json")
    assert (code, json.loads(out)["splits"]) == (0, {})


def test_real_rows_leak(leak: Harness, shared_data: Callable[[str], Path]) -> None:
    path = shared_data("vsibench-questions-subset") / "vsibench_subset.jsonl"
    code, out, _ = leak(str(path))
    assert code == 1
    assert out.splitlines()[:2] == [
        "VSI-Bench: 1 scene, 51 questions",
        "  scannet/scene0231_00: rows 1-51",
    ]


def test_names_cannot_play_with_the_terminal(leak: Harness, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({**ROW, "scene_name": "a\x1b[2J\nb", "leak": "\x1b[31mx"}) + "\n")
    code, out, _ = leak(str(path))
    assert code == 1
    assert "\x1b" not in out
    assert "scannet/a\\x1b[2J b: rows 1" in out


@pytest.mark.parametrize(
    ("name", "content", "code", "said"),
    [
        ("gone.jsonl", None, 2, "no such file or folder; expected a question set"),
        ("rows.csv", "", 2, "must end in .jsonl, .json, .parquet, found '.csv'"),
        ("rows.jsonl", "", 1, "no rows, expected questions"),
        ("rows.jsonl", "{}\n", 1, "rows.jsonl:1: question must be a non-empty string"),
    ],
)
def test_bad_input(
    leak: Harness, tmp_path: Path, name: str, content: str | None, code: int, said: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_text(content)
    left, out, error = leak(str(path))
    assert (left, out) == (code, "")
    assert error.startswith("error: ")
    assert said in error


def test_runs_of_rows_are_short() -> None:
    assert ranges([1, 2, 3, 7, 9, 10]) == "1-3, 7, 9-10"
    assert ranges([4]) == "4"
