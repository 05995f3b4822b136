"""Scenes to questions: ask each scene, draw a set from all that was asked, spread the letters."""

from __future__ import annotations

from harness.generate.ask import AskRules, Block, ask
from harness.generate.build import build_questions, count, kept_of
from harness.generate.categories import Categories
from harness.generate.draw import draw, draw_evenly_by_type
from harness.generate.family import Family
from harness.generate.letters import finished
from harness.generate.scenes import load_scenes, refuse_too_faulty, shared_spaces
from harness.generate.seen import SeenRule, with_drawn_frames

__all__ = [
    "AskRules",
    "Block",
    "Categories",
    "Family",
    "SeenRule",
    "ask",
    "build_questions",
    "count",
    "draw",
    "draw_evenly_by_type",
    "finished",
    "kept_of",
    "load_scenes",
    "refuse_too_faulty",
    "shared_spaces",
    "with_drawn_frames",
]
