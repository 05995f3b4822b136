"""A raw ScanNet release: meshes, segments, annotations, recordings, label table, split lists."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from harness.atomic import write_json, write_text
from harness.errors import UsageError
from harness.scene import Scene
from harness_plugins.scenes.release.labels import label_table
from harness_plugins.scenes.release.scan import Sizes, write_scan

# ScanNet's rooms end at scene0806: none of its scans has such a number.
FIRST_SCAN, MOST_SCANS = 9000, 1000
LABEL_TABLE = "scannetv2-labels.combined.tsv"
TRAIN, VAL = "scannetv2_train.txt", "scannetv2_val.txt"
# Which scenes each scan was, in the source's own ids.
SCENES = "scenes.json"
# A fifth of the scenes is held out, about as in ScanNet, and one of two.
VAL_PART = 5
_PREFIX = ".writing-"


def write_scannet(
    scene_ids: Sequence[str],
    load: Callable[[str], Scene],
    folder: Path,
    progress: Callable[[int, int], object],
    sizes: Sizes | None = None,
) -> None:
    """Write scenes as a raw ScanNet release; each scan's folder appears when it is whole.

    Scans that are there already are kept, so an interrupted call goes on where it ended. Scans
    are named `scene9000_00` and on; `scenes.json` tells which scene each is.

    Args:
        scene_ids: of the scenes, at most 1,000.
        load: gives a scene. Its floor's outline has right angles and sides along x and y.
        folder: of the release.
        progress: is told how many of how many scenes are written.
        sizes: how large it is made.

    Raises:
        UsageError: too many scenes for the ids that look like ScanNet's.
    """
    if len(scene_ids) > MOST_SCANS:
        raise UsageError(
            f"a release has ids for {MOST_SCANS} scenes at most, found {len(scene_ids)}: write "
            "fewer, such as with --set scenes=1000"
        )
    sizes = sizes or Sizes()
    for leftover in (folder / "scans").glob(f"{_PREFIX}*"):
        shutil.rmtree(leftover)
    scans = {f"scene{FIRST_SCAN + at:04d}_00": scene for at, scene in enumerate(scene_ids)}
    labels: Counter[str] = Counter()
    for done, (scan, scene_id) in enumerate(scans.items(), 1):
        scene = load(scene_id)
        with _whole_folder(folder / "scans" / scan) as place:
            if place is not None:
                write_scan(scene, scan, place, sizes)
        labels.update(["floor", *["wall"] * len(scene.floor), *(o.category for o in scene.objects)])
        progress(done, len(scans))
    write_text(folder / LABEL_TABLE, label_table(dict(sorted(labels.items()))))
    held_out = max(1, len(scans) // VAL_PART) if len(scans) > 1 else 0
    names = list(scans)
    trained_on = len(scans) - held_out
    for name, members in ((TRAIN, names[:trained_on]), (VAL, names[trained_on:])):
        write_text(folder / name, "".join(f"{scan}\n" for scan in members))
    write_json(folder / SCENES, scans)


@contextmanager
def _whole_folder(target: Path) -> Iterator[Path | None]:
    """A folder that takes its place when the block ends without an error; None if it is there."""
    if target.exists():
        yield None
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f"{_PREFIX}{target.name}")
    temporary.mkdir()
    try:
        yield temporary
        temporary.replace(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
