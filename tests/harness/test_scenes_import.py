"""`harness scenes import`: whatever goes wrong, what was read stays, and the end is the same."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.commands.source import open_source, source_part
from harness.errors import HarnessError, UsageError
from harness.scene_import import Summary, import_scenes
from harness.store import SceneStore
from harness.video import probe

Import = Callable[..., Summary]
FIXTURES = Path(__file__).parent / "fixtures"

DIED = (
    "the process that read this scene {}, twice, the second time with no other beside it (most "
    "often: out of memory)"
)


@pytest.fixture
def run(install) -> Import:
    """Imports the fake source `perilous` with two processes."""
    install("perilous")

    def call(store: Path, *settings: str, source: str = "perilous", **options) -> Summary:
        part = source_part(source, settings)
        given = {"workers": 2, **options}
        return import_scenes(open_source(part), part.settings.model_dump_json(), store, **given)

    return call


def contents(store: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(store)): path.read_bytes()
        for path in sorted(store.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


def test_what_is_imported_is_what_the_source_gives(run: Import, tmp_path: Path) -> None:
    summary = run(tmp_path / "store", "scenes=70", source="procedural")
    source = open_source(source_part("procedural", ["scenes=70"]))
    store = SceneStore(tmp_path / "store")
    assert (summary.asked, summary.before, summary.tally.scenes) == (70, 0, 70)
    assert list(store.entries) == source.scene_ids()
    assert [store.load(name) for name in store.entries] == [
        source.load(name) for name in source.scene_ids()
    ]


def test_frames_and_visibility_come_along(run: Import, tmp_path: Path) -> None:
    run(tmp_path / "store", "scenes=2")
    scene = SceneStore(tmp_path / "store").load("room001")
    source = open_source(source_part("perilous", []))
    assert scene == source.load("room001")
    assert scene.visibility is not None
    assert scene.visibility.pixels.tolist() == [[5, 0], [0, 0], [7, 0]]


@pytest.mark.parametrize("videos", [False, True])
def test_the_bytes_do_not_depend_on_the_number_of_processes(
    run: Import, tmp_path: Path, videos: bool
) -> None:
    settings = ["scenes=70", "faulty=[3, 65]", "raising=[4]", f"footage={str(videos).lower()}"]
    one, two = tmp_path / "one", tmp_path / "two"
    run(one, *settings, workers=1, videos=videos)
    run(two, *settings, workers=2, videos=videos)
    assert contents(one) == contents(two)
    assert {"scenes-00000.parquet", "scenes-00001.parquet", "store.json"} < contents(one).keys()


def test_bad_scenes_are_left_out_and_listed(run: Import, tmp_path: Path) -> None:
    summary = run(tmp_path, "scenes=8", "faulty=[1, 2]", "raising=[3]", "memory=[6]")
    listed = [json.loads(line) for line in (tmp_path / "skipped.jsonl").read_text().splitlines()]
    assert [(entry["scene"], entry["reason"]) for entry in listed] == [
        (left.scene, left.reason) for left in summary.tally.skipped
    ]
    assert listed[0] == {"scene": "room001", "reason": "scene room001: its mesh is torn"}
    assert listed[2]["reason"].startswith(
        "'perilous' (scenes) of plugin 'perilous' (perilous 1.0), while loading scene room003: "
        "ZeroDivisionError: no room"
    )
    assert listed[3] == {
        "scene": "room006",
        "reason": "out of memory: try fewer processes (--workers 1)",
    }
    assert list(SceneStore(tmp_path).entries) == ["room000", "room004", "room005", "room007"]


def test_a_scene_that_ends_its_process_is_named_and_the_others_are_imported(
    run: Import, tmp_path: Path
) -> None:
    summary = run(tmp_path, "scenes=12", "killed=[2]", "leaving=[7]")
    assert [(left.scene, left.reason) for left in summary.tally.skipped] == [
        (
            "room002",
            DIED.format("was killed by signal 9"),
        ),
        (
            "room007",
            DIED.format("ended with exit code 7"),
        ),
    ]
    assert summary.tally.scenes == 10


def test_a_scene_whose_process_ended_once_is_tried_again(run: Import, tmp_path: Path) -> None:
    summary = run(tmp_path / "store", "scenes=6", f"once={tmp_path / 'once'}")
    assert (tmp_path / "once").exists()
    assert (summary.tally.scenes, summary.tally.skipped) == (6, ())


def test_a_full_disk_stops_the_import_and_it_goes_on_when_there_is_room(
    run: Import, tmp_path: Path
) -> None:
    full, broken, unbroken = tmp_path / "full", tmp_path / "broken", tmp_path / "unbroken"
    settings = ["scenes=6", f"full={full}"]
    full.touch()
    with pytest.raises(OSError, match="No space left on device"):
        run(broken, *settings, workers=1)
    assert len(list((broken / ".parts").glob("*.arrow"))) == 2
    full.unlink()
    assert run(broken, *settings).before == 2
    run(unbroken, *settings)
    assert contents(broken) == contents(unbroken)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system, which only root may make."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if not mounted("-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)):
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", folder], check=True)


def mounted(*arguments: str) -> bool:
    try:
        ended = subprocess.run(["mount", *arguments], capture_output=True, check=False)
    except FileNotFoundError:
        return False
    return ended.returncode == 0


def test_a_disk_that_fills_up_and_is_enlarged(
    install, harness_main, disk: Path, tmp_path: Path
) -> None:
    install("perilous")
    command = ("scenes", "import", "perilous", "--set", "scenes=70", "--workers", "2", "--out")
    ended = harness_main(*command, disk / "store")
    assert ended.code == 1
    assert ended.err.splitlines()[-1].startswith("error: the disk is full, or your quota on it (")
    assert mounted("-o", "remount,size=8m", str(disk))
    ended = harness_main(*command, disk / "store")
    assert ended.code == 0
    assert "were there before" in ended.out
    harness_main(*command, tmp_path / "unbroken")
    assert contents(disk / "store") == contents(tmp_path / "unbroken")


def test_videos(run: Import, tmp_path: Path) -> None:
    summary = run(tmp_path, "scenes=6", "footage=true", videos=True)
    store = SceneStore(tmp_path)
    videos = {name: store.load(name).video for name in store.entries}
    assert [name for name, video in videos.items() if video is None] == ["room002", "room005"]
    assert videos["room001"] is not None
    assert videos["room001"].path == tmp_path / "videos/perilous/room001.mp4"
    assert {probe(video.path) for video in videos.values() if video is not None} == {4}
    assert (summary.tally.scenes, summary.tally.videos) == (6, 4)
    assert (tmp_path / "no_video.jsonl").read_text() == (
        '{"reason": "scene room002: no footage", "scene": "room002"}\n'
        '{"reason": "scene room005: no footage", "scene": "room005"}\n'
    )


def test_the_poses_of_a_video_lie_beside_it(run: Import, tmp_path: Path) -> None:
    run(tmp_path, "scenes=2", "footage=true", videos=True)
    lines = (tmp_path / "videos/perilous/room001.poses.jsonl").read_text().splitlines()
    *posed, lost = map(json.loads, lines)
    frames = SceneStore(tmp_path).load("room001").frames
    assert [row["frame"] for row in (*posed, lost)] == list(range(len(frames) + 1))
    assert lost["pose"] is None
    assert [tuple(row["pose"]["camera_to_world"]) for row in posed] == [
        frame.camera_to_world for frame in frames
    ]


def test_video_files_that_a_source_names_are_copied(run: Import, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    run(first, "scenes=2", "footage=true", videos=True)
    run(second, f"root={first}", source="store", videos=True)
    names = ["videos/perilous/room000.mp4", "videos/perilous/room001.mp4"]
    assert [(second / name).read_bytes() for name in names] == [
        (first / name).read_bytes() for name in names
    ]
    assert SceneStore(second).load("room001").video is not None


def test_without_videos_a_store_has_none(run: Import, tmp_path: Path) -> None:
    run(tmp_path, "scenes=2", "footage=true")
    assert SceneStore(tmp_path).load("room000").video is None
    assert not (tmp_path / "no_video.jsonl").exists()


def test_a_finished_import_does_nothing_more(run: Import, tmp_path: Path) -> None:
    first = run(tmp_path, "scenes=5", "faulty=[1]")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.parquet")}
    again = run(tmp_path, "scenes=5", "faulty=[1]")
    assert (again.tally, again.before) == (first.tally, 5)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.parquet")} == before


@pytest.mark.parametrize("damage", ["delete", "truncate", "other"])
def test_a_damaged_file_is_made_anew(run: Import, tmp_path: Path, damage: str) -> None:
    run(tmp_path, "scenes=70")
    whole = contents(tmp_path)
    path = tmp_path / "scenes-00001.parquet"
    if damage == "delete":
        path.unlink()
    elif damage == "truncate":
        path.write_bytes(path.read_bytes()[:-100])
    else:
        path.write_bytes((tmp_path / "scenes-00000.parquet").read_bytes())
    assert run(tmp_path, "scenes=70").before == 64
    assert contents(tmp_path) == whole


def test_other_settings_are_refused_and_named(run: Import, tmp_path: Path) -> None:
    run(tmp_path, "scenes=3")
    with pytest.raises(UsageError) as caught:
        run(tmp_path, "scenes=4", "faulty=[1]", videos=True)
    assert str(caught.value) == (
        f"store {tmp_path} holds another import:\n"
        "  - scenes: 3 in the store, now 4\n"
        "  - settings.faulty: [] in the store, now [1]\n"
        "  - settings.scenes: 3 in the store, now 4\n"
        "  - videos: false in the store, now true\n"
        "choose another --out, or --fresh to start over"
    )
    with pytest.raises(UsageError, match='source: "perilous" in the store, now "procedural"'):
        run(tmp_path, "scenes=3", source="procedural")


def test_fresh_starts_over(run: Import, tmp_path: Path) -> None:
    run(tmp_path / "store", "scenes=3", "footage=true", videos=True)
    run(tmp_path / "store", "scenes=2", fresh=True)
    run(tmp_path / "new", "scenes=2")
    assert contents(tmp_path / "store") == contents(tmp_path / "new")


def test_a_folder_of_something_else_is_left_alone(run: Import, tmp_path: Path) -> None:
    (tmp_path / ".lock").touch()
    (tmp_path / "run.json").write_text("{}")
    for fresh in (False, True):
        with pytest.raises(UsageError, match=r"is no scene store \(run\.json\)"):
            run(tmp_path, "scenes=2", fresh=fresh)
    assert (tmp_path / "run.json").read_text() == "{}"
    (tmp_path / ".lock").unlink()
    with pytest.raises(UsageError, match="has files in it and is no scene store"):
        run(tmp_path, "scenes=2")


def test_a_store_in_use_is_refused(run: Import, tmp_path: Path) -> None:
    with (tmp_path / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write("4711")
        lock.flush()
        with pytest.raises(UsageError, match=r"scene store .* is in use by process 4711"):
            run(tmp_path, "scenes=2")


def test_a_source_that_cannot_be_opened_in_a_process_ends_the_import(
    install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as a plugin that was taken off the path between; never a store of skipped scenes."""
    install("perilous")
    part = source_part("perilous", ["scenes=2"])
    opened = open_source(part)
    monkeypatch.setattr("sys.path", [entry for entry in sys.path if "fixtures" not in entry])
    with pytest.raises(HarnessError, match="no component 'perilous'"):
        import_scenes(opened, part.settings.model_dump_json(), tmp_path, workers=2)


