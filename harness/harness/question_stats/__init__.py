"""What a question set is like: its balance, its priors, and how far one gets without looking."""

from __future__ import annotations

from harness.question_stats.describe import SetStats, TypeStats, describe

__all__ = ["SetStats", "TypeStats", "describe"]
