"""`--source NAME --set KEY=VALUE`: a scene source from the command line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from harness.assembly import refuse_if_missing
from harness.catalogue import build
from harness.component import SceneSource
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
    refuse_if_missing([f"{part.registered.name}: {what}" for what in source.missing()])
    return source