ARGUMENTS = ("scenes", "import", "perilous", "--set", "scenes=80", "--set", "faulty=[5]")


def started(harness_process, store: Path, done: int):
    """An import under way, with so many scenes done."""
    process = harness_process(
        *ARGUMENTS, "--set", "seconds=0.02", "--out", store, "--workers", "2", plugins="perilous"
    )
    deadline = time.monotonic() + 60
    while finished(store) < done:
        assert time.monotonic() < deadline, process.communicate()
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)
    return process


def finished(store: Path) -> int:
    parts = {int(p.stem) for p in store.glob(".parts/0*") if p.suffix in (".arrow", ".json")}
    for shard in store.glob("scenes-*.parquet"):
        begin = 64 * int(shard.stem[-5:])
        parts |= set(range(begin, min(begin + 64, 80)))
    return len(parts)


@pytest.mark.parametrize("done", [1, 30, 66])
def test_an_import_that_was_killed_goes_on_and_ends_the_same(
    run: Import, tmp_path: Path, harness_process, done: int
) -> None:
    process = started(harness_process, tmp_path / "killed", done)
    process.kill()
    process.communicate(timeout=30)
    assert not (tmp_path / "killed/skipped.jsonl").exists()
    kept = finished(tmp_path / "killed")
    settings = ["scenes=80", "faulty=[5]", "seconds=0.02"]
    summary = run(tmp_path / "killed", *settings)
    assert done <= kept <= summary.before
    run(tmp_path / "unbroken", *settings)
    assert contents(tmp_path / "killed") == contents(tmp_path / "unbroken")


