"""A run that trained on scenes of benchmarks says so wherever its scores are shown."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.commands.report import print_run
from harness.report import load_run, write_comparison, write_report
from harness.report.comparison import compare
from harness.report.scores import leak_notes, score_grids

NOTE = "LEAK: trained on {} that {} shows: scores there say nothing."
ONE = NOTE.format("1 scene", "ScanNet v2 validation split")
MANY = NOTE.format("1,200 scenes", "VSI-Bench")


@pytest.fixture
def leak(run_folder: Path) -> Callable[[dict[str, int]], Path]:
    """The run folder with these scenes among those trained on."""

    def put(counts: dict[str, int]) -> Path:
        path = run_folder / "questions" / "summary.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"leak": counts}))
        return run_folder

    return put


def test_a_run_as_it_should_be_has_no_note(run_folder, leak):
    assert leak_notes(load_run(run_folder)) == []
    assert leak_notes(load_run(leak({}))) == []
    write_report(run_folder)
    assert "LEAK" not in (run_folder / "report" / "report.html").read_text()


def test_each_benchmark_has_a_note(leak):
    run = load_run(leak({"ScanNet v2 validation split": 1, "VSI-Bench": 1200}))
    assert leak_notes(run) == [ONE, MANY]
    for grid in score_grids(run):
        assert grid.notes[-2:] == (ONE, MANY)


def test_the_page_and_the_table_carry_it(leak):
    folder = leak({"VSI-Bench": 1200})
    page = write_report(folder).read_text()
    assert MANY in page
    assert MANY in (folder / "report" / "scores.md").read_text()


def test_the_printed_report_carries_it(leak, capsys):
    print_run(leak({"VSI-Bench": 1200}))
    assert MANY in " ".join(capsys.readouterr().out.split())


def test_comparisons_name_the_run(leak, run_folder, tmp_path):
    other = shutil.copytree(run_folder, tmp_path / "other")
    runs = [leak({"VSI-Bench": 1200}), other]
    compared = compare([load_run(folder) for folder in runs])
    assert len({row.name for row in compared.rows}) == 2
    told = [note for note in compared.notes if "LEAK" in note]
    assert told == [f"{compared.rows[0].name}: {MANY}"], "two runs may have one name"
    page = write_comparison(runs, tmp_path / "comparison.html").read_text()
    assert page.count(MANY) == 1


def test_names_of_splits_cannot_hurt_the_page(leak):
    page = write_report(leak({"<script>alert(1)</script>\x1b[2J": 2})).read_text()
    assert "LEAK: trained on 2 scenes that" in page
    assert "<script>alert(1)" not in page
    assert "\x1b" not in page
