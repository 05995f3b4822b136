"""A scene seen from above, with key frames: for looking at data."""

from harness.floor_plan.key_frames import KeyFrame, drawn_frames, filmed_frames
from harness.floor_plan.page import scene_page
from harness.floor_plan.plan import draw_plan
from harness.floor_plan.sheet import scene_sheet

__all__ = [
    "KeyFrame",
    "draw_plan",
    "drawn_frames",
    "filmed_frames",
    "scene_page",
    "scene_sheet",
]
