"""Self-contained HTML: every text escaped, no outside resource, no script but our own."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from harness.report import scores
from harness.report.text import clip, one_line, visible


def render(template: str, context: Mapping[str, Any]) -> str:
    """A page from a packaged template.

    The policy in its head names the style sheet and the script by their hashes: a script or style
    that reached the page any other way would not run, and nothing is fetched.
    """
    style, script = _packaged("report.css"), _packaged("filter.js")
    policy = "; ".join(
        (
            "default-src 'none'",
            "img-src data:",
            f"style-src '{_digest(style)}'",
            f"script-src '{_digest(script)}'",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    page = _environment().get_template(template)
    # Both are files of this package: written by us, and without a closing tag.
    own = {"style": Markup(style), "script": Markup(script)}  # noqa: S704
    return page.render(policy=policy, **own, **context)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(_packaged),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["clip"] = lambda text, limit: clip(str(text), limit)
    environment.filters["line"] = lambda text, limit=80: one_line(str(text), limit)
    environment.filters["plain"] = plain
    for function in (
        scores.label,
        scores.percent,
        scores.signed,
        scores.bounds,
        scores.verdict,
        scores.excludes_zero,
    ):
        environment.globals[function.__name__] = function
    return environment


def plain(value: Any) -> str:
    """A value out of JSON as a reader wants it: short numbers, yes and no, lists with commas."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {plain(part)}" for key, part in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(plain(part) for part in value)
    return str(value)


def _finalize(value: Any) -> Any:
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _packaged(name: str) -> str:
    return files(__package__ or __name__).joinpath("templates", name).read_text("utf-8")


def _digest(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
    return f"sha256-{digest}"
