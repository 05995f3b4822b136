"""What each scene source takes in a recipe. No numpy here, so that listing plugins is instant."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from harness.component import Settings

Metres = Annotated[float, Field(gt=0, le=30, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]


class ProceduralSettings(Settings):
    """Rooms furnished at random from real sizes."""

    scenes: Annotated[int, Field(ge=1, le=1_000_000)] = 100
    """Number of scenes."""
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    """Other seeds give other rooms under other ids."""
    min_side: Annotated[Metres, Field(ge=2)] = 3.0
    """Shortest side of a room, metres."""
    max_side: Annotated[Metres, Field(ge=2)] = 7.0
    """Longest side of a room, metres."""
    min_height: Annotated[Metres, Field(ge=2.3)] = 2.4
    """Lowest ceiling, metres."""
    max_height: Annotated[Metres, Field(ge=2.3)] = 3.0
    """Highest ceiling, metres."""
    l_shaped: Share = 0.3
    """Share of rooms with an L-shaped floor."""
    min_objects: Annotated[int, Field(ge=1, le=200)] = 12
    """Fewest objects in a room."""
    max_objects: Annotated[int, Field(ge=1, le=200)] = 28
    """Most objects in a room."""
    repeated: Share = 0.5
    """Share of the categories that may occur more than once (chairs, not refrigerators) that do."""
    turned: Share = 0.3
    """Share of free-standing furniture that is turned by any angle, not aligned to the walls."""
    categories: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    """Only these categories; all of the furniture file if left out."""

    @model_validator(mode="after")
    def _ranges_are_ranges(self) -> Self:
        problems = [
            f"min_{name} {low} is more than max_{name} {high}"
            for name, low, high in (
                ("side", self.min_side, self.max_side),
                ("height", self.min_height, self.max_height),
                ("objects", self.min_objects, self.max_objects),
            )
            if low > high
        ]
        if problems:
            raise ValueError("; ".join(problems))
        return self


class VsiBenchMetaSettings(Settings):
    """Scene metadata files as VSI-Bench publishes them (`*_meta_info_*.json`), and VLM-3R's."""

    root: Path | None = None
    """Folder with the metadata files."""
    files: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    """Names of files in `root`; every `*_meta_info_*.json` if left out."""
    datasets: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    """Only scenes of these data sets (`scannet`, `scannetpp`, `arkitscenes`)."""
    only: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    """Only these scenes, by id."""
    limit: Annotated[int, Field(ge=1)] | None = None
    """At most this many scenes, the first ones."""
    videos: Path | None = None
    """Folder with `<dataset>/<scene>.mp4`; scenes without a file there have no footage."""
    strict_counts: bool = False
    """Refuse a scene whose counts and boxes disagree, instead of noting it in its faults."""


class ScanNetSettings(Settings):
    """The raw ScanNet release (v2): `scans/<scan>` with mesh, annotation and recording."""

    root: Path | None = None
    """The release's folder with `scans` and `scannetv2-labels.combined.tsv`, or its `scans`."""
    split: Literal["train", "val"] | None = None
    """Only scans of `scannetv2_train.txt` or `scannetv2_val.txt`; every scan if left out."""
    only: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    """Only these scans, by id."""
    limit: Annotated[int, Field(ge=1)] | None = None
    """At most this many scans, the first ones."""
    labels: Annotated[
        Literal["vsi_bench", "scannet200", "nyu40", "raw"] | Path,
        Field(union_mode="left_to_right"),
    ] = "vsi_bench"
    """Which labels become which categories: VSI-Bench's, ScanNet200's, NYU40's, the annotators'
    own (`raw`, as VSI-100k), or a file of your own."""
    boxes: Literal["oriented", "axis_aligned"] = "oriented"
    """Boxes around an object's vertices: upright and turned, or along the aligned axes."""
    alpha: Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)] = 5.0
    """Of the alpha shape that is the floor, per metre."""
    area_samples: Annotated[int, Field(ge=3, le=1_000_000)] = 10_000
    """Vertices drawn for it, with replacement."""
    area_seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    """Decides which vertices are drawn."""
    fill_holes: bool = True
    """Whether places without vertices amid the floor belong to it, as in VSI-Bench's answers."""
    keep_points: bool = False
    """Keep up to 2,000 points of each object, with the mean of all its vertices; VSI-100k measures
    between those means."""
    videos: Path | None = None
    """Folder with `scannet/<scan>.mp4` or `<scan>.mp4`; scans without a file there have no
    footage."""
    posed_frames: Annotated[float, Field(ge=0, le=60, allow_inf_nan=False)] = 2.0
    """Posed frames a second of a scene, those in which its objects are looked for; 0 leaves the
    recording unopened. A second is 24 frames of the recording."""
    visibility: bool = True
    """Whether to look for the objects in the posed frames; loading is faster without."""


