"""Question sets written in every form, and read back."""

from __future__ import annotations

import json
from dataclasses import replace

import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.component import TaskInput
from harness.errors import HarnessError, UsageError
from harness.question import Question
from harness.question_files import (
    SetDescription,
    find_form,
    hub_folder,
    read_questions,
    sinks,
    write_questions,
)
from harness_tasks.settings import VsiBenchSettings
from harness_tasks.vsi_bench.task import build

CHOICE = Question(
    id="7f",
    scene="scene0000_00",
    dataset="scannet",
    question_type="object_rel_distance",
    text="Which of these objects (sofa, clock) is the closest to the bed?",
    answer="clock",
    options=("sofa", "clock"),
    objects=("bed_0", "clock_0"),
    frames=((0, 4), ()),
    generator="object_rel_distance",
    version=3,
    settings={"min_gap": 0.15, "levels": ["easy"], "deep": {"a": None}},
    margin=0.4,
    seed=3,
)
NUMBER = replace(
    CHOICE, id="8f", question_type="object_abs_distance", answer="2.9", options=None, settings={}
)
WORD = replace(CHOICE, id="9f", options=None, style="vsi_100k", seed=None, margin=None, frames=())
THREE = [CHOICE, NUMBER, WORD]
OWN_FORMS = [("jsonl", "set.jsonl"), ("parquet", "set.parquet"), ("datasets", "set")]
ALL_FORMS = [
    *OWN_FORMS,
    ("vsi_bench", "set.parquet"),
    ("vsi_bench", "set.jsonl"),
    ("sharegpt", "set.json"),
    ("sharegpt", "set.jsonl"),
    ("ms_swift", "set.jsonl"),
]


def content(path):
    if path.is_file():
        return path.read_bytes()
    return {str(f.relative_to(path)): f.read_bytes() for f in path.rglob("*") if f.is_file()}


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize(("form", "name"), OWN_FORMS)
def test_what_was_written_is_read_back(tmp_path, form, name):
    counted = write_questions(THREE, tmp_path / name, form)
    assert list(read_questions(tmp_path / name)) == THREE
    assert counted.questions == 3
    assert [path.name for path in tmp_path.iterdir()] == [name], "nothing is left beside it"


