"""The run folder: stages that are done or not, links between neighbours, locks, killed writers."""

from __future__ import annotations

import errno
import fcntl
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.atomic import sweep, write_json, write_text
from harness.errors import HarnessError, UsageError
from harness.runs import RunFolder, digest, opened

FIXTURES = Path(__file__).parent / "fixtures"
RECORD = {"hash": "a" * 64, "versions": {}, "warnings": []}


class Work:
    """Fills a stage, and counts how often it was asked to."""

    def __init__(self, text: str = "result") -> None:
        self.text, self.times, self.found = text, 0, []

    def __call__(self, folder: Path) -> None:
        self.times += 1
        self.found.append(sorted(path.name for path in folder.iterdir()))
        (folder / "result.txt").write_text(self.text)


def failing(folder: Path) -> None:
    (folder / "half.txt").write_text("half")
    raise HarnessError("stopped")


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def run(tmp_path, said) -> RunFolder:
    return RunFolder(tmp_path / "run", say=said.append)


def test_a_finished_stage_is_not_made_again(run, said):
    work = Work()
    first = run.stage("questions", {"seed": 0}, work)
    assert (first.done, first.path) == (True, run.path / "questions")
    assert run.stage("questions", {"seed": 0}, work) == first
    assert (work.times, said) == (1, ["questions: done before"])


def test_other_inputs_make_a_stage_anew_from_nothing(run):
    work = Work()
    run.stage("questions", {"seed": 0}, work)
    run.stage("questions", {"seed": 1}, work)
    assert work.found == [["begun.json"], ["begun.json"]]


def test_a_stage_that_failed_finds_its_own_leftovers(run):
    with pytest.raises(HarnessError):
        run.stage("questions", {"seed": 0}, failing)
    work = Work()
    run.stage("questions", {"seed": 0}, work)
    assert work.found == [["begun.json", "half.txt"]]


def test_a_stage_that_failed_leaves_nothing_to_another(run):
    with pytest.raises(HarnessError):
        run.stage("questions", {"seed": 0}, failing)
    work = Work()
    run.stage("questions", {"seed": 1}, work)
    assert work.found == [["begun.json"]]


@pytest.mark.parametrize("mark", ["", "{", "[]", '{"key": 1}', '{"kee": "x"}'])
def test_a_damaged_mark_is_no_mark(run, mark):
    work = Work()
    run.stage("questions", {"seed": 0}, work)
    (run.path / "questions/done.json").write_text(mark)
    run.stage("questions", {"seed": 0}, work)
    assert work.times == 2


def test_a_neighbours_stage_is_linked(tmp_path, run, said):
    Path(tmp_path / "neighbour").mkdir()
    neighbour = RunFolder(tmp_path / "neighbour")
    neighbour.stage("questions", {"seed": 0}, Work())
    run.neighbours = [run.path, neighbour.path]
    work = Work("other")
    run.stage("questions", {"seed": 0}, work)
    taken = run.path / "questions/result.txt"
    assert taken.stat().st_ino == (neighbour.path / "questions/result.txt").stat().st_ino
    assert (work.times, said) == (0, ["questions: taken from neighbour, where it is the same"])
    run.stage("questions", {"seed": 1}, work)
    assert (neighbour.path / "questions/result.txt").read_text() == "result"


def test_an_unfinished_stage_of_a_neighbour_is_not_taken(tmp_path, run):
    neighbour = RunFolder(tmp_path / "neighbour")
    with pytest.raises(HarnessError):
        neighbour.stage("questions", {"seed": 0}, failing)
    run.neighbours = [neighbour.path]
    work = Work()
    run.stage("questions", {"seed": 0}, work)
    assert work.times == 1


def test_half_a_link_is_thrown_away(tmp_path, run):
    neighbour = RunFolder(tmp_path / "neighbour")
    neighbour.stage("questions", {"seed": 0}, Work())
    part = run.path / "questions.part"
    part.mkdir(parents=True)
    (part / "stray.txt").touch()
    run.neighbours = [neighbour.path]
    run.stage("questions", {"seed": 0}, Work())
    assert sorted(path.name for path in (run.path / "questions").iterdir()) == [
        "begun.json",
        "done.json",
        "result.txt",
    ]


