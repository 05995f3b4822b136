from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table

from harness.report import load_run, reward_summary, score_table
from harness.report.load import Interval, RunReport
from harness.report.scores import in_column_order, label, score_grids, verdict
from harness.report.table import score_markdown


def shown(table: Table, width: int = 200) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(table)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_rows_are_models_then_difference_then_baselines(finished_run: Path) -> None:
    (grid,) = score_grids(load_run(finished_run))
    assert [(row.label, row.kind) for row in grid.rows] == [
        ("base", "model"),
        ("sft", "model"),
        ("grpo", "model"),
        ("grpo - base", "difference"),
        ("frequency", "baseline"),
        ("blind", "baseline"),
    ]
    assert [label(column) for column in grid.columns] == [
        "Macro", "Micro", "Count", "Abs dist", "Obj size", "Room size",
        "Rel dist", "Rel dir", "Route plan", "Appr order",
    ]  # fmt: skip


def test_unknown_names_come_after_the_papers_columns() -> None:
    names = ["own_type", "micro", "route_planning", "object_counting", "macro", "another"]
    assert in_column_order(names) == (
        "macro", "micro", "object_counting", "route_planning", "own_type", "another",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        (Interval(0.1, 0.01, 0.2), "the interval excludes zero: better"),
        (Interval(-0.1, -0.2, -0.01), "the interval excludes zero: worse"),
        (Interval(0.1, -0.01, 0.2), "the interval includes zero: no clear difference"),
        (Interval(0.1, 0.0, 0.2), "the interval includes zero: no clear difference"),
        (Interval(0.1), "no interval"),
    ],
)
def test_a_difference_is_put_in_words(interval: Interval, words: str) -> None:
    assert verdict(interval) == words


def test_the_table_shows_percent_intervals_and_notes(finished_run: Path) -> None:
    text = shown(score_table(load_run(finished_run)))
    assert "quickstart · vsi_bench" in text
    assert "23.1" in text
    assert "21.1, 25.1" in text
    assert "+20.2*" in text
    assert (
        "grpo - base, macro: +20.2 points [+17.2, +23.2], the interval excludes zero: better."
        in text
    )
    assert "60 questions in 6 scenes." in text
    assert "Limited: evaluate_limit = 60." in text
    assert "Layout video: frames were drawn" in text
    assert "Partial" not in text


def test_a_difference_without_an_interval_says_so(run_folder: Path) -> None:
    path = run_folder / "evaluate-grpo/vsi_bench/difference.json"
    content = json.loads(path.read_text())
    for name in ("macro", "micro"):
        content["rows"][name] |= {"low": None, "high": None}
    path.write_text(json.dumps(content))
    text = shown(score_table(load_run(run_folder)))
    assert "grpo - base, macro: +20.2 points, no interval." in text


def test_eighty_columns_hold_every_number(finished_run: Path) -> None:
    text = shown(score_table(load_run(finished_run)), width=80)
    (grid,) = score_grids(load_run(finished_run))
    numbers = {f"{100 * cell.value:.1f}" for row in grid.rows[:3] for cell in row.cells if cell}
    assert max(map(len, text.splitlines())) <= 80
    assert [number for number in sorted(numbers) if number not in text] == []


def test_a_partial_model_is_marked_and_the_note_says_what_is_missing(run_folder: Path) -> None:
    path = run_folder / "evaluate-base" / "vsi_bench" / "scores.json"
    document = json.loads(path.read_text()) | {
        "partial": True,
        "missing": ["route_planning"],
        "n": 54,
    }
    path.write_text(json.dumps(document))
    (grid,) = score_grids(load_run(run_folder))
    assert [row.note for row in grid.rows] == ["partial", "", "", "", "", ""]
    assert (
        "Partial: no question of type Route plan; the macro score is over the types that were asked."
        in grid.notes
    )
    assert "base: 54 questions in 6 scenes." in grid.notes


def test_what_has_not_run_is_said(run_folder: Path) -> None:
    shutil.rmtree(run_folder / "evaluate-grpo")
    (run_folder / "evaluate-sft" / "vsi_bench" / "scores.json").unlink()
    (run_folder / "evaluate-sft" / "vsi_bench" / "difference.json").unlink()
    (grid,) = score_grids(load_run(run_folder))
    assert [row.note for row in grid.rows] == [
        "", "unfinished, 60 answers so far", "not run", "", "",
    ]  # fmt: skip
    assert "not run" in shown(score_table(load_run(run_folder)))


def test_a_run_without_evaluation_has_an_empty_table(tmp_path: Path) -> None:
    text = shown(score_table(RunReport(tmp_path)))
    assert "scores: not run" in text


def test_several_runs_share_a_table(finished_run: Path) -> None:
    run = load_run(finished_run)
    table = score_table([run, run])
    assert [str(column.header) for column in table.columns][:3] == ["run", "model", "Macro"]
    assert table.row_count == 12


def test_names_cannot_carry_markup_or_terminal_escapes(run_folder: Path) -> None:
    document = json.loads((run_folder / "run.json").read_text())
    document["name"] = "[red]\x1b[31mX\u202e\n|`<b>"
    (run_folder / "run.json").write_text(json.dumps(document))
    text = shown(score_table(load_run(run_folder)))
    assert "[red]⟨U+001B⟩[31mX⟨U+202E⟩ |`<b>" in text
    assert "\x1b" not in text
    markdown = score_markdown(load_run(run_folder))
    assert markdown.startswith("# \\[red\\]⟨U+001B⟩\\[31mX⟨U+202E⟩ \\|\\`&lt;b&gt;\n")


def test_markdown_has_a_row_for_each_model(finished_run: Path) -> None:
    lines = score_markdown(load_run(finished_run)).splitlines()
    rows = [line for line in lines if line.startswith("| ")]
    assert {line.count("|") for line in rows} == {12}
    assert [line.split("|")[1].strip() for line in rows] == [
        "model", "---", "base", "sft", "grpo", "*grpo - base*", "*frequency*", "*blind*",
    ]  # fmt: skip
    assert "| 23.1 [21.1, 25.1] |" in rows[2]


def test_rewards_in_words(run_folder: Path) -> None:
    assert reward_summary(load_run(run_folder)) == [
        "sft: 40 steps in 93 s, loss 2.306 -> 0.328",
        "grpo: 120 steps in 93 s, reward 0.210 -> 1.050",
    ]
    (run_folder / "train-sft" / "summary.json").unlink()
    shutil.rmtree(run_folder / "train-grpo")
    assert reward_summary(load_run(run_folder)) == [
        "sft: 40 steps, loss 2.306 -> 0.328, unfinished",
        "grpo: not run",
    ]


def test_rewards_come_from_the_curve_where_the_summary_has_none(run_folder: Path) -> None:
    rows = [
        {"step": 1, "reward": 0.25},
        {"step": 2, "reward": float("nan")},
        {"step": 3, "reward": 0.5},
    ]
    (run_folder / "train-grpo" / "summary.json").write_text('{"method": "grpo", "steps": 3}')
    (run_folder / "train-grpo" / "metrics.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert reward_summary(load_run(run_folder))[1] == "grpo: 3 steps, reward 0.250 -> 0.500"


def test_a_limit_is_told_of_tasks_it_limits_alone(run_folder: Path) -> None:
    summary = run_folder / "questions/summary.json"
    written = json.loads(summary.read_text())
    written["tasks"]["vsi_bench"] = {"object_counting": 565}
    summary.write_text(json.dumps(written))
    assert "Limited" not in shown(score_table(load_run(run_folder)))
