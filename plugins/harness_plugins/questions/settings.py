"""What each question family takes in a recipe. No numpy here, so that listing plugins is instant.

Defaults are VSI-Bench's rules as recomputed from its released answers, unless said otherwise.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic.config import JsonDict

from harness.component import Settings

Metres = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Degrees = Annotated[float, Field(ge=0, lt=45)]
Decimals = Annotated[int, Field(ge=0, le=3)]
Level = Literal["easy", "medium", "hard"]
BoxDistance = Literal["exact", "vsi_bench"]
# Marks settings that only draw from the admissible questions; null asks them all.
SAMPLING: JsonDict = {"sampling": True}


class ObjectCountingSettings(Settings):
    """How many of a category are in the room."""

    min_count: Annotated[int, Field(ge=1)] = 2
    """Fewest instances asked about; VSI-Bench never asks about a single one."""


class ObjectAbsDistanceSettings(Settings):
    """How far two objects are from each other."""

    mode: BoxDistance = "exact"
    """`exact`: closest points of the boxes. `vsi_bench`: the benchmark's own sampling, 0 to 0.1 m
    more, to reproduce its answers. Questions in the style `vsi_100k` always measure centres."""
    min_distance: Metres = 0.2
    """Closer pairs are not asked about, metres."""
    decimals: Decimals = 1
    """Decimals of the answer."""
    audit_tolerance: Metres | None = None
    """How far a row's answer may be from the distance, metres, when rows are audited; by default
    0.1 in the mode `vsi_bench` and 0.15 in `exact`."""


class ObjectRelDistanceSettings(Settings):
    """Which of four objects is the closest to another one."""

    mode: BoxDistance = "exact"
    """As in `object_abs_distance`."""
    min_distance: Metres = 0.15
    """No option may be closer to the target than this, metres."""
    min_gap: Metres = 0.15
    """Any two options' distances differ by more than this, metres."""
    large_room_area: Metres = 40.0
    """Rooms above this many square metres are held to `large_room_gap`."""
    large_room_gap: Metres = 0.3
    """`min_gap` of large rooms: the rule of the VSI-Bench paper. The released benchmark has
    questions that break it and seems to have been made with 0.15 throughout."""
    sets_per_target: Annotated[int, Field(ge=1)] | None = Field(1, json_schema_extra=SAMPLING)
    """Sets of four options drawn for each target; all admissible ones with null. VSI-100k's 13k
    questions over 1.2k scenes are about one for each object that occurs once."""


class ObjectRelDirectionSettings(Settings):
    """Where an object is, seen from a second one and facing a third."""

    levels: Annotated[tuple[Level, ...], Field(min_length=1)] = ("easy", "medium", "hard")
    """`easy`: left or right. `medium`: left, right or back. `hard`: four quadrants.
    In the style `vsi_100k` only `easy` is asked, as the paper does."""
    min_distance: Metres = 0.3
    """Closest two of the three boxes may be, metres."""
    max_distance: Metres = 5.0
    """Farthest two of the three boxes may be, metres."""
    min_plan_distance: Metres = 0.3
    """Closest two of the three centres may be on the floor plan, metres, as a lamp right above a
    table cannot be faced. VSI-Bench has no such rule: 0 to reproduce it."""
    margin: Degrees = 10.0
    """Smallest angle to the next answer's sector, on both sides."""
    compatible_margin: bool = False
    """`hard` as in the released benchmark, which checks the margin on one side only."""
    max_stray_corners: Annotated[int, Field(ge=0, le=8)] = 2
    """Most corners of the object's box that may lie in another sector than its centre."""
    max_triples: Annotated[int, Field(ge=1)] | None = Field(2, json_schema_extra=SAMPLING)
    """Triples of objects drawn for each level and scene, up to three questions each; all with
    null. VSI-Bench has at most 2 in each scene."""

    @model_validator(mode="after")
    def _distances_are_a_range(self) -> Self:
        if self.min_distance > self.max_distance:
            raise ValueError(
                f"min_distance {self.min_distance} is more than max_distance {self.max_distance}"
            )
        if len(set(self.levels)) != len(self.levels):
            raise ValueError(f"levels {self.levels} name one twice")
        return self


class ObjectSizeEstimationSettings(Settings):
    """How long the longest side of an object is, in centimetres."""

    decimals: Decimals = 0
    """Decimals of the answer."""


class RoomSizeEstimationSettings(Settings):
    """How large the floor of the room is, in square metres."""

    decimals: Decimals = 1
    """Decimals of the answer."""


class ObjAppearanceOrderSettings(Settings):
    """In which order four categories come into view."""

    min_share: Annotated[float, Field(gt=0, le=1)] = 0.001
    """A category appears in the first frame of which its instances together fill this share:
    307 of 640 x 480 pixels. VSI-Bench's threshold is not published."""
    min_gap: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1.0
    """Any two of the four appear more than this apart, seconds (VLM-3R's scripts). Of what the
    first frame shows, at most one is asked about."""
    sets: Annotated[int, Field(ge=1)] | None = Field(default=5, json_schema_extra=SAMPLING)
    """Sets of four categories drawn for each scene; all admissible ones with null. VSI-Bench has
    about 4.5 for each of its ScanNet and ScanNet++ scenes."""


class RoutePlanningSettings(Settings):
    """How to turn on the way from one object to another."""

    floor: Literal["known", "hull"] = "known"
    """`known`: only scenes whose floor outline is known are asked about. `hull`: where it is not,
    the hull of the boxes stands in for it."""
    robot_radius: Metres = 0.2
    """Kept from walls and obstacles by the robot's middle, metres."""
    robot_height: Annotated[Metres, Field(ge=0.2)] = 1.2
    """Boxes lower than this and higher than 0.1 m above the floor stand in the way, metres."""
    reach: Metres = 0.5
    """The robot is beside an object where its middle is this near to the box on the floor plan,
    metres."""
    min_leg: Annotated[Metres, Field(ge=0.2)] = 1.0
    """Shortest way between two objects, metres."""
    margin: Degrees = 15.0
    """Smallest angle to where another turn would be right: `left` and `right` are within
    45 degrees less this of 90, `back` of 180."""
    min_landmark: Metres = 0.3
    """Objects whose longest side is shorter are not named, metres."""
    min_blanks: Annotated[int, Field(ge=1, le=3)] = 1
    """Fewest turns to fill in."""
    max_blanks: Annotated[int, Field(ge=1, le=3)] = 3
    """Most turns to fill in."""
    routes: Annotated[int, Field(ge=1)] | None = Field(default=3, json_schema_extra=SAMPLING)
    """Routes drawn for each scene, the numbers of turns in equal parts; all admissible ones with
    null (of at most 4,000 ways looked at for each number of turns)."""

    @model_validator(mode="after")
    def _ranges_are_ranges(self) -> Self:
        problems = []
        if self.min_blanks > self.max_blanks:
            problems.append(
                f"min_blanks {self.min_blanks} is more than max_blanks {self.max_blanks}"
            )
        if self.reach <= self.robot_radius:
            problems.append(
                f"reach {self.reach} must be more than robot_radius {self.robot_radius}, or the "
                "robot never gets beside an object"
            )
        if problems:
            raise ValueError("; ".join(problems))
        return self
