"""The scene sources and question generators that the package registers."""

import subprocess
import sys
from dataclasses import replace

import pytest

from harness.component import QuestionGenerator, SceneSource
from harness.layout.camera import camera_walk
from harness.layout.visibility import drawn_visibility
from harness_plugins.hooks import harness_question_generators, harness_scene_sources

SOURCES = {component.name: component for component in harness_scene_sources()}
GENERATORS = {component.name: component for component in harness_question_generators()}


def test_names():
    assert list(SOURCES) == [
        "aria_digital_twin",
        "arkitscenes",
        "procedural",
        "vsi_bench_meta",
        "scannet",
        "scannetpp",
        "store",
    ]
    assert list(GENERATORS) == [
        "object_counting",
        "object_abs_distance",
        "object_rel_distance",
        "object_rel_direction",
        "object_size_estimation",
        "room_size_estimation",
        "obj_appearance_order",
        "route_planning",
    ]


@pytest.mark.parametrize("name", SOURCES)
def test_sources_are_built_from_their_defaults(name):
    component = SOURCES[name]
    assert isinstance(component.create(component.config()), SceneSource)


@pytest.mark.parametrize("name", GENERATORS)
def test_generators_are_built_from_their_defaults(name, room, ask):
    component = GENERATORS[name]
    generator = component.create(component.config())
    assert isinstance(generator, QuestionGenerator)
    scene = room(
        ("bed", 0, 0, 0.4), ("sofa", 2, 0, 0.4), ("lamp", 0.5, 3, 0.4), ("tv", 4, 1, 0.4),
        ("desk", 1, 4.4, 0.4), ("chair", 4, 4, 0.4), ("chair", 5, 5, 0.4),
    )  # fmt: skip
    scene = replace(scene, floor=((-1.0, -1.0), (6.0, -1.0), (6.0, 6.0), (-1.0, 6.0)))
    frames = camera_walk(scene, seconds=60, fps=2, width=80, height=60, seed=0)
    scene = replace(scene, frames=frames, visibility=drawn_visibility(scene, frames))
    for style in ("vsi_bench", "vsi_100k"):
        questions = ask(generator, scene, style)
        assert questions, style
        assert {q.generator for q in questions} == {name}
        assert {q.version for q in questions} == {1}
        assert {q.style for q in questions} == {style}


@pytest.mark.parametrize(
    "component", [*SOURCES.values(), *GENERATORS.values()], ids=lambda c: c.name
)
def test_every_setting_is_described(component):
    fields = component.config.model_fields.values()
    assert all(field.description for field in fields)


def test_listing_imports_neither_numpy_nor_torch():
    code = (
        "import sys, harness_plugins.hooks as hooks\n"
        "list(hooks.harness_scene_sources()), list(hooks.harness_question_generators())\n"
        "print(sorted({'numpy', 'scipy', 'torch'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
