"""The run folder: one process at a time, stages that are done or not, nothing half-written.

A stage's key is a hash of all that goes into it. A stage marked done with its key is never made
again; a stage whose key occurs in a neighbouring run (another cell of an ablation) is linked.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.atomic import sweep, write_json, write_text
from harness.errors import UsageError

DONE = "done.json"
RECORD = "run.json"
RECIPE = "recipe.yaml"
LOCK = ".lock"


@dataclass(frozen=True)
class StageFolder:
    """A stage of a run: its folder, and the key of everything that went into it."""

    path: Path
    key: str

    @property
    def done(self) -> bool:
        """Whether the stage was finished with this key."""
        return _done_key(self.path) == self.key


@dataclass
class RunFolder:
    """A run's folder.

    Args:
        path: the folder.
        neighbours: folders of runs that may hold finished stages to share.
        say: tells the user one line.
        versions: of the software that is at work now, by name.
    """

    path: Path
    neighbours: Sequence[Path] = ()
    say: Callable[[str], None] = print
    versions: Mapping[str, str] = field(default_factory=dict)
    current: str = field(default="", init=False)

    def stage(self, name: str, inputs: object, make: Callable[[Path], None]) -> StageFolder:
        """Run a stage unless it is done; `make` fills its folder and may find its own leftovers.

        Args:
            name: the stage's folder.
            inputs: all that decides its outcome, as JSON values.
            make: does the work.
        """
        key = digest({"stage": name, "inputs": inputs})
        stage = StageFolder(self.path / name, key)
        self.current = name
        if stage.done:
            self.say(f"{name}: done before")
            return stage
        if (twin := self._twin(stage)) is not None:
            self._link(twin, stage)
            self.say(f"{name}: taken from {twin.parent.name}, where it is the same")
            return stage
        self._note_other_versions(name)
        self._begin(stage)
        make(stage.path)
        write_json(stage.path / DONE, {"key": key})
        return stage

    def _note_other_versions(self, name: str) -> None:
        """Say so where a run goes on with other software than it was begun with."""
        if not self.versions:
            return
        record = json.loads((self.path / RECORD).read_text())
        before = record["versions"]
        changed = [
            f"{package} {now} (the run was begun with {before.get(package, 'none')})"
            for package, now in self.versions.items()
            if before.get(package) != now
        ]
        warning = f"{name} was made with {', '.join(changed)}"
        if changed and warning not in record["warnings"]:
            self.say(f"warning: {warning}")
            record["warnings"].append(warning)
            write_json(self.path / RECORD, record)

    def _begin(self, stage: StageFolder) -> None:
        """Keep leftovers of the same work (to resume), throw away those of another."""
        begun = stage.path / "begun.json"
        if stage.path.exists() and _entry(begun, "key") != stage.key:
            _remove(stage.path)
        write_json(begun, {"key": stage.key})

    def _twin(self, stage: StageFolder) -> Path | None:
        for neighbour in self.neighbours:
            candidate = neighbour / stage.path.name
            if neighbour != self.path and _done_key(candidate) == stage.key:
                return candidate
        return None

    def _link(self, twin: Path, stage: StageFolder) -> None:
        part = stage.path.with_name(stage.path.name + ".part")
        _remove(part)
        _remove(stage.path)
        shutil.copytree(twin, part, copy_function=_link_or_copy)
        part.rename(stage.path)


@contextmanager
def opened(path: Path, recipe_text: str, record: dict[str, Any], *, fresh: bool) -> Iterator[None]:
    """Hold a run folder: created, resumed if it holds the same recipe, or started over.

    Args:
        path: the run folder.
        recipe_text: the resolved recipe, as YAML.
        record: provenance; its `hash` tells recipes apart.
        fresh: start over.

    Raises:
        UsageError: another process uses the folder, it holds another recipe, or it is no run folder.
    """
    with held(path):
        if fresh:
            _empty(path)
        _check_same_recipe(path, record["hash"])
        sweep(path)
        write_text(path / RECIPE, recipe_text)
        if not (path / RECORD).is_file():
            write_json(path / RECORD, record)
        yield


@contextmanager
def held(path: Path, what: str = "run folder") -> Iterator[None]:
    """Hold a folder, made if need be, for this process alone.

    Args:
        what: what the folder is, for messages.

    Raises:
        UsageError: another process holds it, it cannot be written, or it is somebody else's.
    """
    try:
        _refuse_foreign(path, what)
        path.mkdir(parents=True, exist_ok=True)
        lock = (path / LOCK).open("a+")
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise UsageError(
            f"{what} {path} cannot be made or written ({error.strerror}): choose another with --out"
        ) from error
    with lock:
        _lock_or_refuse(lock, path, what)
        yield


def digest(value: object) -> str:
    """sha256 of JSON with sorted keys, 32 hex digits."""
    content = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def _refuse_foreign(path: Path, what: str) -> None:
    if path.exists() and not path.is_dir():
        raise UsageError(f"{path} is a file, expected a {what}: choose another with --out")
    if path.is_dir() and any(path.iterdir()) and not (path / LOCK).is_file():
        raise UsageError(
            f"{path} has files in it and is no {what}: choose another name or another --out"
        )


def _lock_or_refuse(lock: Any, path: Path, what: str) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.seek(0)
        owner = lock.read().strip() or "unknown"
        raise UsageError(
            f"{what} {path} is in use by process {owner}: wait for it, stop it, or choose another "
            "folder with --out"
        ) from error
    except OSError as error:
        raise UsageError(
            f"{what} {path} cannot be locked ({error.strerror}): choose a folder on another file "
            "system with --out"
        ) from error
    lock.seek(0)
    lock.truncate()
    lock.write(str(os.getpid()))
    lock.flush()


def _check_same_recipe(path: Path, hash_: str) -> None:
    record = path / RECORD
    if not record.is_file():
        return
    before = _entry(record, "hash")
    if before == hash_:
        return
    if not any(path.glob(f"*/{DONE}")):
        # Nothing is lost with a run that failed before it finished a stage; its recipe was mended.
        record.unlink()
    elif before is None:
        raise UsageError(f"{record} is damaged: put it back, or start over with --fresh")
    else:
        raise UsageError(
            f"run folder {path} holds a run of another recipe or other settings (hash "
            f"{before[:12]}, now {hash_[:12]}; compare {path / RECIPE} with `harness recipe "
            "show`): use another name (--set name=NAME), another folder (--out DIR), or --fresh to "
            "start over"
        )


def _empty(path: Path) -> None:
    # The record first: what is left when this is cut short belongs to no recipe.
    (path / RECORD).unlink(missing_ok=True)
    for item in path.iterdir():
        if item.name == LOCK:
            continue
        if item.is_dir() and not item.is_symlink():
            _remove(item)
        else:
            item.unlink()


def _remove(stage: Path) -> None:
    """Delete a stage, beginning with its mark: half deleted, it is not done."""
    (stage / DONE).unlink(missing_ok=True)
    if stage.exists():
        shutil.rmtree(stage)


def _done_key(stage: Path) -> str | None:
    return _entry(stage / DONE, "key")


def _entry(path: Path, name: str) -> str | None:
    try:
        value: str = json.loads(path.read_text())[name]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return value


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