def test_a_neighbour_on_another_file_system_is_copied(tmp_path, run, monkeypatch):
    neighbour = RunFolder(tmp_path / "neighbour")
    neighbour.stage("questions", {"seed": 0}, Work())
    run.neighbours = [neighbour.path]

    def other_device(*_arguments):
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr("os.link", other_device)
    run.stage("questions", {"seed": 0}, Work())
    taken = run.path / "questions/result.txt"
    assert taken.read_text() == "result"
    assert taken.stat().st_ino != (neighbour.path / "questions/result.txt").stat().st_ino


def test_a_folder_is_opened_again_for_the_same_recipe_alone(tmp_path):
    with opened(tmp_path / "run", "name: a\n", RECORD, fresh=False):
        RunFolder(tmp_path / "run").stage("questions", 0, Work())
    with opened(tmp_path / "run", "name: a\n", RECORD, fresh=False):
        assert (tmp_path / "run/questions/result.txt").is_file()
    other = {**RECORD, "hash": "b" * 64}
    with (
        pytest.raises(
            UsageError, match=r"another recipe or other settings \(hash aaaaaaaaaaaa, now b"
        ),
        opened(tmp_path / "run", "name: b\n", other, fresh=False),
    ):
        pass
    assert (tmp_path / "run/recipe.yaml").read_text() == "name: a\n"
    with opened(tmp_path / "run", "name: b\n", other, fresh=True):
        assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [
            ".lock",
            "recipe.yaml",
            "run.json",
        ]


def test_the_record_is_of_the_first_time(tmp_path):
    with opened(tmp_path / "run", "", {**RECORD, "created": "first"}, fresh=False):
        pass
    with opened(tmp_path / "run", "", {**RECORD, "created": "second"}, fresh=False):
        pass
    assert json.loads((tmp_path / "run/run.json").read_text())["created"] == "first"


def test_the_lock_goes_with_its_holder(tmp_path):
    hold = (
        "import time\nfrom pathlib import Path\nfrom harness.runs import opened\n"
        f"with opened(Path({str(tmp_path / 'run')!r}), '', {RECORD!r}, fresh=False):\n"
        "    print('held', flush=True)\n    time.sleep(60)\n"
    )
    holder = subprocess.Popen([sys.executable, "-c", hold], stdout=subprocess.PIPE)
    assert holder.stdout.readline() == b"held\n"
    with (
        pytest.raises(UsageError, match=f"in use by process {holder.pid}"),
        opened(tmp_path / "run", "", RECORD, fresh=True),
    ):
        pass
    holder.kill()
    holder.communicate()
    with opened(tmp_path / "run", "", RECORD, fresh=False):
        pass


def test_a_file_system_without_locks_is_told(tmp_path, monkeypatch):
    def no_locks(*_arguments):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with (
        pytest.raises(UsageError, match=r"cannot be locked \(No locks available\)"),
        opened(tmp_path / "run", "", RECORD, fresh=False),
    ):
        pass


def test_half_written_files_of_killed_processes_are_swept(tmp_path):
    write_text(tmp_path / "deep/er/kept.txt", "kept")
    write_json(tmp_path / ".hidden.json", {})
    (tmp_path / "deep/.writing-kept-x7.txt").touch()
    sweep(tmp_path)
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == [
        ".hidden.json",
        "kept.txt",
    ]


def test_a_failed_write_leaves_what_was_there(tmp_path):
    write_json(tmp_path / "a.json", {"x": 1})
    with pytest.raises(ValueError, match="Out of range"):
        write_json(tmp_path / "a.json", {"x": float("nan")})
    with pytest.raises(UnicodeEncodeError):
        write_text(tmp_path / "a.json", "\udcff")
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
    assert json.loads((tmp_path / "a.json").read_text()) == {"x": 1}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_the_digest_is_of_the_content_alone(value):
    again = dict(reversed(list(json.loads(json.dumps(value)).items())))
    assert digest(again) == digest(value)
    assert digest({"value": value}) != digest(value)


@pytest.mark.slow
def test_killed_at_any_write_a_run_ends_as_an_unbroken_one(tmp_path):
    two = ["scenes.train.scenes=2", "scenes.evaluate.scenes=2"]
    script, recipe = FIXTURES / "killed_at_every_write.py", FIXTURES / "light.yaml"
    ended = subprocess.run(
        [sys.executable, script, recipe, tmp_path / "runs", "7", *two],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stderr
    *differing, counts = ended.stdout.splitlines()
    assert differing == []
    assert json.loads(counts)["kills"] >= 10
