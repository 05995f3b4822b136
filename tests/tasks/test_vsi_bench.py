"""VSI-Bench read from files: whole, in part, and spoilt."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness import HarnessError, Task, TaskInput, UsageError
from harness.scoring import summarise
from harness_tasks.settings import VsiBenchSettings
from harness_tasks.vsi_bench.rows import read_ids, read_questions
from harness_tasks.vsi_bench.task import build

ROWS = [
    {
        "id": 0,
        "dataset": "arkitscenes",
        "scene_name": "41069025",
        "question_type": "object_counting",
        "question": "How many table(s) are in this room?",
        "ground_truth": "4",
        "options": None,
        "pruned": False,
    },
    {
        "id": 957,
        "dataset": "arkitscenes",
        "scene_name": "41069025",
        "question_type": "object_rel_direction_hard",
        "question": "If I am standing by the stove, where is the tv?",
        "ground_truth": "A",
        "options": ["A. front-left", "B. back-right", "C. back-left", "D. front-right"],
        "pruned": True,
    },
]
NOTHING = TaskInput()


@pytest.fixture
def jsonl(tmp_path):
    path = tmp_path / "test.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return path


def settings(**given):
    """As a recipe's: strict, from JSON."""
    return VsiBenchSettings.model_validate_json(json.dumps(given, default=str))


def test_it_is_a_task():
    task = build(settings())
    assert isinstance(task, Task)
    assert task.max_new_tokens == 16


def test_rows_are_read_from_either_form(jsonl, tmp_path):
    parquet = tmp_path / "test.parquet"
    pq.write_table(pa.Table.from_pylist(ROWS), parquet)
    questions = build(settings(path=jsonl)).questions(NOTHING)
    assert questions == build(settings(path=parquet)).questions(NOTHING)
    assert [(q.id, q.scene, q.gold, q.answer) for q in questions] == [
        ("0", "41069025", "4", "4"),
        ("957", "41069025", "A", "front-left"),
    ]


def test_subsets_by_id(jsonl, tmp_path):
    some = tmp_path / "some.txt"
    some.write_text("957\n\n")
    as_json = tmp_path / "some.json"
    as_json.write_text('[957, "x"]')
    assert [q.id for q in build(settings(path=jsonl, ids=some)).questions(NOTHING)] == ["957"]
    rest = build(settings(path=jsonl, without_ids=some)).questions(NOTHING)
    assert [q.id for q in rest] == ["0"]
    with pytest.warns(UserWarning, match=r"1 of the 2 ids in .*some.json do not occur .*: x$"):
        kept = build(settings(path=jsonl, ids=as_json)).questions(NOTHING)
    assert [q.id for q in kept] == ["957"]
    with pytest.raises(HarnessError, match=r"none of the 2 questions of .* is left"):
        build(settings(path=jsonl, ids=some, without_ids=some)).questions(NOTHING)


def test_what_is_not_set_or_not_there_is_missing(tmp_path, jsonl):
    assert build(settings(path=jsonl)).missing() == []
    (unset,) = build(settings()).missing()
    assert unset.startswith("vsi_bench: path is not set; download")
    assert unset.endswith("set evaluate.tasks.vsi_bench.path to it")
    gone = build(settings(path=tmp_path / "a.jsonl", ids=tmp_path / "b.txt", without_ids=tmp_path))
    assert [line.split(",")[0] for line in gone.missing()] == [
        f"vsi_bench: path is {tmp_path / 'a.jsonl'}",
        f"vsi_bench: ids is {tmp_path / 'b.txt'}",
        f"vsi_bench: without_ids is {tmp_path}",
    ]
    with pytest.raises(UsageError, match=r"(?s)path is .*ids is .*without_ids is "):
        gone.questions(NOTHING)


def test_rows_without_an_id_get_one_of_their_content(tmp_path):
    path = tmp_path / "rows.jsonl"
    rows = [{**ROWS[0], "id": None}, {k: v for k, v in ROWS[1].items() if k != "id"}]
    path.write_text("\n".join(map(json.dumps, rows)))
    questions = read_questions(path)
    assert [q.id for q in questions] == [q.content_id() for q in questions]
    assert len({q.id for q in questions}) == 2


