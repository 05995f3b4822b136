"""Which training metrics share a chart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from harness.report.charts import Series, line_chart
from harness.report.load import Stage
from harness.report.progress import number, step_of

# TRL's log names that belong together, with the chart's title and the label of its y axis.
_MAIN = (
    ("Reward, mean over rollouts", "reward", ("reward", "reward_std")),
    ("Loss", "loss", ("loss", "eval_loss")),
    ("KL divergence to the reference model", "nats per token", ("kl",)),
    ("Entropy of the next token", "nats", ("entropy",)),
    (
        "Completion length",
        "tokens",
        ("completions/mean_length", "completions/min_length", "completions/max_length"),
    ),
    ("Groups whose rewards are all equal", "share of groups", ("frac_reward_zero_std",)),
    ("Preference accuracy", "share of pairs", ("rewards/accuracies",)),
    ("Implicit rewards", "reward", ("rewards/chosen", "rewards/rejected", "rewards/margins")),
    ("Token accuracy", "share of tokens", ("mean_token_accuracy",)),
    ("Learning rate", "learning rate", ("learning_rate",)),
    ("Gradient norm", "norm", ("grad_norm",)),
)
# Counters and TRL's closing row (totals over the run) are no curves.
_NO_CURVE = frozenset(
    {
        "epoch",
        "num_tokens",
        "step",
        "total_flos",
        "train_loss",
        "train_runtime",
        "train_samples_per_second",
        "train_steps_per_second",
    }
)
MAX_OTHER = 24


def main_curves(stage: Stage) -> list[Markup]:
    """The charts a reader looks at first: rewards, loss, KL, entropy, lengths, learning rate."""
    named = _reward_names(stage)
    charts = [_chart(stage, title, y, names) for title, y, names in _MAIN]
    charts.insert(1, _chart(stage, "Each reward, mean over rollouts", "reward", named))
    return [chart for chart in charts if chart]


def other_curves(stage: Stage) -> list[Markup]:
    """A chart for each metric that no main chart shows, at most `MAX_OTHER`."""
    shown = (
        {name for _, _, names in _MAIN for name in names} | set(_reward_names(stage)) | _NO_CURVE
    )
    names = sorted({name for row in stage.metrics for name in row} - shown)
    charts = (_chart(stage, name, "value", (name,)) for name in names)
    return [chart for chart in charts if chart][:MAX_OTHER]


def _reward_names(stage: Stage) -> tuple[str, ...]:
    names: Iterable[str] = dict.fromkeys(name for row in stage.metrics for name in row)
    return tuple(n for n in names if n.startswith("rewards/") and n.endswith("/mean"))


def _chart(stage: Stage, title: str, y_label: str, names: Sequence[str]) -> Markup:
    series = [Series(_short(name), _points(stage, name)) for name in names]
    return line_chart(title, series, "optimizer step", y_label)


def _short(name: str) -> str:
    return name.removeprefix("rewards/").removeprefix("completions/").removesuffix("/mean")


def _points(stage: Stage, name: str) -> tuple[tuple[float, float], ...]:
    points = (
        (step, value)
        for row in stage.metrics
        if (step := step_of(row)) is not None and (value := number(row.get(name))) is not None
    )
    return tuple(sorted(points, key=lambda point: point[0]))
