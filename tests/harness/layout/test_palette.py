"""Category colours."""

from __future__ import annotations

import numpy as np

from harness.layout.palette import PALETTE, colour_of
from harness.scene import Scene


def test_colours_do_not_change() -> None:
    """Layout videos of different versions are to show the same thing in the same colour."""
    assert colour_of("table") == (0xFF, 0x00, 0xFF)
    assert colour_of("chair") == (0x00, 0xFF, 0x00)
    assert colour_of("washing machine") == (0x5A, 0x5A, 0x96)
    assert colour_of("something new") == (0xFF, 0x96, 0x69)


def test_palette_colours_are_apart_from_each_other_and_from_grey() -> None:
    colours = np.array(PALETTE, dtype=float)
    assert len(set(PALETTE)) == len(PALETTE) == 96
    distance = np.linalg.norm(colours[:, None] - colours[None], axis=-1)
    np.fill_diagonal(distance, np.inf)
    for count, least in ((16, 86), (32, 61), (65, 42), (96, 29)):
        assert distance[:count, :count].min() > least
    assert np.ptp(colours, axis=1).min() > 40


def test_the_benchmarks_categories_have_a_colour_each(real_scenes: list[Scene]) -> None:
    names = {item.category for scene in real_scenes for item in scene.objects}
    assert len(names) > 40
    assert len({colour_of(name) for name in names}) == len(names)
