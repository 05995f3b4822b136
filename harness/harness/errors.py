"""Errors a user can act on.

Every error says who, what was found, what was expected and what to do; the command line
prints it without a traceback and leaves with the error's exit code.
"""

from __future__ import annotations

from typing import ClassVar


class HarnessError(Exception):
    """The run failed (exit code 1)."""

    exit_code: ClassVar[int] = 1


class UsageError(HarnessError):
    """The recipe or the command line is wrong (exit code 2)."""

    exit_code: ClassVar[int] = 2


class PluginError(HarnessError):
    """A plugin is broken (exit code 3)."""

    exit_code: ClassVar[int] = 3


class SceneError(HarnessError):
    """A scene's data cannot be used: missing, truncated or contradictory."""


class VideoError(HarnessError):
    """A video cannot be read or written."""


class CheckpointError(HarnessError):
    """A model checkpoint cannot be used."""


class AlignmentError(HarnessError):
    """Generation and a forward pass did not see the same pixels or tokens."""