class ScanNetPPSettings(Settings):
    """The ScanNet++ release: `data/<scene>/scans` and `data/<scene>/iphone`."""

    root: Path | None = None
    """Folder with the release's `data` and `splits`."""
    split: Literal["train", "val"] | None = None
    """Only scenes of `splits/nvs_sem_train.txt` or `nvs_sem_val.txt`; every scene if left out."""
    only: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    """Only these scenes, by id."""
    limit: Annotated[int, Field(ge=1)] | None = None
    """At most this many scenes, the first ones."""
    boxes: Literal["annotated", "oriented", "axis_aligned"] = "annotated"
    """The annotation's boxes, or boxes fitted to each instance's part of the mesh: upright and
    turned (`oriented`), or along the axes."""
    labels: Path | None = None
    """A file of labels to use instead of the one that comes with the source."""
    videos: Path | None = None
    """Folder with `scannetpp/<scene>.mp4`; scenes without a file there have no footage.
    `harness scenes import --videos` writes them from `iphone/rgb.mkv`."""
    fps: Annotated[float, Field(gt=0, le=60, allow_inf_nan=False)] = 30.0
    """Frames a second of exported videos; VSI-Bench's have 30."""
    posed_frames: Annotated[float, Field(gt=0, le=60, allow_inf_nan=False)] = 2.0
    """Posed frames a second of a scene, those in which its objects are looked for."""
    visibility: bool = True
    """Whether to look for the objects in the posed frames; loading is faster without."""


class ARKitScenesSettings(Settings):
    """The ARKitScenes release for 3D object detection: `<fold>/<video>`."""

    root: Path | None = None
    """Folder with the release's `Training`, `Validation` and `3dod_train_val_splits.csv`."""
    split: Literal["train", "val"] | None = None
    """Only scans of `Training` or of `Validation`; both if left out."""
    one_per_visit: bool = True
    """One scan of each room, the first one that is there, as VSI-Bench samples them."""
    only: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    """Only these scans, by id, several of a room if so named."""
    limit: Annotated[int, Field(ge=1)] | None = None
    """At most this many scans, the first ones."""
    labels: Path | None = None
    """A file of labels to use instead of the one that comes with the source."""
    videos: Path | None = None
    """Folder with `arkitscenes/<video>.mp4`; scans without a file there have no footage.
    `harness scenes import --videos` writes them from `lowres_wide`."""
    fps: Annotated[float, Field(gt=0, le=60, allow_inf_nan=False)] = 30.0
    """Frames a second of exported videos; VSI-Bench's have 30."""
    posed_frames: Annotated[float, Field(gt=0, le=60, allow_inf_nan=False)] = 2.0
    """Posed frames a second of a scan, those in which its objects are looked for."""
    visibility: bool = True
    """Whether to look for the objects in the posed frames; loading is faster without."""


class AriaDigitalTwinSettings(Settings):
    """Sequences of Aria Digital Twin: `3d_bounding_box.csv`, `scene_objects.csv`."""

    root: Path | None = None
    """One sequence's folder, or a folder of them."""
    split: Literal["train", "val", "test"] | None = None
    """The split that these sequences count as; the release has none."""
    only: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    """Only these sequences, by id."""
    limit: Annotated[int, Field(ge=1)] | None = None
    """At most this many sequences, the first ones."""
    labels: Path | None = None
    """A file of labels to use instead of the one that comes with the source."""
    posed_frames: Annotated[float, Field(gt=0, le=60, allow_inf_nan=False)] = 2.0
    """Posed frames a second of a scene."""
    visibility: bool = True
    """Whether to read what each posed frame shows, from `2d_bounding_box.csv`."""


class StoreSettings(Settings):
    """A store that `harness scenes import` wrote."""

    root: Path | None = None
    """Folder of the store."""
    datasets: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    """Only scenes of these data sets."""
    split: Annotated[str, Field(min_length=1)] | None = None
    """Only scenes of this split, such as `train`."""
    only: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    """Only these scenes, by id."""
    limit: Annotated[int, Field(ge=1)] | None = None
    """At most this many scenes, the first ones."""
