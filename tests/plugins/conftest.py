"""Rooms to ask about, made by hand and real."""

from collections import Counter

import numpy as np
import pytest

from harness.scene import Box, Scene, SceneObject
from harness_plugins.scenes.settings import VsiBenchMetaSettings
from harness_plugins.scenes.vsi_bench_meta import build


@pytest.fixture(scope="session")
def room():
    """Make a scene from (category, x, y) or (category, x, y, side): cubes on the floor, 0.2 m wide."""

    def make(*things, counts=None, area=20.0, points=None):
        objects = []
        for index, (category, x, y, *side) in enumerate(things):
            size = side[0] if side else 0.2
            objects.append(
                SceneObject(
                    f"{category.replace(' ', '_')}_{index}",
                    category,
                    Box((x, y, size / 2), (size, size, size)),
                    points=(points or {}).get(category),
                )
            )
        found = dict(Counter(thing[0] for thing in things))
        return Scene("room", "test", tuple(objects), area, (0.0, 0.0, 0.0), counts or found)

    return make


@pytest.fixture(scope="session")
def ask():
    """The questions of a generator about one scene, as a list."""

    def questions(generator, scene, style="vsi_bench", seed=0):
        return list(generator.questions(scene, style, np.random.default_rng(seed)))

    return questions


@pytest.fixture(scope="session")
def real_scenes(shared_data):
    """VSI-Bench's 288 scenes by id."""
    source = build(VsiBenchMetaSettings(root=shared_data("vsibench-meta-info")))
    return {scene_id: source.load(scene_id) for scene_id in source.scene_ids()}
