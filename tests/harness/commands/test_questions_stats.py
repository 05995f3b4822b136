"""`harness questions stats`, as its users meet it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.cli import main

Harness = Callable[..., tuple[int, str, str]]
ROW = {
    "dataset": "procedural",
    "scene_name": "room-0",
    "question_type": "object_counting",
    "question": "How many table(s) are in this room?",
    "ground_truth": "4",
}


@pytest.fixture
def stats(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Harness:
    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["harness", "questions", "stats", *arguments])
        monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # typer sets its own
        with pytest.raises(SystemExit) as left:
            main()
        said = capsys.readouterr()
        return int(left.value.code or 0), said.out, said.err

    return call


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    made = [{**ROW, "scene_name": f"room-{n}", "ground_truth": str(2 + n % 3)} for n in range(12)]
    made.append({**ROW, "ground_truth": "9"})
    path.write_text("".join(json.dumps(row) + "\n" for row in made))
    return path


def test_the_table(stats: Harness, rows: Path) -> None:
    code, out, error = stats(str(rows))
    assert (code, error) == (0, "")
    lines = [line.split() for line in out.splitlines()]
    assert out.splitlines()[0] == "13 questions, 12 scenes, 12 spaces: procedural 13"
    assert lines[2][:10] == ["Count", "2", "to", "9,", "median", "3", "13", "12", "2", "(30.8"]
    assert lines[3][:3] == ["mean", "over", "tasks"]
    assert lines[3][3] == lines[2][-2]
    assert out.splitlines()[4] == (
        "- 1 row with another answer than an earlier row has for the same question about the same "
        "scene"
    )


def test_json(stats: Harness, rows: Path) -> None:
    code, out, _ = stats(str(rows), "--json")
    told = json.loads(out)
    assert code == 0
    assert told["contradictions"] == [
        {
            "scene": "procedural/room-0",
            "question": ROW["question"],
            "rows": [1, 13],
            "answers": ["2", "9"],
        }
    ]


def test_the_page(stats: Harness, rows: Path, tmp_path: Path) -> None:
    out = tmp_path / "pages" / "stats.html"
    code, _, error = stats(str(rows), "--out", str(out))
    assert (code, error) == (0, f"page: {out}\n")
    assert "<h1>rows.jsonl</h1>" in out.read_text()


def test_real_rows(stats: Harness, shared_data: Callable[[str], Path]) -> None:
    path = shared_data("vsibench-questions-subset") / "vsibench_subset.jsonl"
    code, out, _ = stats(str(path))
    assert code == 0
    assert "51 questions, 1 scene, 1 space:" in out
    assert "- leak (VSI-Bench): 51 questions about its scenes" in out
    assert "- all questions are about one space" in out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["gone.jsonl"], 2, "no such file or folder; expected a question set"),
        (["rows.jsonl", "--out", "stats.pdf"], 2, "a page ends in .html, found '.pdf'"),
        (["spoilt.jsonl"], 1, "spoilt.jsonl:1: question must be a non-empty string"),
    ],
)
def test_bad_input(
    stats: Harness,
    rows: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    code: int,
    said: str,
) -> None:
    monkeypatch.chdir(rows.parent)
    Path("spoilt.jsonl").write_text("{}\n")
    left, out, error = stats(*arguments)
    assert (left, out) == (code, "")
    assert error.startswith("error: ")
    assert said in error
