"""Which scenes benchmarks test on, so that nobody trains on them by accident.

VSI-Bench shows 288 scenes of three data sets, all from their validation splits.
What counts is the space, not the scan: ScanNet filmed `scene0025` three times, and ARKitScenes
films a flat in several videos of one visit. So every scan of a space that a benchmark or an
official validation or test split shows is leaked, whatever list it stands in itself.

The official lists belong to their data sets, whose terms govern copies. The package ships digests
of the spaces (the first 8 bytes of SHA-256 of `dataset/space`), which say whether a scene is in a
list and are no list. They hide nothing from anybody who has the ids. `tools/leak_digests.py` makes
the file anew from the official lists.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from harness.errors import UsageError

DIGESTS = "leak_digests.json"

# ScanNet names a space `scene0025` and its scans `scene0025_00`, `scene0025_01`, ...
_SCAN = re.compile(r"(scene\d{4})_\d{2}")
_SPELLINGS = {
    "scannetv2": "scannet",
    "scannet_v2": "scannet",
    "scannet++": "scannetpp",
    "scannetppv2": "scannetpp",
    "scannetpp_v2": "scannetpp",
    "arkitscene": "arkitscenes",
    "arkit": "arkitscenes",
}
_SHOWN = 5


@dataclass(frozen=True)
class _Digests:
    """What the file holds.

    Args:
        splits: digest of `dataset/space` -> the benchmark or split that shows the space; where
            several do, the first of the file, which is the benchmark.
        visits: digest of `arkitscenes/video` -> name of the visit it was filmed in.
    """

    splits: Mapping[str, str]
    visits: Mapping[str, str]


def leaked(dataset: str, scene: str) -> str | None:
    """The benchmark or official held-out split that shows the scene's space, or None.

    Args:
        dataset: as in `Question.dataset`: `scannet`, `scannetpp`, `arkitscenes`; others have no
            held-out scenes known here.
        scene: id of the scene, as the data set writes it.

    Returns:
        `VSI-Bench` where the benchmark shows the space, else such as `ScanNet v2 validation split`.
    """
    name = _name(dataset)
    return _digests().splits.get(digest(name, space_of(name, scene)))


def space_of(dataset: str, scene: str) -> str:
    """The space a scene shows: scans of one space share it, other scenes are their own.

    ScanNet's `scene0025_01` gives `scene0025`. A video of ARKitScenes gives the name of its visit
    (a digest, as the list of visits is the data set's), or itself if the list does not know it.
    """
    name, scene = _name(dataset), scene.strip()
    if name == "scannet":
        scan = _SCAN.fullmatch(scene.lower())
        return scan[1] if scan else scene.lower()
    if name == "arkitscenes":
        return _digests().visits.get(digest(name, scene), scene)
    return scene.lower() if name == "scannetpp" else scene


def refuse_leaks(
    scenes: Iterable[tuple[str, str]], *, allowed: bool, setting: str
) -> dict[tuple[str, str], str]:
    """The leaked ones among scenes somebody wants to train on, unless they may not.

    Args:
        scenes: (dataset, scene) pairs; repetitions count once.
        allowed: whether leaked scenes may be used.
        setting: how the user allows them, for the message (such as `--allow-leak`).

    Returns:
        (dataset, scene) -> the benchmark or split, in the order given; for `Question.leak`.

    Raises:
        UsageError: some are leaked and that is not allowed.
    """
    asked = dict.fromkeys(scenes)
    found = {pair: split for pair in asked if (split := leaked(*pair)) is not None}
    if found and not allowed:
        raise UsageError(
            f"{len(found)} of {len(asked)} scenes show spaces that benchmarks test on: "
            f"{_listed(found)}. Scores on those benchmarks would mean nothing after training on "
            f"them. Use scenes of the training splits, or say {setting} if that is what you want"
        )
    return found


def digest(dataset: str, space: str) -> str:
    """16 hex digits: the first 8 bytes of SHA-256 of `dataset/space`."""
    return hashlib.sha256(f"{dataset}/{space}".encode("utf-8", "replace")).hexdigest()[:16]


def _name(dataset: str) -> str:
    name = dataset.strip().lower()
    return _SPELLINGS.get(name, name)


def _listed(found: Mapping[tuple[str, str], str]) -> str:
    by_split: dict[str, list[str]] = defaultdict(list)
    for (dataset, scene), split in found.items():
        by_split[split].append(f"{dataset}/{scene}")
    parts = []
    for split, count in Counter(found.values()).most_common():
        more = f", and {count - _SHOWN} more" if count > _SHOWN else ""
        parts.append(f"{count} of {split} ({', '.join(by_split[split][:_SHOWN])}{more})")
    return "; ".join(parts)


@cache
def _digests() -> _Digests:
    text = files(__package__ or "harness").joinpath(DIGESTS).read_text("utf-8")
    held = json.loads(text)
    splits: dict[str, str] = {}
    for split in held["splits"]:
        for one in split["spaces"]:
            splits.setdefault(one, split["name"])
    visits = {video: visit for visit, videos in held["visits"].items() for video in videos.split()}
    return _Digests(splits, visits)