@pytest.mark.slow
def test_killed_at_any_write_of_its_own_an_import_goes_on_and_ends_the_same(
    run: Import, tmp_path: Path
) -> None:
    settings = ["scenes=5", "faulty=[3]", "footage=true"]
    writes = killed_at(tmp_path / "unbroken", 0)
    unbroken = contents(tmp_path / "unbroken")
    assert len(unbroken) == 10
    for number in range(1, writes + 1, 3):
        store = tmp_path / f"killed-{number}"
        assert killed_at(store, number) == -signal.SIGKILL
        run(store, *settings, workers=1, videos=True)
        assert contents(store) == unbroken, number


def killed_at(store: Path, number: int) -> int:
    """Number of writes, or the signal (negative) that ended the process."""
    ended = subprocess.run(
        [sys.executable, FIXTURES / "import_killed_at_a_write.py", store, str(number)],
        env={**os.environ, "PYTHONPATH": str(FIXTURES / "plugins/perilous")},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode <= 0, ended.stderr
    return ended.returncode or int(ended.stdout)


def test_ctrl_c_keeps_what_was_read(run: Import, tmp_path: Path, harness_process) -> None:
    store = tmp_path / "store"
    process = started(harness_process, store, 10)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: all processes hear it
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in said
    kept = finished(store)
    assert kept >= 10
    assert run(store, "scenes=80", "faulty=[5]", "seconds=0.02").before >= kept


def test_the_command_tells_what_was_imported_and_what_was_not(install, harness_main) -> None:
    install("perilous")
    ended = harness_main(
        *("scenes", "import", "perilous", "--out", "store", "--videos", "--workers", "2"),
        *("--set", "scenes=8", "--set", "faulty=[0, 1, 3, 4]", "--set", "killed=[6]"),
        *("--set", "footage=true"),
    )
    assert ended.code == 0
    assert ended.out.splitlines() == [
        "store: 3 scenes of 8, 6 objects, 9 posed frames, 1 video",
        "skipped 5 scenes, listed in store/skipped.jsonl; they stay so until --fresh:",
        "  4: scene room000: its mesh is torn (room000, room001, room003 and 1 more)",
        f"  1: {DIED.format('was killed by signal 9')} (room006)",
        "2 scenes without a video, listed in store/no_video.jsonl:",
        "  2: scene room002: no footage (room002, room005)",
    ]
    assert ended.err.startswith("import into store: 8 scenes in ")
    again = harness_main(
        *("scenes", "import", "perilous", "--out", "store", "--videos"),
        *("--set", "scenes=8", "--set", "faulty=[0, 1, 3, 4]", "--set", "killed=[6]"),
        *("--set", "footage=true"),
    )
    assert again.out.splitlines()[0].endswith("1 video (8 were there before)")


def test_an_import_of_nothing_is_an_error(install, harness_main) -> None:
    install("perilous")
    ended = harness_main(
        *("scenes", "import", "perilous", "--out", "store"),
        *("--set", "scenes=2", "--set", "faulty=[0, 1]"),
    )
    assert ended.code == 1
    assert ended.err.splitlines()[-1] == (
        "error: store: none of 2 scenes could be imported: mend what is listed above, then import "
        "again with --fresh"
    )


def test_real_metadata_comes_back_as_it_was(run: Import, tmp_path: Path, shared_data) -> None:
    root = shared_data("vsibench-meta-info")
    run(tmp_path, f"root={root}", source="vsi_bench_meta")
    source = open_source(source_part("vsi_bench_meta", [f"root={root}"]))
    store = SceneStore(tmp_path)
    assert [store.load(name) for name in store.entries] == [
        source.load(name) for name in source.scene_ids()
    ]
    assert len(store.entries) == 288
