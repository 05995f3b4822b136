"""How training went, in numbers: metrics from first to last, the guard's counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.report.load import RunReport, Stage
from harness.report.scores import NOT_RUN
from harness.report.text import one_line

# Beyond this a value is a numeric accident, and sums over an axis would overflow.
_LARGEST = 1e100


def reward_summary(run: RunReport) -> list[str]:
    """One line for each stage: steps, time, reward (or loss) from first to last."""
    return [f"{one_line(stage.name)}: {', '.join(stage_facts(stage))}" for stage in run.stages]


def stage_facts(stage: Stage) -> Iterator[str]:
    """What there is to say of a stage, in a few words each."""
    if not stage.metrics and stage.summary is None:
        yield NOT_RUN
        return
    summary: Mapping[str, Any] = stage.summary or {}
    method = one_line(str(summary.get("method", stage.name)))
    if method != one_line(stage.name):
        yield method
    steps = summary.get("steps", max((step_of(row) or 0 for row in stage.metrics), default=0))
    seconds = number(summary.get("seconds"))
    time = f" in {seconds:,.0f} s" if seconds is not None else ""
    yield f"{number(steps) or 0:.0f} steps{time}"
    reward, loss = reward_change(stage), first_and_last(stage, "loss")
    if reward:
        yield f"reward {reward[0]:.3f} -> {reward[1]:.3f}"
    elif loss:
        yield f"loss {loss[0]:.3f} -> {loss[1]:.3f}"
    if stage.summary is None:
        yield "unfinished"


def reward_change(stage: Stage) -> tuple[float, float] | None:
    """Mean reward at the first and the last logged step, or None without rewards."""
    summary: Mapping[str, Any] = stage.summary or {}
    first, last = number(summary.get("reward_first")), number(summary.get("reward_last"))
    if first is not None and last is not None:
        return first, last
    return first_and_last(stage, "reward")


def first_and_last(stage: Stage, name: str) -> tuple[float, float] | None:
    """A metric's first and last logged value, or None."""
    values = [v for row in stage.metrics if (v := number(row.get(name))) is not None]
    return (values[0], values[-1]) if values else None


def step_of(row: Mapping[str, Any]) -> float | None:
    """The optimizer step of a log row."""
    return number(row.get("step"))


def number(value: Any) -> float | None:
    """A finite number out of a log row or a summary, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < _LARGEST else None
