"""One scan's files ─► a `Scene`: boxes, floor and centre from the mesh and its annotation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ParamSpec, TypeVar

import numpy as np

from harness.alpha_shape import room_centre, room_floor
from harness.errors import SceneError
from harness.fitting import aligned_box, upright_box
from harness.scene import Array, Scene, SceneObject
from harness_plugins.scenes.files.ply import Mesh, read_mesh
from harness_plugins.scenes.files.problems import refuse, shortened
from harness_plugins.scenes.scannet.alignment import Alignment, read_alignment
from harness_plugins.scenes.scannet.annotation import Annotation, read_annotation
from harness_plugins.scenes.scannet.labels import TABLE, Labels
from harness_plugins.scenes.scannet.release import Release
from harness_plugins.scenes.settings import ScanNetSettings

DATASET = "scannet"
# All points of all objects would take megabytes a scene; these tell a surface to centimetres.
MOST_POINTS = 2_000

T = TypeVar("T")
P = ParamSpec("P")


@dataclass(frozen=True, eq=False)
class Scan:
    """A scan in its aligned world.

    Args:
        scene: without frames and footage.
        alignment: from the scan's own world.
        points: object id -> (m, 3) all its vertices, metres, aligned.
    """

    scene: Scene
    alignment: Alignment
    points: Mapping[str, Array]


def read_scan(release: Release, scan: str, labels: Labels, settings: ScanNetSettings) -> Scan:
    """Read a scan's mesh, annotation and alignment, and measure them.

    Raises:
        SceneError: all faults of the files, each with file and field.
    """
    mesh_path = release.file(scan, "_vh_clean_2.ply")
    problems: list[str] = []
    mesh = _tried(problems, read_mesh, mesh_path)
    alignment = _tried(problems, read_alignment, release.file(scan, ".txt"))
    annotation = _tried(
        problems,
        read_annotation,
        release.file(scan, "_vh_clean_2.0.010000.segs.json"),
        release.file(scan, ".aggregation.json"),
        scan=scan,
        vertices=None if mesh is None else len(mesh.vertices),
    )
    refuse(problems)
    assert mesh is not None and alignment is not None and annotation is not None  # noqa: PT018
    return _measured(scan, mesh_path, mesh, alignment, annotation, labels, settings)


def _measured(
    scan: str,
    mesh_path: Path,
    mesh: Mesh,
    alignment: Alignment,
    annotation: Annotation,
    labels: Labels,
    settings: ScanNetSettings,
) -> Scan:
    vertices = alignment.points(mesh.vertices.astype(np.float64))
    floor = room_floor(
        vertices,
        alpha=settings.alpha,
        samples=settings.area_samples,
        seed=settings.area_seed,
        fill_holes=settings.fill_holes,
    )
    if not floor.area > 0:
        raise SceneError(
            f"{mesh_path}: vertex: no floor: seen from above the {len(vertices):,} vertices lie on "
            f"a line, or farther apart than alpha {settings.alpha:g} per metre joins"
        )
    objects, points, faults = _objects(annotation, vertices, labels, settings)
    if mesh.faces is None or not len(mesh.faces):
        faults.insert(0, f"{mesh_path.name} has no faces")
    low, high = float(vertices[:, 2].min()), float(vertices[:, 2].max())
    scene = Scene(
        id=scan,
        dataset=DATASET,
        objects=objects,
        room_area=floor.area,
        room_centre=room_centre(vertices),
        counts=Counter(found.category for found in objects),
        floor=floor.outline,
        height=high - low,
        faults=(*alignment.faults, *annotation.faults, *faults),
    )
    return Scan(scene, alignment, points)


def _objects(
    annotation: Annotation, vertices: Array, labels: Labels, settings: ScanNetSettings
) -> tuple[tuple[SceneObject, ...], dict[str, Array], list[str]]:
    fit = {"oriented": upright_box, "axis_aligned": aligned_box}[settings.boxes]
    objects, points, unknown = list[SceneObject](), dict[str, Array](), set[str]()
    for instance in annotation.instances:
        category = labels.category(instance.label)
        if category is None:
            unknown.update([] if labels.knows(instance.label) else [instance.label])
            continue
        mine = vertices[instance.vertices]
        points[instance.id] = mine
        kept = thinned(mine) if settings.keep_points else None
        objects.append(SceneObject(instance.id, category, fit(mine), kept))
    faults = []
    if unknown:
        faults.append(f"labels not in {TABLE}, kept out: {shortened(sorted(unknown), ', ')}")
    if not objects:
        faults.append(
            f"none of the {len(annotation.instances)} annotated objects is of a category of "
            f"labels {settings.labels}"
        )
    # In the order that questions follow, as the released metadata has it.
    rank = {category: place for place, category in enumerate(labels.chosen.order)}
    seen = dict.fromkeys(found.category for found in objects)
    order = sorted(seen, key=lambda category: rank.get(category, len(rank)))
    objects.sort(key=lambda found: order.index(found.category))
    return tuple(objects), points, faults


def thinned(points: Array) -> Array:
    """At most `MOST_POINTS` of an object's points, with the mean of all of them.

    VSI-100k measures between the means of objects' points. So every k-th point is kept, and all
    of them are shifted together by what their mean is off, some millimetres in real scans.
    """
    step = -(-len(points) // MOST_POINTS)
    some = points[::step]
    shifted: Array = some + (points.mean(axis=0) - some.mean(axis=0))
    shifted.flags.writeable = False
    return shifted


def _tried(
    problems: list[str], read: Callable[P, T], *args: P.args, **kwargs: P.kwargs
) -> T | None:
    try:
        return read(*args, **kwargs)
    except SceneError as error:
        problems.append(str(error))
        return None
