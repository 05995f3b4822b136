from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.errors import HarnessError, UsageError
from harness.report import load_run
from harness.report.load import Interval


def test_a_finished_run_is_read_whole(finished_run: Path) -> None:
    run = load_run(finished_run)
    assert run.name == "quickstart"
    assert [stage.name for stage in run.stages] == ["sft", "grpo"]
    assert [e.model for e in run.of_task("vsi_bench")] == [
        "base",
        "sft",
        "grpo",
        "frequency",
        "blind",
    ]
    assert [e.baseline for e in run.evaluations] == [False, False, False, True, True]
    assert run.final_model == "grpo"
    assert run.layout_video
    assert run.notices == ()
    assert len(run.stages[1].rollouts) == 960
    assert run.provenance is not None
    assert run.provenance.git is not None
    assert run.provenance.git.dirty


def test_scores_are_read_from_a_list_and_from_a_map(run_folder: Path) -> None:
    path = run_folder / "evaluate-base" / "vsi_bench" / "scores.json"
    row = {"value": 0.25, "low": 0.2, "high": None, "n": 4}
    for rows in ([{"name": "macro", **row}], {"macro": row}):
        path.write_text(json.dumps({"n": 4, "scenes": 2, "partial": True, "rows": rows}))
        evaluation = load_run(run_folder).evaluation("base", "vsi_bench")
        assert evaluation is not None
        assert evaluation.scores is not None
        assert evaluation.scores.rows == {"macro": Interval(0.25, 0.2, None, 4)}


def test_what_is_planned_and_absent_is_there_as_not_run(tmp_path: Path, finished_run: Path) -> None:
    (tmp_path / "recipe.yaml").write_text((finished_run / "recipe.yaml").read_text())
    run = load_run(tmp_path)
    assert [e.model for e in run.evaluations] == ["base", "sft", "grpo", "blind"]
    assert [e.scores for e in run.evaluations] == [None] * 4
    assert [s.summary for s in run.stages] == [None, None]
    assert run.provenance is None
    assert run.data is None
    assert run.name == tmp_path.name


def test_a_run_without_its_recipe_shows_what_is_on_disk(run_folder: Path) -> None:
    (run_folder / "recipe.yaml").unlink()
    (run_folder / "train-sft.part").mkdir()
    run = load_run(run_folder)
    assert [stage.name for stage in run.stages] == ["grpo", "sft"]
    assert {e.model for e in run.evaluations} == {"base", "grpo", "sft", "frequency", "blind"}


def test_another_folder_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"neither recipe\.yaml nor run\.json"):
        load_run(tmp_path)


def test_corrupt_lines_are_named_all_at_once(run_folder: Path) -> None:
    path = run_folder / "evaluate-base" / "vsi_bench" / "answers.jsonl"
    lines = path.read_text().splitlines()
    lines[1] = '{"id": "q1",'
    lines[3] = '{"id": "q3", "question_type": "object_counting", "score": "high"}'
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(HarnessError) as caught:
        load_run(run_folder)
    message = str(caught.value)
    assert f"{path}:2: Invalid JSON" in message
    assert f"{path}:4: score: " in message
    assert f"{path}:3:" not in message


def test_corruption_without_end_gives_a_short_message(run_folder: Path) -> None:
    path = run_folder / "train-grpo" / "metrics.jsonl"
    path.write_text("no json\n" * 500)
    with pytest.raises(HarnessError, match="and 490 more lines") as caught:
        load_run(run_folder)
    assert len(str(caught.value).splitlines()) == 12


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("run.json", "{", r"run\.json: Invalid JSON"),
        ("recipe.yaml", "a: [1\nb: 2", r"recipe\.yaml:2: not YAML"),
        ("recipe.yaml", "- 1", "expected a mapping, found list"),
        (
            "questions/summary.json",
            '{"scenes": {"train": "many"}}',
            r"summary\.json: scenes\.train",
        ),
        ("train-grpo/metrics.jsonl", "\xff", r"metrics\.jsonl:1: "),
        ("train-grpo/metrics.jsonl", "[" * 10_000 + "\n", r"metrics\.jsonl:1: "),
        ("evaluate-base/vsi_bench/scores.json", '{"n": 1, "rows": 3}', r"scores\.json: rows"),
        ("evaluate-base/vsi_bench/scores.json", "NaN", r"scores\.json: "),
    ],
)
def test_corrupt_files_are_named(run_folder: Path, name: str, content: str, found: str) -> None:
    (run_folder / name).write_bytes(content.encode("latin-1"))
    with pytest.raises(HarnessError, match=found):
        load_run(run_folder)


def test_the_half_line_of_a_running_stage_is_let_go_and_told(run_folder: Path) -> None:
    stage = run_folder / "train-grpo"
    before = len(load_run(run_folder).stages[1].metrics)
    with (stage / "metrics.jsonl").open("a") as file:
        file.write('{"step": 122, "lo')
    with pytest.raises(HarnessError, match=r"metrics\.jsonl:62"):
        load_run(run_folder)
    (stage / "summary.json").unlink()
    run = load_run(run_folder)
    assert len(run.stages[1].metrics) == before
    assert run.notices == (
        "train-grpo/metrics.jsonl: the last line is incomplete and was left out",
    )


def test_half_a_surrogate_pair_is_no_error(run_folder: Path) -> None:
    path = run_folder / "evaluate-base" / "vsi_bench" / "answers.jsonl"
    row = {"id": "x", "question_type": "t", "score": 0, "answer": "\ud83d"}
    path.write_text(json.dumps(row) + "\n")
    evaluation = load_run(run_folder).evaluation("base", "vsi_bench")
    assert evaluation is not None
    assert evaluation.answers[0].answer == "?"
