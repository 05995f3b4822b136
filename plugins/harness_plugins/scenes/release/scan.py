"""The files of one raw ScanNet scan."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.atomic import write_text
from harness.scene import Array, Intrinsics, Scene
from harness_plugins.scenes.release.alignment import axis_alignment, rows_as_text
from harness_plugins.scenes.release.labels import nyu40_id
from harness_plugins.scenes.release.ply import write_mesh
from harness_plugins.scenes.release.recording import record, resized, walk_of
from harness_plugins.scenes.release.sens import write_sens
from harness_plugins.scenes.release.surfaces import Surfaces


@dataclass(frozen=True)
class Sizes:
    """How large a release is made; small beside ScanNet's, so that a scene takes half a second.

    Args:
        frames: of each recording.
        colour: width and height in pixels. depth: the same.
        spacing: at most this far are neighbouring vertices of a mesh apart, metres (ScanNet's
            `vh_clean_2` meshes: about 2 to 5 cm).
    """

    frames: int = 60
    colour: tuple[int, int] = (320, 240)
    depth: tuple[int, int] = (160, 120)
    spacing: float = 0.05


def write_scan(scene: Scene, scan: str, place: Path, sizes: Sizes) -> None:
    """Write mesh, segments, annotation, recording and facts of a scene into the folder `place`.

    The scan's frame is turned and shifted against the scene's; `axisAlignment` turns it back.

    Args:
        scene: its floor's outline has right angles and sides along x and y.
        scan: id of the scan, the files' names.
        place: the scan's folder.
        sizes: how large it is made.
    """
    alignment = axis_alignment(scene.id)
    to_raw: Array = np.asarray(np.linalg.inv(alignment), dtype=np.float64)
    surfaces = Surfaces.of(scene, sizes.spacing)
    _write_meshes(surfaces, to_raw, place / f"{scan}_vh_clean_2")
    _write_annotation(surfaces, scan, place, sizes.spacing)
    walk = walk_of(scene, sizes.frames, *sizes.colour)
    camera = walk[0].intrinsics
    depth = resized(camera, *sizes.depth)
    # Trackers get lost, so a recording of some length has such a frame.
    lost = sizes.frames // 3 if sizes.frames > 2 else None
    write_sens(
        place / f"{scan}.sens",
        record(scene, walk, depth, to_raw, lost),
        sensor="drawn",
        colour=camera,
        depth=depth,
    )
    write_text(place / f"{scan}.txt", _facts(alignment, camera, depth, len(walk)))


def _write_meshes(surfaces: Surfaces, to_raw: Array, stem: Path) -> None:
    vertices = surfaces.vertices @ to_raw[:3, :3].T + to_raw[:3, 3]
    of_segment = np.zeros(int(surfaces.segments.max()) + 1, dtype=np.uint16)
    for group in surfaces.groups:
        of_segment[list(group.segments)] = nyu40_id(group.label)
    labels: NDArray[np.uint16] = of_segment[surfaces.segments]
    for ending, property_ in ((".ply", None), (".labels.ply", labels)):
        path = stem.with_name(stem.name + ending)
        write_mesh(path, vertices, surfaces.colours, surfaces.faces, property_)


def _write_annotation(surfaces: Surfaces, scan: str, place: Path, spacing: float) -> None:
    segments_file = f"{scan}_vh_clean_2.0.010000.segs.json"
    segments = {
        "params": {"surfaces": "sides of boxes", "spacing": f"{spacing}"},
        "sceneId": scan,
        "segIndices": surfaces.segments.tolist(),
    }
    groups = {
        "sceneId": f"scannet.{scan}",
        "appId": "vsi-harness",
        "segGroups": [
            {"id": at, "objectId": at, "segments": group.segments, "label": group.label}
            for at, group in enumerate(surfaces.groups)
        ],
        "segmentsFile": f"scannet.{segments_file}",
    }
    for name, value in ((segments_file, segments), (f"{scan}.aggregation.json", groups)):
        write_text(place / name, json.dumps(value, separators=(",", ":")))


def _facts(alignment: Array, colour: Intrinsics, depth: Intrinsics, frames: int) -> str:
    facts = {
        "axisAlignment": rows_as_text(alignment),
        "colorHeight": colour.height,
        "colorToDepthExtrinsics": rows_as_text(np.eye(4)),
        "colorWidth": colour.width,
        "depthHeight": depth.height,
        "depthWidth": depth.width,
        **{
            f"{name}_{which}": f"{value:.6f}"
            for which, camera in (("color", colour), ("depth", depth))
            for name, value in (
                ("fx", camera.fx), ("fy", camera.fy), ("mx", camera.cx), ("my", camera.cy)
            )
        },
        "numColorFrames": frames,
        "numDepthFrames": frames,
        "numIMUmeasurements": 0,
        "sceneType": "Misc.",
    }  # fmt: skip
    return "".join(f"{key} = {value}\n" for key, value in sorted(facts.items()))
