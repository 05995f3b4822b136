"""Questions on disk: found again by scene, in a file that nobody else can see."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.question import Question, to_row
from harness.question_build.job import Asked
from harness.question_build.spill import Spill


def question(scene: str, number: int, family: str) -> Question:
    text = f"Zeile {number}\n\u2028 \x85 Wie groß ist das Zimmer \\ „{scene}“?"
    return Question(
        f"{number}", scene, "test", "colour", text, "rot", ("rot", "blau"), generator=family
    )


def asked(scene: str, dataset: str = "test", **counts: int) -> Asked:
    lines = [
        json.dumps(to_row(question(scene, number, family)))
        for family, count in sorted(counts.items())
        for number in range(count)
    ]
    rows = "".join(f"{line}\n" for line in lines).encode()
    return Asked(scene, dataset, counts=counts, rows=rows)


def test_scenes_come_back_in_their_order_with_their_questions(tmp_path: Path):
    given = [asked("b", y=2, x=1), asked("a", "zoo", x=3), asked("a", x=0, y=1), asked("c")]
    with Spill(tmp_path) as spill:
        for one in given:
            spill.add(one)
        assert spill.counts() == {"x": 4, "y": 3}
        blocks = list(spill.blocks())
        assert list(spill.blocks()) == blocks, "it can be read again"
    found = [(block.dataset, block.scene) for block in blocks]
    assert found == [("test", "a"), ("test", "b"), ("test", "c"), ("zoo", "a")]
    assert dict(blocks[1].questions) == {
        "x": [question("b", 0, "x")],
        "y": [question("b", 0, "y"), question("b", 1, "y")],
    }
    assert dict(blocks[2].questions) == {}
    assert [len(found) for found in blocks[3].questions.values()] == [3]


def test_more_can_be_put_down_after_some_was_read(tmp_path: Path):
    with Spill(tmp_path) as spill:
        spill.add(asked("b", x=2))
        spill.add(asked("c", x=2))
        next(blocks := spill.blocks())
        spill.add(asked("a", x=1))
        assert [q.scene for q in next(blocks).questions["x"]] == ["c", "c"]
        assert [block.scene for block in spill.blocks()] == ["a", "b", "c"]


def test_a_row_that_is_no_question_is_its_familys(tmp_path: Path):
    rows = json.dumps(to_row(question("a", 1, "walls")) | {"question": ""}).encode()
    with Spill(tmp_path) as spill:
        spill.add(Asked("a", "test", counts={"walls": 1}, rows=rows))
        with pytest.raises(HarnessError) as caught:
            next(spill.blocks())
    assert str(caught.value) == (
        "question generator 'walls', asked about scene a: question must be a non-empty string, "
        "found ''"
    )


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(HarnessError) as caught:
        Spill(tmp_path / "file")
    assert str(caught.value) == (
        f"{tmp_path}/file: cannot be written to (File exists); write to another folder"
    )


def test_the_file_has_no_name(tmp_path: Path):
    folder = tmp_path / "new" / "folder"
    with Spill(folder) as spill:
        spill.add(asked("a", x=1000))
        assert spill.counts().total() == 1000
        assert list(folder.iterdir()) == []
    with pytest.raises(ValueError, match="closed"):
        next(spill.blocks())
    assert list(folder.iterdir()) == []
