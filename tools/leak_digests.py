"""Make harness/harness/leak_digests.json anew from the official lists.

The lists are not part of this repository, as the terms of their data sets govern copies; each is
got from its owner:

- ScanNet v2: `scannetv2_val.txt` and `scannetv2_test.txt` of the benchmark repository;
- ScanNet++: `nvs_sem_val.txt` of the release and, where you have them, its test lists;
- ARKitScenes: `3dod_train_val_splits.csv` (video, visit, fold);
- VSI-Bench: the three `*_meta_info_val.json` of thinking-in-space.

Run it as

    python tools/leak_digests.py --scannet-val FILE --scannet-test FILE --scannetpp-val FILE \
        --arkitscenes FILE --vsi-bench FILE FILE FILE

With `--check` it writes nothing and leaves with 1 if the file in the package differs.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.leak import DIGESTS, digest

PACKAGED = Path(__file__).parents[1] / "harness" / "harness" / DIGESTS
_ABOUT = (
    "Digests of spaces that benchmarks and official splits hold out: the first 8 bytes of SHA-256 "
    "of dataset/space. Made by tools/leak_digests.py; harness/leak.py says why."
)


def make_digests(
    *,
    scannet_val: Path,
    scannet_test: Path,
    scannetpp_val: Path,
    scannetpp_test: Sequence[Path] = (),
    arkitscenes: Path,
    vsi_bench: Sequence[Path],
) -> dict[str, Any]:
    """The content of the file.

    Raises:
        ValueError: a list is empty or of another form.
    """
    visit_of, validation = _visits(arkitscenes)
    bench = {scene: record["dataset"] for path in vsi_bench for scene, record in _json(path)}
    # The benchmark first: a space it shows is named after it, not after the split it came from.
    splits: dict[str, Iterable[tuple[str, str]]] = {
        "VSI-Bench": ((dataset, scene) for scene, dataset in bench.items()),
        "ScanNet v2 validation split": (("scannet", scene) for scene in _lines(scannet_val)),
        "ScanNet v2 test split": (("scannet", scene) for scene in _lines(scannet_test)),
        "ScanNet++ validation split": (("scannetpp", scene) for scene in _lines(scannetpp_val)),
        "ScanNet++ test split": (
            ("scannetpp", scene) for path in scannetpp_test for scene in _lines(path)
        ),
        "ARKitScenes validation split": (("arkitscenes", video) for video in validation),
    }
    visits: dict[str, list[str]] = defaultdict(list)
    for video, visit in visit_of.items():
        visits[visit].append(digest("arkitscenes", video))
    return {
        "about": _ABOUT,
        "splits": [
            {
                "name": name,
                "spaces": sorted({digest(d, _space(d, s, visit_of)) for d, s in scenes}),
            }
            for name, scenes in splits.items()
        ],
        "visits": {visit: " ".join(sorted(videos)) for visit, videos in sorted(visits.items())},
    }


def as_text(digests: Mapping[str, Any]) -> str:
    """The file's text."""
    return json.dumps(digests, indent=0, ensure_ascii=True) + "\n"


def _space(dataset: str, scene: str, visit_of: Mapping[str, str]) -> str:
    # not harness.leak.space_of, which reads the file that is being made
    if dataset == "scannet":
        return scene.partition("_")[0]
    return visit_of.get(scene, scene) if dataset == "arkitscenes" else scene


def _visits(path: Path) -> tuple[dict[str, str], list[str]]:
    """Video -> name of its visit, where that is known; the videos of the validation fold."""
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    if not rows or not {"video_id", "visit_id", "fold"} <= rows[0].keys():
        raise ValueError(f"{path}: expected the columns video_id, visit_id and fold")
    visit_of = {
        row["video_id"]: f"visit-{digest('arkitscenes', 'visit/' + row['visit_id'])}"
        for row in rows
        if row["visit_id"] != "NA"
    }
    return visit_of, [row["video_id"] for row in rows if row["fold"] == "Validation"]


def _lines(path: Path) -> list[str]:
    found = path.read_text("utf-8").split()
    if not found:
        raise ValueError(f"{path}: no ids")
    return found


def _json(path: Path) -> Iterable[tuple[str, Mapping[str, str]]]:
    found = json.loads(path.read_text("utf-8"))
    if not isinstance(found, dict) or not found:
        raise ValueError(f"{path}: expected scenes by id")
    return list(found.items())


def main() -> int:
    """Write the file, or compare with it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    for name in ("scannet-val", "scannet-test", "scannetpp-val", "arkitscenes"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--scannetpp-test", type=Path, nargs="*", default=[])
    parser.add_argument("--vsi-bench", type=Path, nargs="+", required=True)
    parser.add_argument("--check", action="store_true")
    given = vars(parser.parse_args())
    check = given.pop("check")
    text = as_text(make_digests(**given))
    if not check:
        PACKAGED.write_text(text, encoding="utf-8")
        return 0
    same = text == PACKAGED.read_text("utf-8")
    sys.stdout.write(f"{PACKAGED.name} {'is up to date' if same else 'differs'}\n")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
