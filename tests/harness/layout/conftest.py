"""Scenes to draw."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from harness.scene import Box, Scene, SceneObject

RECTANGLE = ((0.0, 0.0), (5.0, 0.0), (5.0, 4.0), (0.0, 4.0))
ELL = ((0.0, 0.0), (6.0, 0.0), (6.0, 2.5), (3.0, 2.5), (3.0, 5.0), (0.0, 5.0))


def scene_of(
    boxes: Iterable[tuple[str, Box]],
    *,
    floor: tuple[tuple[float, float], ...] = (),
    area: float = 20.0,
    name: str = "room",
) -> Scene:
    objects = tuple(
        SceneObject(f"{category}-{number}", category, box)
        for number, (category, box) in enumerate(boxes)
    )
    counts = Counter(item.category for item in objects)
    height = 2.6 if floor else None
    return Scene(name, "made", objects, area, (2.5, 2.0, 1.3), counts, floor=floor, height=height)


FURNITURE = [
    ("bed", Box.upright((1.2, 3.1, 0.3), (2.0, 1.6, 0.6))),
    ("table", Box.upright((3.6, 1.0, 0.4), (1.2, 0.8, 0.8), 0.4)),
    ("chair", Box.upright((2.7, 0.9, 0.45), (0.5, 0.5, 0.9), 1.1)),
    ("refrigerator", Box.upright((0.4, 0.4, 0.9), (0.7, 0.7, 1.8))),
    ("tv", Box.upright((4.9, 2.6, 1.2), (0.1, 1.0, 0.6))),
    ("ceiling light", Box.upright((2.5, 2.0, 2.5), (0.5, 0.5, 0.1))),
]


@pytest.fixture(scope="session")
def make_scene() -> Callable[..., Scene]:
    """A scene from (category, box) pairs; `floor`, `area` and `name` may be given."""
    return scene_of


@pytest.fixture(scope="session")
def furnished() -> Scene:
    return scene_of(FURNITURE, floor=RECTANGLE)


@pytest.fixture(scope="session")
def ell() -> Scene:
    return scene_of(FURNITURE, floor=ELL, area=22.5, name="ell")


@pytest.fixture(scope="session")
def real_scenes(shared_data: Callable[[str], Path]) -> list[Scene]:
    """Every eighth annotated scene of VSI-Bench, boxes and room size alone."""
    return list(_real(shared_data("vsibench-meta-info")))[::8]


def _real(folder: Path) -> Iterator[Scene]:
    for path in sorted(folder.glob("*_meta_info_val.json")):
        for name, record in json.loads(path.read_text()).items():
            objects = tuple(
                SceneObject(
                    f"{category}-{number}",
                    category,
                    Box(
                        tuple(box["centroid"]),
                        tuple(box["axesLengths"]),
                        tuple(box["normalizedAxes"]),
                    ),
                )
                for category, boxes in record["object_bbox"].items()
                for number, box in enumerate(boxes)
            )
            yield Scene(
                name,
                record["dataset"],
                objects,
                record["room_size"],
                tuple(record["room_center"]),
                record["object_counts"],
            )
