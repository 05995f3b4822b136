"""What a run gave: terminal tables, a self-contained HTML page, a comparison of runs."""

from __future__ import annotations

from harness.report.compare import compare_runs, write_comparison
from harness.report.load import RunReport, load_run
from harness.report.page import write_report
from harness.report.progress import reward_summary
from harness.report.table import score_table

__all__ = [
    "RunReport",
    "compare_runs",
    "load_run",
    "reward_summary",
    "score_table",
    "write_comparison",
    "write_report",
]
