"""`--source NAME --set KEY=VALUE`: a scene source from the command line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from harness.catalogue import build
from harness.component import SceneSource
from harness.errors import UsageError
from harness.guarded import GuardedScenes
from harness.plugins import load_catalogue
from harness.recipe import Part, component_alone


def source_part(name: str, overrides: Sequence[str]) -> Part:
    """The component and its settings, not yet built.

    Raises:
        UsageError: no such source, or wrong settings. PluginError: a plugin is broken.
    """
    return component_alone("scenes", name, overrides, load_catalogue(), option="--source")


def open_source(part: Part) -> GuardedScenes:
    """The source, ready to read.

    Raises:
        UsageError: what it needs is missing on this machine.
    """
    source = GuardedScenes(
        cast(SceneSource, build(part.registered, part.settings)), part.registered
    )
    if lacking := source.missing():
        raise UsageError("\n".join(f"source {part.registered.name}: {what}" for what in lacking))
    return source
