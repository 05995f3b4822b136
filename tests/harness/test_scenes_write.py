"""`harness scenes write`."""

import json

import pytest

WRITE = ("scenes", "write", "procedural", "--set", "min_objects=6", "--set", "max_objects=8")


@pytest.fixture(scope="module")
def one_scene(tmp_path_factory):
    """A release of one scene, to look at."""
    from harness.commands.scenes_write import write_release

    folder = tmp_path_factory.mktemp("release") / "new" / "folder"
    write_release("procedural", ["scenes=1", "min_objects=6", "max_objects=8"], folder)
    return folder


def test_a_release_is_written_and_marked(one_scene):
    scan = one_scene / "scans" / "scene9000_00"
    assert (scan / "scene9000_00.sens").stat().st_size > 100_000
    mark = json.loads((one_scene / "release.json").read_text())
    assert (mark["source"], mark["settings"]["scenes"]) == ("procedural", 1)


def test_the_same_command_keeps_what_is_there(harness_main, one_scene):
    sens = one_scene / "scans" / "scene9000_00" / "scene9000_00.sens"
    before = sens.stat().st_mtime_ns
    ended = harness_main(*WRITE, "--set", "scenes=1", "--out", one_scene)
    assert (ended.code, ended.out) == (0, f"written: {one_scene}\n")
    assert ended.err.startswith("write: 1 scenes in ")
    assert sens.stat().st_mtime_ns == before


def test_other_settings_want_another_folder(harness_main, one_scene):
    ended = harness_main(*WRITE, "--set", "scenes=2", "--out", one_scene)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == (
        f"error: {one_scene}: holds a release of other scenes (see release.json there): choose "
        "another folder, or delete this one\n"
    )
    assert not (one_scene / "scans" / "scene9001_00").exists()


@pytest.mark.parametrize("name", ["notes.txt", "release.json"])
def test_a_folder_with_something_else_is_left_alone(harness_main, write, name):
    path = write(f"out/{name}", "my own")
    ended = harness_main(*WRITE, "--out", "out")
    assert ended.code == 2
    assert ended.err.startswith("error: out: holds ")
    assert [file.read_text() for file in path.parent.iterdir()] == ["my own"]


def test_a_file_is_no_folder(harness_main, write):
    write("out", "my own")
    assert harness_main(*WRITE, "--out", "out").code == 2
    below = harness_main(*WRITE, "--out", "out/below")
    assert (below.code, below.out) == (2, "")
    assert below.err.startswith("error: out/below: cannot be written (")


def test_a_source_that_cannot_write_one(harness_main, shared_data, tmp_path):
    root = shared_data("vsibench-meta-info")
    ended = harness_main(
        "scenes", "write", "vsi_bench_meta", "--set", f"root={root}", "--out", tmp_path / "out"
    )
    assert ended.code == 2
    assert "cannot write a release: use a source that makes its scenes" in ended.err
    assert not (tmp_path / "out").exists()


def test_wrong_names_and_settings(harness_main):
    assert harness_main("scenes", "write", "procedurall", "--out", "out").code == 2
    assert harness_main(*WRITE, "--set", "scenes=none", "--out", "out").code == 2