TEXT = st.text(st.characters(blacklist_categories=("Cs",)), min_size=1, max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@st.composite
def any_questions(draw):
    options = draw(st.none() | st.lists(TEXT, min_size=2, max_size=5, unique=True).map(tuple))
    objects = tuple(draw(st.lists(TEXT, max_size=3)))
    return Question(
        id=draw(TEXT),
        scene=draw(TEXT),
        dataset=draw(TEXT),
        question_type=draw(TEXT),
        text=draw(TEXT),
        answer=draw(st.sampled_from(options)) if options else draw(TEXT),
        options=options,
        style=draw(st.sampled_from(["vsi_bench", "vsi_100k"])),
        objects=objects,
        frames=tuple(tuple(draw(st.lists(st.integers(0, 2**31 - 1), max_size=3))) for _ in objects),
        generator=draw(st.just("") | TEXT),
        version=draw(st.integers(-(2**63), 2**63 - 1)),
        settings=draw(st.dictionaries(TEXT, JSON, max_size=3)),
        margin=draw(st.none() | st.floats(allow_nan=False, allow_infinity=False)),
        seed=draw(st.none() | st.integers(-(2**63), 2**63 - 1)),
        leak=draw(st.just("") | TEXT),
    )


@settings(derandomize=True, max_examples=60, deadline=None)
@given(questions=st.lists(any_questions(), min_size=1, max_size=4, unique_by=lambda q: q.id))
@pytest.mark.parametrize(("form", "name"), OWN_FORMS)
def test_any_question_makes_the_round_trip(tmp_path_factory, form, name, questions):
    path = tmp_path_factory.mktemp("sets") / name
    write_questions(questions, path, form)
    assert list(read_questions(path)) == questions


@pytest.mark.parametrize(("form", "name"), ALL_FORMS)
def test_the_same_questions_give_the_same_bytes(tmp_path, form, name):
    for folder in ("one", "two"):
        write_questions(iter(THREE), tmp_path / folder / name, form)
    write_questions(THREE, tmp_path / "two" / name, form)  # over what is there
    assert content(tmp_path / "one" / name) == content(tmp_path / "two" / name)


def test_real_rows_make_the_round_trip(tmp_path, shared_data):
    rows = list(read_questions(shared_data("vsibench-questions-subset") / "vsibench_subset.jsonl"))
    for form, name in OWN_FORMS:
        write_questions(rows, tmp_path / name, form)
        assert list(read_questions(tmp_path / name)) == rows


@pytest.mark.parametrize("name", ["test.jsonl", "test.parquet"])
def test_the_benchmarks_form_is_what_its_task_reads(tmp_path, shared_data, name):
    source = shared_data("vsibench-questions-subset") / "vsibench_subset.jsonl"
    write_questions(read_questions(source), tmp_path / name, "vsi_bench")
    given = VsiBenchSettings.model_validate_json(json.dumps({"path": str(tmp_path / name)}))
    asked = build(given).questions(TaskInput())
    assert [q.id for q in asked] == [str(number) for number in range(51)]
    assert [replace(q, id="") for q in asked] == [replace(q, id="") for q in read_questions(source)]
    if name.endswith(".jsonl"):
        kept = [{k: v for k, v in row.items() if k != "id"} for row in lines(tmp_path / name)]
        assert kept == lines(source)


def test_the_benchmarks_columns_alone(tmp_path):
    write_questions(THREE, tmp_path / "rows.parquet", "vsi_bench")
    table = pq.read_table(tmp_path / "rows.parquet")
    assert {field.name: str(field.type) for field in table.schema} == {
        "id": "int64",
        "dataset": "string",
        "scene_name": "string",
        "question_type": "string",
        "question": "string",
        "ground_truth": "string",
        "options": "list<element: string>",
    }
    assert table.column("id").to_pylist() == [0, 1, 2]


def test_the_benchmarks_own_ids_are_kept(tmp_path):
    own = [replace(CHOICE, id="957"), replace(NUMBER, id="-3")]
    write_questions(own, tmp_path / "rows.jsonl", "vsi_bench")
    assert [row["id"] for row in lines(tmp_path / "rows.jsonl")] == [957, -3]
    with pytest.raises(HarnessError, match="question '9f': VSI-Bench's ids are whole numbers"):
        write_questions([*own, WORD], tmp_path / "other.jsonl", "vsi_bench")
    # numbers written in another way would be read back as other ids
    write_questions([replace(CHOICE, id="0957")], tmp_path / "rows.jsonl", "vsi_bench")
    assert [row["id"] for row in lines(tmp_path / "rows.jsonl")] == [0]


def test_conversations(tmp_path):
    about = SetDescription(videos="videos/{dataset}/{scene}.mp4")
    write_questions([CHOICE, NUMBER], tmp_path / "set.json", "sharegpt", about)
    choice, number = json.loads((tmp_path / "set.json").read_text())
    asked = (
        "<video>\nThese are frames of a video.\nWhich of these objects (sofa, clock) is the closest "
        "to the bed?\nOptions:\nA. sofa\nB. clock\n"
        "Answer with the option's letter from the given choices directly."
    )
    assert choice == {
        "id": "7f",
        "conversations": [{"from": "human", "value": asked}, {"from": "gpt", "value": "B"}],
        "videos": ["videos/scannet/scene0000_00.mp4"],
    }
    assert number["conversations"][1] == {"from": "gpt", "value": "2.9"}
    write_questions([CHOICE], tmp_path / "set.jsonl", "ms_swift", about)
    assert lines(tmp_path / "set.jsonl") == [
        {
            "id": "7f",
            "messages": [
                {"role": "user", "content": asked},
                {"role": "assistant", "content": "B"},
            ],
            "videos": ["videos/scannet/scene0000_00.mp4"],
        }
    ]


@pytest.mark.parametrize(
    ("question", "said"),
    [
        (replace(CHOICE, scene="../../etc"), "cannot be part of the path of a video"),
        (replace(CHOICE, dataset=".."), "cannot be part of the path of a video"),
        (replace(CHOICE, text="<video>"), "holds <video>, the video's place"),
    ],
)
def test_conversations_refuse_paths_and_marks(tmp_path, question, said):
    with pytest.raises(HarnessError, match=said):
        write_questions([question], tmp_path / "set.json", "sharegpt")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "template", ["videos/all.mp4", "{scene.__class__}.mp4", "{0}{scene}", "{scene", "{scene}{id}"]
)
def test_paths_of_videos_have_two_fields(tmp_path, template):
    with pytest.raises(UsageError, match="videos: "):
        write_questions(THREE, tmp_path / "set.json", "sharegpt", SetDescription(videos=template))


