"""An import from its first scene to its last: the folder held, shards written as they fill."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from harness.atomic import sweep, write_jsonl
from harness.errors import SceneError, UsageError
from harness.guarded import GuardedScenes
from harness.runs import LOCK, digest, held
from harness.scene_import.job import ImportJob
from harness.scene_import.parts import PARTS, Parts
from harness.scene_import.pool import Item, import_all
from harness.store import SHARD, STORE, SceneStore, Shard, StoreRecord, shard_name, write_shard
from harness.store.shard import Tally

SKIPPED, NO_VIDEO, VIDEOS = "skipped.jsonl", "no_video.jsonl", "videos"

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Summary:
    """What a finished import left in the store.

    Args:
        tally: scenes, objects, frames, videos, and what was left out.
        before: scenes that were there when it began.
        asked: scenes the source lists.
    """

    tally: Tally
    before: int
    asked: int


def import_scenes(
    source: GuardedScenes,
    settings: str,
    store: Path,
    *,
    videos: bool = False,
    workers: int = 1,
    fresh: bool = False,
    progress: Progress = lambda _done, _total, _scene: None,
) -> Summary:
    """Read all scenes of a source into a store, or go on with one that was cut short.

    The same source and settings give the same bytes, whatever the number of processes and however
    often the import was cut short. A scene that cannot be read is left out and listed.

    Args:
        source: where the scenes are; worker processes open it again by its name.
        settings: of the source, as JSON text.
        store: folder of the store.
        videos: write footage too.
        workers: processes.
        fresh: throw away what the folder holds.
        progress: called with scenes done, scenes in all and the id of the last one.

    Raises:
        UsageError: the folder holds another import, or is in use. SceneError: the source lists no
            scenes. OSError: the disk is full.
    """
    ids = source.scene_ids()
    if not ids:
        raise SceneError(f"{source.registered}: lists no scenes, so there is nothing to import")
    job = ImportJob(source.registered.name, settings, store, videos)
    with _opened(store, _record(source, settings, ids, videos), fresh=fresh):
        run = _Import(job, list(enumerate(ids)))
        before = len(ids) - len(run.left)
        run.run(workers, progress)
        return Summary(run.finish(), before, len(ids))


def _record(source: GuardedScenes, settings: str, ids: Sequence[str], videos: bool) -> StoreRecord:
    registered = source.registered
    return StoreRecord(
        source=registered.name,
        settings=json.loads(settings),
        plugin=registered.plugin,
        distribution=registered.distribution,
        version=registered.version,
        harness=version("vsi-harness"),
        videos=videos,
        scenes=len(ids),
        ids=digest(list(ids)),
        shard=SHARD,
    )


@contextmanager
def _opened(store: Path, now: StoreRecord, *, fresh: bool) -> Iterator[None]:
    with held(store, "scene store"):
        _refuse_other_folders(store)
        if fresh:
            _empty(store)
        if (store / STORE).exists():
            _refuse_other_imports(store, now)
        else:
            _empty(store)  # what is left of a --fresh that was cut short
            now.write(store)
        sweep(store)
        yield


def _ours(path: Path) -> bool:
    names = (STORE, LOCK, PARTS, SKIPPED, NO_VIDEO, VIDEOS)
    return path.name in names or path.match("scenes-*.parquet") or path.name.startswith(".writing-")


def _refuse_other_folders(store: Path) -> None:
    others = sorted(path.name for path in store.iterdir() if not _ours(path))
    if others and not (store / STORE).exists():
        raise UsageError(
            f"{store} has files in it and is no scene store ({', '.join(others)[:200]}): choose "
            "another --out"
        )


def _refuse_other_imports(store: Path, now: StoreRecord) -> None:
    try:
        differences = StoreRecord.read(store).differences(now)
    except SceneError as error:
        raise UsageError(f"{error}; or choose another --out") from error
    if differences:
        listed = "\n".join(f"  - {one}" for one in differences)
        raise UsageError(
            f"store {store} holds another import:\n{listed}\nchoose another --out, or --fresh to "
            "start over"
        )


def _empty(store: Path) -> None:
    # The record first: what is left when this is cut short belongs to no import.
    (store / STORE).unlink(missing_ok=True)
    for path in store.iterdir():
        if not _ours(path) or path.name == LOCK:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


class _Import:
    """The scenes of a held store: those that are there, and those that are left."""

    def __init__(self, job: ImportJob, items: Sequence[Item]) -> None:
        self.job, self.items = job, items
        self.parts = Parts(job.store)
        self.numbers = {
            shard: range(begin, min(begin + SHARD, len(items)))
            for shard, begin in enumerate(range(0, len(items), SHARD))
        }
        self.unwritten = {shard for shard in self.numbers if not self._is_whole(shard)}
        for shard in self.numbers.keys() - self.unwritten:
            self.parts.forget(self.numbers[shard])
        self.left = [
            items[number]
            for shard in sorted(self.unwritten)
            for number in self.numbers[shard]
            if not self.parts.has(number)
        ]

    def _is_whole(self, shard: int) -> bool:
        path = self.job.store / shard_name(shard)
        try:
            tally = Shard(path).tally
        except SceneError:
            return False  # absent, or damaged and made anew
        return tally.scenes + len(tally.skipped) == len(self.numbers[shard])

    def run(self, workers: int, progress: Progress) -> None:
        waiting = dict.fromkeys(self.unwritten, 0)
        for number, _ in self.left:
            waiting[number // SHARD] += 1
        for shard in sorted(waiting):
            if not waiting[shard]:
                self._write(shard)
        before = len(self.items) - len(self.left)
        with closing(import_all(self.job, self.left, workers)) as finished:
            for done, (number, scene) in enumerate(finished, before + 1):
                progress(done, len(self.items), scene)
                shard = number // SHARD
                waiting[shard] -= 1
                if not waiting[shard]:
                    self._write(shard)

    def _write(self, shard: int) -> None:
        numbers = self.numbers[shard]
        write_shard(
            self.job.store / shard_name(shard),
            (self.parts.read(number, self.items[number][1]) for number in numbers),
        )
        self.parts.forget(numbers)

    def finish(self) -> Tally:
        store = self.job.store
        tally = SceneStore(store).tally()
        write_jsonl(store / SKIPPED, map(asdict, tally.skipped))
        if self.job.videos:
            write_jsonl(store / NO_VIDEO, map(asdict, tally.no_video))
        if (store / PARTS).is_dir():
            shutil.rmtree(store / PARTS)
        return tally
