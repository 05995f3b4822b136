"""A fault of a recipe, with its place; all of a recipe's faults make one error."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.errors import HarnessError, PluginError, UsageError
from harness.strict_yaml import MOST_TOLD, Where

Path = tuple[str, ...]


@dataclass(frozen=True)
class Problem:
    """What is wrong and where.

    Args:
        where: file and line, or the option of the command line.
        path: keys from the recipe's top to the value.
        message: what was found, what was expected, what to do.
        plugin: a plugin is at fault, not the recipe.
    """

    where: Where
    path: Path
    message: str
    plugin: bool = False

    def __str__(self) -> str:
        path = ".".join(self.path)
        said = self.where.source.partition(" ")[2] if self.where.on_command_line else None
        if not path or path == said:
            return f"{self.where}: {self.message}"
        return f"{self.where}: {path}: {self.message}"


def error_of(problems: Iterable[Problem]) -> HarnessError:
    """One error for all problems, each once, by file and line, the command line last."""
    problems = sorted(problems, key=lambda p: (p.where.line == 0, p.where.source, p.where.line))
    lines = list(dict.fromkeys(str(problem) for problem in problems))
    kind = PluginError if any(problem.plugin for problem in problems) else UsageError
    if len(lines) == 1:
        return kind(lines[0])
    told = [f"  {line}" for line in lines[:MOST_TOLD]]
    if more := len(lines) - len(told):
        told.append(f"  and {more:,} more")
    return kind("\n".join([f"{len(lines)} problems:", *told]))
