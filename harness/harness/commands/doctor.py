"""`harness doctor`: is this machine fit for the harness?"""

from __future__ import annotations

import json
from dataclasses import asdict

import typer

from harness.doctor import findings
from harness.terminal import one_line


def doctor(*, as_json: bool) -> None:
    """Print one line a check, and leave with 1 if any failed."""
    seen = []
    for finding in findings():
        seen.append(finding)
        if not as_json:
            remedy = f"; {finding.remedy}" if finding.remedy else ""
            rest = one_line(f"{finding.check}: {finding.found}{remedy}")
            typer.echo(f"{finding.status:4}  {rest}")
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in seen], indent=1))
    if any(finding.status == "fail" for finding in seen):
        raise typer.Exit(1)
