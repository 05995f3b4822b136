"""Published rows: complete, in range, and true to their printed averages."""

from __future__ import annotations

import pytest

from harness.scoring import TASKS
from harness_tasks.vsi_bench.baselines import published_baselines

ROWS = published_baselines()


def test_rows_and_sources():
    sources = [row.source for row in ROWS]
    assert {source: sources.count(source) for source in sources} == {
        "VSI-Bench (arXiv 2412.14171 v2), table 1": 21,
        "vsGRPO (arXiv 2504.00883 v2), table 1": 6,
        "vsGRPO (arXiv 2504.00883 v2), table 2": 16,
    }
    assert len({(row.name, row.source, row.subset) for row in ROWS}) == len(ROWS)


def test_the_papers_models():
    found = {row.note: row for row in ROWS if "vsGRPO-V" in row.name}
    assert found["the paper's vsGRPO-2B"].macro == 0.354
    assert list(found["the paper's vsGRPO-2B"].tasks.values()) == [
        0.536,
        0.29,
        0.527,
        0.434,
        0.281,
        0.309,
        0.268,
        0.189,
    ]
    assert found["the paper's vsGRPO-7B"].macro == 0.407


def test_chance_by_guessing_has_choices_alone():
    row = ROWS[0]
    assert (row.name, row.macro) == ("chance (random)", None)
    assert row.tasks == {
        "object_rel_distance": 0.25,
        "object_rel_direction": 0.361,
        "route_planning": 0.283,
        "obj_appearance_order": 0.25,
    }


@pytest.mark.parametrize("row", ROWS[1:], ids=lambda row: f"{row.name}-{row.source[:6]}")
def test_average_is_the_mean_of_the_tasks_or_a_note_says_otherwise(row):
    assert list(row.tasks) == list(TASKS)
    assert all(0 <= score <= 1 for score in row.tasks.values())
    mean = sum(row.tasks.values()) / 8
    if "is not the mean of the printed tasks" in row.note:
        assert abs(mean - row.macro) > 0.01
        assert row.note.endswith(f"which is {100 * mean:.1f}")
    else:
        assert mean == pytest.approx(row.macro, abs=0.0011)


def test_rows_of_the_tiny_subset_are_marked():
    assert [row.name for row in ROWS if row.subset == "tiny"] == [
        "human",
        "Gemini-1.5 Flash",
        "Gemini-1.5 Pro",
        "Gemini-2.0 Flash",
        "Gemini-1.5 Pro",
    ]
