from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from harness.errors import UsageError
from harness.report import compare_runs, load_run, write_comparison
from harness.report.compare import cell_lines
from harness.report.comparison import SeedMean, compare

MakeRun = Callable[..., Path]


def test_rows_are_runs_and_columns_the_settings_that_differ(make_run: MakeRun) -> None:
    runs = [load_run(make_run("a", beta=0.0)), load_run(make_run("b", beta=0.04, macro=0.4))]
    comparison = compare(runs)
    assert comparison.axes == ("train.grpo.beta",)
    assert [(row.name, row.settings) for row in comparison.rows] == [
        ("a", ("0",)),
        ("b", ("0.04",)),
    ]
    assert [row.reward for row in comparison.rows] == [(0.1, 0.3), (0.1, 0.4)]
    assert [cell_lines(row.cells[0]) for row in comparison.rows] == [
        ("30.0", "[28.0, 32.0]"),
        ("40.0", "[38.0, 42.0]"),
    ]


def test_seeds_are_averaged_for_equal_settings(make_run: MakeRun) -> None:
    cells = [(0.0, 0, 0.2), (0.0, 1, 0.3), (0.04, 0, 0.4), (0.04, 1, 0.6), (0.1, 0, 0.9)]
    folders = [make_run(f"b{b}s{s}", beta=b, seed=s, macro=m) for b, s, m in cells]
    comparison = compare([load_run(folder) for folder in folders])
    assert comparison.axes == ("train.grpo.beta", "seed")
    means = [row for row in comparison.rows if row.mean]
    assert [(row.name, row.settings) for row in means] == [
        ("mean of 2 seeds", ("0", "2 seeds")),
        ("mean of 2 seeds", ("0.04", "2 seeds")),
    ]
    first, second = means[0].cells[0], means[1].cells[0]
    assert isinstance(first, SeedMean)
    assert isinstance(second, SeedMean)
    assert (first.value, second.value) == pytest.approx((0.25, 0.5))
    assert (first.deviation, second.deviation) == pytest.approx((0.0707, 0.1414), abs=1e-4)
    assert means[1].reward == pytest.approx((0.1, 0.5))


def test_a_run_that_is_not_finished_is_no_part_of_the_mean(make_run: MakeRun) -> None:
    folders = [make_run(f"s{s}", seed=s, macro=0.1 * s) for s in (1, 2, 3)]
    (folders[2] / "evaluate-grpo" / "vsi_bench" / "scores.json").unlink()
    rows = compare([load_run(folder) for folder in folders]).rows
    assert [row.note for row in rows] == ["", "", "not run", "1 not run"]
    assert isinstance(rows[3].cells[0], SeedMean)
    assert rows[3].cells[0].value == pytest.approx(0.15)
    assert rows[3].cells[0].seeds == 2


def test_runs_of_equal_names_are_told_apart(make_run: MakeRun) -> None:
    folders = [make_run("one"), make_run("two")]
    (folders[1] / "run.json").write_text(json.dumps({"name": "one"}))
    names = [row.name for row in compare([load_run(folder) for folder in folders]).rows]
    assert len(set(names)) == 2


def test_different_sizes_are_told(make_run: MakeRun) -> None:
    folders = [make_run("a"), make_run("b")]
    path = folders[1] / "evaluate-grpo" / "vsi_bench" / "scores.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"n": 5130, "partial": True}))
    notes = compare([load_run(folder) for folder in folders]).notes
    assert "vsi_bench: the runs were asked different numbers of questions: 60, 5,130." in notes
    assert "Partial, as question types are missing: b." in notes


def test_nothing_to_compare_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="give one run folder or more"):
        compare_runs([])


def test_the_table_and_the_page_hold_the_same(make_run: MakeRun, tmp_path: Path) -> None:
    folders = [make_run(f"s{s}", seed=s, macro=0.3 + 0.1 * s) for s in (0, 1)]
    console = Console(file=io.StringIO(), width=200)
    console.print(compare_runs(folders))
    assert isinstance(console.file, io.StringIO)
    terminal = console.file.getvalue()
    page = write_comparison(folders, tmp_path / "out" / "comparison.html")
    html = page.read_text("utf-8")
    assert page == tmp_path / "out" / "comparison.html"
    for text in (terminal, html):
        assert "mean of 2 seeds" in text
        assert "35.0" in text
        assert "sd 7.1" in text
        assert "38.0, 42.0" in text
        assert "Settings that differ: seed." in text
    assert "0.100 -> 0.350" in terminal
    assert "0.100 → 0.350" in html
    assert "<h1>Comparison of 2 runs</h1>" in html


def test_hostile_settings_are_only_text(make_run: MakeRun, tmp_path: Path) -> None:
    folders = [make_run("a"), make_run("b")]
    recipe = folders[1] / "recipe.yaml"
    recipe.write_text(
        recipe.read_text() + "'<script>alert(1)</script>': \"</script>\\x1b[31m\\u202e\"\n"
    )
    html = write_comparison(folders, tmp_path / "c.html").read_text("utf-8")
    assert html.count("<script>") == 1
    assert not set("\x1b\u202e") & set(html)
    console = Console(file=io.StringIO(), width=300)
    console.print(compare_runs(folders))
    assert isinstance(console.file, io.StringIO)
    assert "\x1b" not in console.file.getvalue()
