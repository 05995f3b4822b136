"""From raw answers to a table of scores with intervals (numpy only).

`parsers` reads an answer, `metrics` compares it with the truth, `answers` does both for a question,
`aggregate` makes VSI-Bench's table, `intervals` says how sure it is. The names below are imported
on first use: parsing and comparing need no numpy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.scoring.aggregate import TASKS, missing_types, summarise, table_order, task_of
    from harness.scoring.answers import correctness, gold_number, parse_answer, score_answer
    from harness.scoring.intervals import paired_difference, score_table
    from harness.scoring.metrics import TOLERANCES, mean_relative_accuracy, same_text
    from harness.scoring.parsers import PARSERS, Parsed, Parser, ParserName, find_parser
    from harness.scoring.table import Score, ScoreTable

_HOME = {
    "aggregate": "TASKS missing_types summarise table_order task_of",
    "answers": "correctness gold_number parse_answer score_answer",
    "intervals": "paired_difference score_table",
    "metrics": "TOLERANCES mean_relative_accuracy same_text",
    "parsers": "PARSERS Parsed Parser ParserName find_parser",
    "table": "Score ScoreTable",
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names.split()}

__all__ = [
    "PARSERS",
    "TASKS",
    "TOLERANCES",
    "Parsed",
    "Parser",
    "ParserName",
    "Score",
    "ScoreTable",
    "correctness",
    "find_parser",
    "gold_number",
    "mean_relative_accuracy",
    "missing_types",
    "paired_difference",
    "parse_answer",
    "same_text",
    "score_answer",
    "score_table",
    "summarise",
    "table_order",
    "task_of",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'harness.scoring' has no attribute {name!r}")
    return getattr(import_module(f"harness.scoring.{_MODULE_OF[name]}"), name)
