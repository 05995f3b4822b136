"""Which turn an angle is. Degrees, counter-clockwise from where one faces, in [0, 360)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.geometry import boundary_distances, sectors
from harness.scene import Array

# As the options of VSI-Bench print them; the places in this list are the turns' codes.
TURNS = ("Turn Left", "Turn Back", "Turn Right")
AHEAD = -1
# The angles that the turns mean, if taken exactly.
EXACT = (90.0, 180.0, 270.0)
_BOUNDARIES = (45.0, 135.0, 225.0, 315.0)
_CODES = np.array([AHEAD, 0, 1, 2, AHEAD])


def turn_codes(angles: ArrayLike) -> tuple[NDArray[np.intp], Array]:
    """(...) which turn faces an object at an angle, and the degrees to where another one does.

    Left and right are within 45 degrees of 90, back of 180; `AHEAD` is no turn.
    """
    codes = _CODES[sectors(angles, (0.0, *_BOUNDARIES))]
    return np.asarray(codes), boundary_distances(angles, _BOUNDARIES)


def headings(ways: Array) -> Array:
    """(...) degrees of ways (..., 2), counter-clockwise from x."""
    return np.asarray(np.degrees(np.arctan2(ways[..., 1], ways[..., 0])))


def relative(bearings: ArrayLike, heading: ArrayLike) -> Array:
    """(...) angles of bearings from where one faces."""
    angles = (np.asarray(bearings) - np.asarray(heading)) % 360.0
    # A tiny negative angle comes out of the modulo as 360 itself.
    return np.asarray(np.where(angles >= 360.0, 0.0, angles))
