"""What this package offers, found through the entry point `harness-plugins`.

Settings are imported here, and they import neither numpy nor torch; the code behind a component
is imported when it is built.
"""

from __future__ import annotations

from collections.abc import Iterable

from harness.component import Backbone, Component, QuestionGenerator, SceneSource
from harness.hookspecs import hookimpl
from harness_plugins.backbones.settings import Qwen2VLSettings, TinySettings
from harness_plugins.questions.settings import (
    ObjAppearanceOrderSettings,
    ObjectAbsDistanceSettings,
    ObjectCountingSettings,
    ObjectRelDirectionSettings,
    ObjectRelDistanceSettings,
    ObjectSizeEstimationSettings,
    RoomSizeEstimationSettings,
    RoutePlanningSettings,
)
from harness_plugins.scenes.settings import (
    AriaDigitalTwinSettings,
    ARKitScenesSettings,
    ProceduralSettings,
    ScanNetPPSettings,
    ScanNetSettings,
    StoreSettings,
    VsiBenchMetaSettings,
)


@hookimpl
def harness_scene_sources() -> Iterable[Component[SceneSource]]:
    """Where scenes come from."""
    return (
        Component(
            "aria_digital_twin",
            AriaDigitalTwinSettings,
            "harness_plugins.scenes.aria_digital_twin.source:build",
            "Aria Digital Twin's ground truth, turned to z up",
        ),
        Component(
            "arkitscenes",
            ARKitScenesSettings,
            "harness_plugins.scenes.arkitscenes.source:build",
            "the ARKitScenes release for 3D object detection",
        ),
        Component(
            "procedural",
            ProceduralSettings,
            "harness_plugins.scenes.procedural:build",
            "rooms furnished at random from real sizes",
        ),
        Component(
            "vsi_bench_meta",
            VsiBenchMetaSettings,
            "harness_plugins.scenes.vsi_bench_meta:build",
            "VSI-Bench's scene metadata files, and VLM-3R's",
        ),
        Component(
            "scannet",
            ScanNetSettings,
            "harness_plugins.scenes.scannet.source:build",
            "the raw ScanNet release: meshes, annotations, recordings",
        ),
        Component(
            "scannetpp",
            ScanNetPPSettings,
            "harness_plugins.scenes.scannetpp.source:build",
            "the ScanNet++ release",
        ),
        Component(
            "store",
            StoreSettings,
            "harness_plugins.scenes.store:build",
            "a store written by `harness scenes import`",
        ),
    )


@hookimpl
def harness_question_generators() -> Iterable[Component[QuestionGenerator]]:
    """The families of VSI-Bench and VSI-100k."""
    return (
        Component(
            "object_counting",
            ObjectCountingSettings,
            "harness_plugins.questions.object_counting:build",
            "how many of a category are in the room",
        ),
        Component(
            "object_abs_distance",
            ObjectAbsDistanceSettings,
            "harness_plugins.questions.object_abs_distance:build",
            "how far two objects are from each other, in metres",
        ),
        Component(
            "object_rel_distance",
            ObjectRelDistanceSettings,
            "harness_plugins.questions.object_rel_distance:build",
            "which of four objects is the closest to another one",
        ),
        Component(
            "object_rel_direction",
            ObjectRelDirectionSettings,
            "harness_plugins.questions.object_rel_direction:build",
            "where an object is, seen from a second one and facing a third",
        ),
        Component(
            "object_size_estimation",
            ObjectSizeEstimationSettings,
            "harness_plugins.questions.object_size_estimation:build",
            "how long the longest side of an object is, in centimetres",
        ),
        Component(
            "room_size_estimation",
            RoomSizeEstimationSettings,
            "harness_plugins.questions.room_size_estimation:build",
            "how large the floor of the room is, in square metres",
        ),
        Component(
            "obj_appearance_order",
            ObjAppearanceOrderSettings,
            "harness_plugins.questions.obj_appearance_order:build",
            "in which order four categories come into view",
        ),
        Component(
            "route_planning",
            RoutePlanningSettings,
            "harness_plugins.questions.route_planning:build",
            "how to turn on the way from one object to another",
        ),
    )


@hookimpl
def harness_backbones() -> Iterable[Component[Backbone]]:
    """Video language models."""
    return (
        Component(
            "qwen2_vl",
            Qwen2VLSettings,
            "harness_plugins.backbones.qwen2_vl:build_qwen2_vl",
            "Qwen2-VL, from a folder or the Hugging Face hub",
        ),
        Component(
            "tiny",
            TinySettings,
            "harness_plugins.backbones.tiny:build_tiny",
            "a Qwen2-VL of three million random parameters, built on the spot",
        ),
    )
