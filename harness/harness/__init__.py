"""vsi-harness: benchmark and training harness for visual-spatial reasoning.

The names plugin authors need. They are imported on first use, so `import harness` is instant.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.component import (
        Backbone,
        Component,
        ModelShape,
        QuestionGenerator,
        Recomputed,
        Reward,
        Rollout,
        SceneSource,
        Scored,
        Settings,
        Task,
        TaskInput,
    )
    from harness.errors import (
        AlignmentError,
        CheckpointError,
        HarnessError,
        PluginError,
        SceneError,
        UsageError,
        VideoError,
    )
    from harness.hookspecs import hookimpl
    from harness.question import Question
    from harness.scene import Box, Frame, Intrinsics, Scene, SceneObject, VideoRef, Visibility

_HOME = {
    "harness.component": (
        "Backbone Component ModelShape QuestionGenerator Recomputed Reward Rollout SceneSource "
        "Scored Settings Task TaskInput"
    ),
    "harness.errors": (
        "AlignmentError CheckpointError HarnessError PluginError SceneError UsageError VideoError"
    ),
    "harness.hookspecs": "hookimpl",
    "harness.question": "Question",
    "harness.scene": "Box Frame Intrinsics Scene SceneObject VideoRef Visibility",
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names.split()}

__all__ = [
    "AlignmentError",
    "Backbone",
    "Box",
    "CheckpointError",
    "Component",
    "Frame",
    "HarnessError",
    "Intrinsics",
    "ModelShape",
    "PluginError",
    "Question",
    "QuestionGenerator",
    "Recomputed",
    "Reward",
    "Rollout",
    "Scene",
    "SceneError",
    "SceneObject",
    "SceneSource",
    "Scored",
    "Settings",
    "Task",
    "TaskInput",
    "UsageError",
    "VideoError",
    "VideoRef",
    "Visibility",
    "hookimpl",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'harness' has no attribute {name!r}")
    return getattr(import_module(_MODULE_OF[name]), name)