def test_all_faulty_rows_are_in_one_message(tmp_path):
    path = tmp_path / "rows.jsonl"
    spoilt = [
        json.dumps(ROWS[0]),
        "{not json",
        "[1, 2]",
        "",
        json.dumps({**ROWS[0], "id": 1, "ground_truth": "four"}),
        json.dumps({**ROWS[1], "id": 2, "ground_truth": "E"}),
        json.dumps({**ROWS[1], "id": 3, "options": ["A. same", "B. same"]}),
        json.dumps({**ROWS[0], "id": True}),
        json.dumps({**ROWS[0], "id": 4, "objects": 5}),
        json.dumps(ROWS[0]),
        json.dumps({"id": 6}),
        json.dumps({**ROWS[1], "id": 7, "options": [f"{i}" for i in range(30)]}),
        json.dumps(ROWS[1]),
        "[" * 100_000,
    ]
    path.write_text("\n".join(spoilt))
    with pytest.raises(HarnessError) as caught:
        read_questions(path)
    lines = str(caught.value).splitlines()
    assert lines[0] == f"{path}: 11 of 13 rows are faulty:"
    assert [line.split(":")[0].strip() for line in lines[1:]] == [
        f"line {n}" for n in (2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 14)
    ]
    assert lines[8] == "  line 10: id '0' repeats that of line 1"
    assert "question must be" in lines[9]
    assert "ground_truth must be" in lines[9]


def test_the_same_question_twice_is_told_without_ids(tmp_path):
    path = tmp_path / "rows.jsonl"
    row = {**ROWS[0], "id": None}
    path.write_text(f"{json.dumps(row)}\n{json.dumps(row)}\n")
    with pytest.raises(HarnessError, match=r"line 2: id '[0-9a-f]{16}' repeats that of line 1"):
        read_questions(path)


def test_a_message_about_many_rows_is_cut(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text("?\n" * 250)
    with pytest.raises(HarnessError) as caught:
        read_questions(path)
    assert len(str(caught.value).splitlines()) == 102
    assert str(caught.value).endswith("\n  and 150 more")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("rows.csv", b"id", "must end in .jsonl or .parquet, found '.csv'"),
        ("rows.jsonl", b"\xff\xfe", "cannot be read: 'utf-8' codec"),
        ("rows.jsonl", b"\n\n", "no rows, expected VSI-Bench's questions"),
        ("rows.parquet", b"PAR1 and no more", "cannot be read as parquet"),
    ],
)
def test_unusable_files_are_errors(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(HarnessError, match=message):
        read_questions(path)


def test_unusable_lists_of_ids_are_errors(tmp_path):
    path = tmp_path / "ids.json"
    for content, message in (
        ('{"ids": [1]}', "expected a JSON list of ids"),
        ("[1, 2.5]", "expected a JSON list of ids"),
        ("[", "not JSON"),
        ("[]", "no ids, expected at least one"),
    ):
        path.write_text(content)
        with pytest.raises(HarnessError, match=message):
            read_ids(path)
    with pytest.raises(HarnessError, match="cannot be read"):
        read_ids(tmp_path / "gone.txt")


def test_lines_end_at_line_feeds_alone(tmp_path):
    path = tmp_path / "rows.jsonl"
    row = {**ROWS[0], "question": "Where\u2028is\x85it?"}
    path.write_bytes(("\ufeff" + json.dumps(row, ensure_ascii=False) + "\r\n").encode())
    assert read_questions(path)[0].text == "Where\u2028is\x85it?"


def test_asked_and_scored_as_set(jsonl):
    plain = build(settings(path=jsonl))
    thinking = build(settings(path=jsonl, prompt="think"))
    short = build(settings(path=jsonl, prompt="think", max_new_tokens=40))
    count, direction = plain.questions(NOTHING)
    assert plain.prompt(count).startswith("These are frames of a video.\nHow many table(s)")
    assert thinking.prompt(count).startswith("How many table(s)")
    assert (plain.max_new_tokens, thinking.max_new_tokens, short.max_new_tokens) == (16, 256, 40)
    answer = "<think>5?</think><answer>4</answer>"
    assert [task.score(count, answer).score for task in (plain, thinking)] == [0, 1]
    scored = [plain.score(count, "5"), plain.score(direction, "a.")]
    assert [s.parsed for s in scored] == [5.0, "a"]
    assert summarise(scored) == {
        "object_counting": 0.6,
        "object_rel_direction": 1.0,
        "macro": 0.8,
        "micro": 0.8,
    }


def test_real_rows(shared_data):
    path = shared_data("vsibench-questions-subset") / "vsibench_subset.jsonl"
    task = build(settings(path=path))
    questions = task.questions(NOTHING)
    assert len({q.id for q in questions}) == len(questions) == 51
    table = summarise([task.score(q, q.gold) for q in questions])
    assert list(table.values()) == [1.0] * 10


def test_real_lists_of_ids(shared_data):
    removed = read_ids(shared_data("vsi_debiased_v1_removed_ids.txt"))
    tiny = read_ids(shared_data("vsi_tiny_ids.json"))
    assert (len(removed), len(tiny)) == (2768, 400)
    assert all(i.isdigit() for i in removed | tiny)