@pytest.mark.parametrize(
    ("questions", "said"),
    [
        ([], "no questions to write"),
        ([CHOICE, replace(NUMBER, id="7f")], "question '7f' comes twice"),
        ([replace(CHOICE, margin=float("nan"))], "question '7f' cannot be written: margin must be"),
        ([replace(CHOICE, seed=2**63)], "seed must fit in 64 bits"),
        ([replace(CHOICE, text="\ud800")], "half a surrogate pair"),
        ([replace(CHOICE, settings={"x": float("inf")})], "settings must be JSON values"),
        ([replace(CHOICE, settings={"x": {1, 2}})], "settings must be JSON values"),
        ([replace(CHOICE, scene="")], "scene_name must be a non-empty string"),
        ([replace(NUMBER, answer="far")], "must be a number, found 'far'"),
        ([replace(CHOICE, frames=((2**31,), ()))], "frames must be lists of whole numbers"),
    ],
)
@pytest.mark.parametrize(("form", "name"), ALL_FORMS)
def test_what_cannot_be_written_leaves_what_was_there(tmp_path, form, name, questions, said):
    write_questions(THREE, tmp_path / name, form)
    before = content(tmp_path / name)
    with pytest.raises(HarnessError, match=said):
        write_questions([*questions[:1], *questions[1:]], tmp_path / name, form)
    assert content(tmp_path / name) == before
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_fault_in_the_questions_leaves_what_was_there(tmp_path):
    def broken():
        yield CHOICE
        raise HarnessError("the scenes end here")

    for form, name in ALL_FORMS:
        with pytest.raises(HarnessError, match="the scenes end here"):
            write_questions(broken(), tmp_path / name, form)
    assert not list(tmp_path.iterdir())


def test_questions_without_ids_are_told_apart_by_content(tmp_path):
    unnamed = [replace(q, id="") for q in THREE]
    write_questions(unnamed, tmp_path / "set.jsonl")
    assert list(read_questions(tmp_path / "set.jsonl")) == [
        replace(q, id=q.content_id()) for q in THREE
    ]


@pytest.mark.parametrize(
    ("name", "asked", "form"),
    [
        ("a.jsonl", None, "jsonl"),
        ("a.parquet", None, "parquet"),
        ("a", None, "datasets"),
        ("a.b", "datasets", "datasets"),
        ("a.jsonl", "vsi_bench", "vsi_bench"),
    ],
)
def test_forms_are_found(tmp_path, name, asked, form):
    assert find_form(tmp_path / name, asked) == form


@pytest.mark.parametrize(
    ("name", "asked", "said"),
    [
        ("a.csv", None, "cannot tell the form from '.csv'"),
        ("a.json", None, "cannot tell the form from '.json'"),
        ("a.jsonl", "parket", "did you mean 'parquet'"),
        ("a.json", "vsi_bench", "vsi_bench is written to .jsonl or .parquet files"),
        ("a.parquet", "datasets", "datasets is written to a folder"),
    ],
)
def test_wrong_forms_are_usage_errors(tmp_path, name, asked, said):
    with pytest.raises(UsageError, match=said):
        find_form(tmp_path / name, asked)


def test_the_hub_loads_the_folder(tmp_path, monkeypatch):
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    write_questions(THREE, tmp_path / "set", "datasets")
    loaded = datasets.load_dataset(str(tmp_path / "set"), cache_dir=str(tmp_path / "cache"))
    assert list(loaded) == ["train"]
    rows = loaded["train"].to_list()
    assert [row["ground_truth"] for row in rows] == ["B", "2.9", "clock"]
    assert rows[0]["frames"] == [[0, 4], []]
    assert json.loads(rows[0]["settings"]) == CHOICE.settings


