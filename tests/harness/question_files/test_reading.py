"""Question sets read from every form, whole and spoilt."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import HarnessError, UsageError
from harness.question import Question
from harness.question_files import numbered_questions, read_questions
from harness.question_files.json_rows import LONGEST_ROW

COUNT = {
    "id": 0,
    "dataset": "arkitscenes",
    "scene_name": "41069025",
    "question_type": "object_counting",
    "question": "How many table(s) are in this room?",
    "ground_truth": "4",
    "options": None,
    "pruned": False,
}
DIRECTION = {
    "id": 957,
    "dataset": "arkitscenes",
    "scene_name": "41069025",
    "question_type": "object_rel_direction_hard",
    "question": "If I am standing by the stove, where is the tv?",
    "ground_truth": "A",
    "options": ["A. front-left", "B. back-right", "C. back-left", "D. front-right"],
    "pruned": True,
}
ROWS = [COUNT, DIRECTION]


def write(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif path.suffix == ".json":
        path.write_text(json.dumps(rows, indent=2))
    else:
        pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def problems(path, **options):
    with pytest.raises(HarnessError) as caught:
        list(read_questions(path, **options))
    return str(caught.value).splitlines()


def first_or_error(path):
    try:
        found = list(read_questions(path))
    except HarnessError as error:
        return error
    return found[0]


@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".parquet"])
def test_the_benchmarks_rows_are_read_from_every_form(tmp_path, suffix):
    count, direction = read_questions(write(tmp_path / f"test{suffix}", ROWS))
    assert (count.id, count.kind, count.answer) == ("0", "number", "4")
    assert (direction.id, direction.gold, direction.answer) == ("957", "A", "front-left")


def test_real_rows_are_read(shared_data):
    path = shared_data("vsibench-questions-subset") / "vsibench_subset.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    questions = list(read_questions(path))
    assert [q.gold for q in questions] == [row["ground_truth"] for row in rows]
    assert [q.lettered_options() or None for q in questions] == [r["options"] for r in rows]
    assert all(q.id == q.content_id() for q in questions)


@pytest.mark.parametrize(
    "layout",
    [
        ["data/train-00000-of-00002.parquet", "data/train-00001-of-00002.parquet"],
        ["a.parquet", "b.parquet"],
        ["a.jsonl", "b.jsonl"],
    ],
)
def test_a_folder_is_read_file_by_file(tmp_path, layout):
    for name, row in zip(layout, ROWS, strict=True):
        write(tmp_path / name, [row])
    (tmp_path / "README.md").write_text("---\n---\n")
    assert [(n, q.id) for n, q in numbered_questions(tmp_path)] == [(1, "0"), (2, "957")]


def test_every_fault_is_named_with_its_line(tmp_path):
    path = tmp_path / "rows.jsonl"
    spoilt = [
        json.dumps(COUNT),
        "",
        "{",
        "[]",
        json.dumps({**DIRECTION, "id": 1, "ground_truth": "E"}),
        json.dumps({**COUNT, "id": 2, "ground_truth": "many"}),
        json.dumps({**COUNT, "id": 3.5}),
        json.dumps({**COUNT, "id": 4, "margin": 10**400}),
        json.dumps({**COUNT, "id": 5, "frames": [[-1]], "objects": [1], "seed": 2**63}),
        json.dumps(COUNT),
        '{"id": 6, "id": 7}',
        '{"id": NaN}',
        '{"id": 1' + "0" * 5000 + "}",
        "[" * 100_000,
        json.dumps({**COUNT, "id": 8, "question": "\ud800"}),
        json.dumps({**COUNT, "id": 9, "settings": {"a": float("inf")}}).replace("Infinity", "1e999"),
        json.dumps({**DIRECTION, "id": 10, "options": ["A. x", "B. x"]}),
        json.dumps({"id": 11}),
    ]  # fmt: skip
    path.write_text("\n".join(spoilt) + "\n", encoding="utf-8")
    told = problems(path)
    assert told[0] == f"{path}: 16 faults in 17 rows:"
    lines = [line.strip().removeprefix(f"{path}:").partition(": ") for line in told[1:]]
    assert [int(number) for number, _, _ in lines] == [3, 4, 5, 6, 7, 8, 9, *range(10, 19)]
    said = {int(number): text for number, _, text in lines}
    assert said[4] == "a row must be a JSON object, found a list"
    assert said[5] == "ground_truth 'E' is no letter of its 4 options"
    assert said[6] == ("ground_truth of a object_counting row must be a number, found 'many'")
    assert said[7] == "id must be a string or a whole number, found 3.5"
    assert said[8].startswith("margin must be finite, found 1000")
    assert said[9] == (
        "seed must fit in 64 bits, found 9223372036854775808; objects must be strings, found [1]; "
        "frames must be lists of whole numbers from 0 on, found [[-1]]"
    )
    assert said[10] == "id '0' repeats that of row 1"
    assert said[11] == "not JSON: the key 'id' stands there twice"
    assert said[12] == "not JSON: NaN is no JSON number"
    assert said[13].startswith("not JSON: Exceeds the limit")
    assert said[14] == "not JSON that can be read: nested too deeply"
    assert said[15] == "question holds half a surrogate pair, which is no text"
    assert said[16].startswith("settings must be JSON values")
    assert said[17].endswith("must be exactly one of the options ('x', 'x')")
    assert said[18].count("must be a non-empty string") == 4


def test_no_question_is_given_after_a_fault(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text(f"{json.dumps(COUNT)}\n?\n{json.dumps(DIRECTION)}\n")
    reading = read_questions(path)
    assert next(reading).id == "0"
    with pytest.raises(HarnessError, match="1 faults in 3 rows"):
        next(reading)


def test_reading_stops_after_twenty_faults(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text("?\n" * 250)
    told = problems(path)
    assert len(told) == 21
    assert told[0] == f"{path}: 20 faults in the first 20 rows:"


def test_ids_may_repeat_in_a_set_that_is_described(tmp_path):
    path = write(tmp_path / "rows.jsonl", [{**COUNT, "id": None}] * 2)
    assert problems(path)[1].endswith(
        f":2: id '{next(read_questions(path, repeated_ids=True)).content_id()}' "
        "repeats that of row 1"
    )
    assert len(list(read_questions(path, repeated_ids=True))) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", "expected a JSON list of rows"),
        ("", "expected a JSON list of rows"),
        ("[", "row 1: not JSON"),
        ("[{}", "row 1 is followed by the end of the file, expected ',' or ']'"),
        ("[{} {}]", "row 1 is followed by '{', expected ',' or ']'"),
        ('[{"id": NaN}]', "row 1: not JSON: NaN is no JSON number"),
        ("[{}] []", "the list is followed by '['"),
        ("[]", "no rows, expected questions"),
        ("[1]", "row 1: a row must be a JSON object, found a number"),
        ("[" * 100_000, "row 1: nested too deeply"),
        ('[{"a": "' + "x" * LONGEST_ROW, "row 1 is longer than 16,000,000 characters"),
        ("[?" + " " * (3 * LONGEST_ROW), "row 1: not JSON: Expecting value"),
    ],
)
def test_lists_are_read_strictly(tmp_path, text, said):
    path = tmp_path / "rows.json"
    path.write_text(text)
    assert said in "\n".join(problems(path))


def test_a_list_longer_than_the_window_is_read(tmp_path):
    rows = [{**COUNT, "id": n, "question": '\\"é' * (n * 97 % 4001) + "?"} for n in range(1200)]
    path = write(tmp_path / "rows.json", rows)
    assert path.stat().st_size > 5_000_000
    assert [q.text for q in read_questions(path)] == [row["question"] for row in rows]


def test_lines_end_at_line_feeds_alone(tmp_path):
    path = tmp_path / "rows.jsonl"
    row = {**COUNT, "question": "Where\u2028is\x85it?"}
    path.write_bytes(("\ufeff" + json.dumps(row, ensure_ascii=False) + "\r\n").encode())
    assert next(read_questions(path)).text == "Where\u2028is\x85it?"


def test_a_file_that_is_one_endless_line_is_refused(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b" " * (LONGEST_ROW + 1))
    assert problems(path) == [
        f"{path}:1: longer than 16,000,000 bytes, expected one question a line"
    ]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("rows.csv", b"id", r"must end in .jsonl, .json, .parquet, found '.csv'"),
        ("rows.jsonl", b"\xff\xfe\n", r"rows.jsonl:1: not UTF-8"),
        ("rows.json", b"[\xff", r"cannot be read: 'utf-8' codec"),
        ("rows.jsonl", b"\n\n", "no rows, expected questions"),
        ("rows.parquet", b"PAR1 and no more", "cannot be read as Parquet"),
        ("folder/x.csv", b"", r"must have data/\*.parquet, \*.parquet or \*.jsonl"),
        ("folder/data-0.arrow", b"", "holds .arrow files"),
    ],
)
def test_unusable_files_are_errors(tmp_path, name, content, message):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    with pytest.raises(HarnessError, match=message):
        list(read_questions(path if path.parent == tmp_path else path.parent))


def test_a_missing_file_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="no such file or folder; expected a question set"):
        read_questions(tmp_path / "gone.jsonl")


def test_a_table_of_something_else_is_told(tmp_path):
    path = write(tmp_path / "rows.parquet", [{"price": 1, "town": "x"}])
    assert problems(path) == [f"{path}: no column of a question; found price, town"]


def test_settings_of_parquet_are_checked(tmp_path):
    path = write(tmp_path / "rows.parquet", [{**COUNT, "settings": "[1]"}, {**COUNT, "id": 2}])
    assert problems(path)[1] == (
        f"  {path}: row 1: settings: a row must be a JSON object, found a list"
    )


@settings(derandomize=True, max_examples=200, deadline=None)
@given(
    field=st.sampled_from(sorted({*COUNT, "style", "objects", "frames", "settings", "margin", "seed"})),
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=5,
    ),
    base=st.sampled_from(ROWS),
)  # fmt: skip
def test_any_value_anywhere_is_a_question_or_an_error(tmp_path_factory, field, value, base):
    path = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    path.write_text(json.dumps({**base, field: value}) + "\n")
    outcome = first_or_error(path)
    assert isinstance(outcome, Question) or f"{path}:1: " in str(outcome)


@settings(derandomize=True, max_examples=100, deadline=None)
@given(place=st.integers(0, 10_000), byte=st.integers(0, 255))
def test_a_spoilt_byte_of_parquet_is_no_crash(tmp_path_factory, place, byte):
    path = write(tmp_path_factory.mktemp("rows") / "rows.parquet", ROWS)
    content = bytearray(path.read_bytes())
    content[place % len(content)] = byte
    path.write_bytes(content)
    outcome = first_or_error(path)
    assert isinstance(outcome, Question) or str(path) in str(outcome)
