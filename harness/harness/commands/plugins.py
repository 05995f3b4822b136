"""`harness plugins`: what is installed, and the settings of one component."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from harness.catalogue import Catalogue, Registered
from harness.component import KINDS
from harness.errors import PluginError, UsageError
from harness.plugins import load_catalogue
from harness.suggest import suggestion
from harness.terminal import one_line

if TYPE_CHECKING:
    from rich.table import Table

_HEADINGS = ("kind", "name", "plugin", "distribution", "summary")


def list_plugins(*, as_json: bool, strict: bool) -> None:
    """Print every component, then what is broken.

    Raises:
        PluginError: two plugins claim one name, or `strict` and something is broken.
    """
    catalogue = load_catalogue()
    if as_json:
        typer.echo(json.dumps(_as_json(catalogue), indent=1))
    else:
        _print_table([_row(registered) for registered in catalogue])
        for broken in catalogue.broken:
            typer.echo(f"broken: {one_line(str(broken))}", err=True)
        for note in catalogue.notes:
            typer.echo(f"note: {one_line(note)}", err=True)
    if strict and catalogue.broken:
        raise PluginError(f"{len(catalogue.broken)} broken, which --strict does not allow")


def show_component(kind: str, name: str) -> None:
    """Print a component's origin and settings.

    Raises:
        UsageError: no such kind or component. PluginError: a broken plugin may have offered it.
    """
    from harness.settings_text import settings_lines

    known = next((one for one in KINDS if one == kind), None)
    if known is None:
        raise UsageError(f"no kind {kind!r}; {suggestion(kind, KINDS, plural='kinds')}")
    registered = load_catalogue().get(known, name)
    build = registered.component.build
    made_by = build if isinstance(build, str) else getattr(build, "__qualname__", repr(build))
    lines = [
        f"{registered.name} ({kind}): {registered.component.summary}",
        f"from {registered.source}, built by {made_by}",
        "settings:",
        *(f"  {line}" for line in settings_lines(registered.component.config) or ["none"]),
    ]
    for line in lines:
        indent = line[: len(line) - len(line.lstrip())]
        typer.echo(indent + one_line(line))


def _as_json(catalogue: Catalogue) -> dict[str, object]:
    return {
        "components": [
            {
                "kind": one.kind,
                "name": one.name,
                "plugin": one.plugin,
                "distribution": one.distribution,
                "version": one.version,
                "summary": one.component.summary,
            }
            for one in catalogue
        ],
        "broken": [
            {**asdict(one.source), "what": one.what, "why": one.why, "remedy": one.remedy}
            for one in catalogue.broken
        ],
        "notes": list(catalogue.notes),
    }


def _row(registered: Registered) -> tuple[str, ...]:
    distribution = f"{registered.distribution} {registered.version}"
    return tuple(
        one_line(text)
        for text in (
            registered.kind,
            registered.name,
            registered.plugin,
            distribution,
            registered.component.summary,
        )
    )


def _print_table(rows: Sequence[tuple[str, ...]]) -> None:
    if sys.stdout.isatty():
        from rich.console import Console

        Console().print(_rich_table(rows))
        return
    # Piped, a line a component, nothing cut: for grep and for reading in logs.
    widths = [max(map(len, column)) for column in zip(_HEADINGS, *rows, strict=True)]
    for row in (_HEADINGS, *rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        typer.echo("  ".join(cells).rstrip())


def _rich_table(rows: Iterable[tuple[str, ...]]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for heading in _HEADINGS:
        table.add_column(heading, no_wrap=heading in ("kind", "name"), overflow="fold")
    for row in rows:
        # Text, not markup: a summary may hold brackets.
        table.add_row(*map(Text, row))
    return table