def test_big_sets_are_cut_into_files(tmp_path, monkeypatch):
    monkeypatch.setattr(hub_folder, "ROWS_PER_FILE", 10)
    monkeypatch.setattr(sinks, "ROW_GROUP", 4)
    many = [replace(CHOICE, id=f"{n}") for n in range(25)]
    write_questions(many, tmp_path / "set", "datasets", SetDescription(split="test"))
    assert sorted(path.name for path in (tmp_path / "set" / "data").iterdir()) == [
        f"test-{n:05}-of-00003.parquet" for n in range(3)
    ]
    groups = pq.ParquetFile(tmp_path / "set" / "data" / "test-00000-of-00003.parquet")
    assert groups.metadata.num_row_groups == 3
    assert list(read_questions(tmp_path / "set")) == many
    write_questions(THREE, tmp_path / "set", "datasets")
    assert list(read_questions(tmp_path / "set")) == THREE, "no file of the old set is left"


def test_a_folder_of_other_things_is_not_replaced(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(UsageError, match=r"holds other files than a question set \(thesis.tex\)"):
        write_questions(THREE, tmp_path, "datasets")
    assert (tmp_path / "thesis.tex").read_text() == "years of work"
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="is a file, expected a folder"):
        write_questions(THREE, tmp_path / "file", "datasets")


def test_a_link_to_a_folder_stays(tmp_path):
    write_questions([CHOICE], tmp_path / "real", "datasets")
    (tmp_path / "link").symlink_to("real")
    write_questions(THREE, tmp_path / "link", "datasets")
    assert (tmp_path / "link").is_symlink()
    assert list(read_questions(tmp_path / "real")) == THREE


def test_splits_have_names_the_hub_takes(tmp_path):
    with pytest.raises(UsageError, match=r"split: '../x' is no name the Hub takes"):
        write_questions(THREE, tmp_path / "set", "datasets", SetDescription(split="../x"))


def test_the_card(tmp_path):
    about = SetDescription(
        name="My | set <b>",
        seed=5,
        preset="vsi_bench",
        sources=("procedural (200 rooms)",),
        harness="1.2",
        settings={"limit": 10},
        notes=("Made for a test.",),
    )
    made_here = replace(NUMBER, id="p", dataset="procedural", scene="room-1")
    elsewhere = replace(NUMBER, id="q", dataset="my\nrooms", scene="<script>")
    held_out = replace(CHOICE, id="l", scene="scene0231_00")
    write_questions([*THREE, made_here, elsewhere, held_out], tmp_path / "set", "datasets", about)
    text = (tmp_path / "set" / "README.md").read_text()
    _, head, body = text.split("---\n", 2)
    assert yaml.safe_load(head) == {
        "pretty_name": "My | set <b>",
        "language": ["en"],
        "task_categories": ["visual-question-answering"],
        "tags": ["spatial-reasoning", "video", "vsi-bench"],
        "size_categories": ["n<1K"],
        "configs": [
            {
                "config_name": "default",
                "data_files": [{"split": "train", "path": "data/train-*"}],
            }
        ],
        "license": "other",
        "license_name": "terms-of-my rooms-scannet",
    }
    leak = (
        "**Leak (VSI-Bench): 1 of 6 questions are about its scenes. After training on this set, "
        "scores there mean nothing.**"
    )
    for line in (
        "# My \\| set &lt;b&gt;",
        "Made for a test.",
        leak,
        "| object\\_abs\\_distance | 3 | 3 | numbers 2.9 to 2.9, quartiles 2.9, 2.9, 2.9 |",
        "| object\\_rel\\_distance | 3 | 2 | letters B 100 %; words clock 100 % |",
        "| procedural | 1 | made by the harness: nobody else's terms apply |",
        "| my rooms | 1 | not known to the harness: name them before you pass this set on |",
        "- harness: vsi-harness 1.2",
        "- seed: 5",
        '- settings: {"limit": 10}',
        "&lt;script&gt;",
    ):
        assert line in body.splitlines(), line
    assert "ScanNet\\_TOS" not in body
    assert "(https://kaldir.vc.in.tum.de/scannet/ScanNet_TOS.pdf)" in body


def test_a_card_without_leaks_says_so(tmp_path):
    own = [replace(q, dataset="procedural") for q in THREE]
    write_questions(own, tmp_path / "set", "datasets")
    text = (tmp_path / "set" / "README.md").read_text()
    assert "No scene shows a space that VSI-Bench" in text
    assert "license" not in text.split("---")[1]
