"""What a run trains on: scenes it asks, or a question file; never benchmarks' scenes unawares."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.assembly import Assembly
from harness.errors import HarnessError, UsageError
from harness.frame_cache import FrameCache
from harness.plugins import load_catalogue
from harness.question import to_row
from harness.recipe import load_recipe
from harness.stages.questions import make_questions
from harness.stages.training_set import questions_of_file, training_set

LIGHT = (Path(__file__).parents[1] / "fixtures" / "light.yaml").read_text()
SFT = "train.sft={method: sft, learning_rate: 1e-3}"
ALLOW = "scenes.allow_leak=true"
FILE = "questions.train_file=set.jsonl"
SOURCE = "train: {use: procedural, scenes: 3, seed: 1}"


@pytest.fixture
def assembly(write) -> Callable[..., Assembly]:
    """The light recipe with some changes."""

    def make(*overrides: str, train: str = SOURCE) -> Assembly:
        recipe = write("light.yaml", LIGHT.replace(SOURCE, train))
        (cell,) = load_recipe(recipe, overrides, load_catalogue(), local=False).cells
        return Assembly.of(cell)

    return make


@pytest.fixture
def rows(assembly) -> list[dict[str, Any]]:
    """What the recipe would ask about its training scenes, in `set.jsonl`."""
    made = [to_row(question) for question in training_set(assembly(SFT)).questions]
    put(made)
    return made


@pytest.fixture
def leaked(shared_data) -> str:
    """A source of two scenes that VSI-Bench shows, for the recipe."""
    root = shared_data("vsibench-meta-info")
    return f"train: {{use: vsi_bench_meta, root: {root}, datasets: [scannet], limit: 2}}"


def put(rows: Sequence[dict[str, Any]]) -> None:
    Path("set.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def ids(rows: Sequence[dict[str, Any]]) -> list[str]:
    return [row["id"] for row in rows]


def test_a_file_is_trained_on_as_it_is(assembly, rows):
    """Its rows, in its order, whatever the recipe's families would ask."""
    put(rows[::-1])
    families = "questions.families.object_counting.min_count=50"
    found = training_set(assembly(SFT, FILE, families))
    assert [question.id for question in found.questions] == ids(rows)[::-1]
    assert {scene.id for scene in found.loaded.scenes} == {row["scene_name"] for row in rows}
    assert found.leaked == {}


def test_only_the_scenes_of_the_file_are_loaded(assembly, rows):
    one = [row for row in rows if row["scene_name"] == rows[0]["scene_name"]]
    put(one)
    found = training_set(assembly(SFT, FILE))
    assert [scene.id for scene in found.loaded.scenes] == [one[0]["scene_name"]]


def test_the_limit_draws_from_a_file_by_weights(assembly, rows):
    counts = Counter(row["generator"] for row in rows)
    assert min(counts["object_counting"], counts["object_abs_distance"]) >= 4
    weights = [
        f"questions.families.{name}.weight={weight}"
        for name, weight in {"object_counting": 1, "object_abs_distance": 3}.items()
    ]
    put([row for row in rows if row["generator"] in ("object_counting", "object_abs_distance")])
    found = questions_of_file(assembly(SFT, FILE, "questions.train_limit=4", *weights).recipe)
    assert Counter(q.generator for q in found) == {"object_counting": 1, "object_abs_distance": 3}
    order = ids(rows)
    assert [q.id for q in found] == sorted((q.id for q in found), key=order.index)
    again = questions_of_file(assembly(SFT, FILE, "questions.train_limit=4", *weights).recipe)
    assert again == found


def test_families_the_recipe_does_not_name_weigh_as_others(assembly, rows):
    put([row | {"generator": f"own_{i % 2}"} for i, row in enumerate(rows)])
    found = questions_of_file(assembly(SFT, FILE, "questions.train_limit=6").recipe)
    assert Counter(q.generator for q in found) == {"own_0": 3, "own_1": 3}


def test_scenes_that_the_source_lacks_are_named(assembly, rows):
    put([row | {"scene_name": f"attic_{i}"} for i, row in enumerate(rows[:7])] + rows[7:])
    with pytest.raises(HarnessError) as caught:
        training_set(assembly(SFT, FILE))
    assert str(caught.value) == (
        "questions.train_file set.jsonl asks about 7 scene(s) that are not in scenes.train "
        "(attic_0, attic_1, attic_2, attic_3, attic_4, …), so there is no video of them: give "
        "scenes.train the source and settings the file was built with"
    )


def test_faulty_rows_and_missing_files_are_told(assembly, rows):
    put([rows[0], rows[1] | {"question": ""}])
    with pytest.raises(HarnessError, match=r"set\.jsonl:2: question must be a non-empty string"):
        training_set(assembly(SFT, FILE))
    with pytest.raises(UsageError, match=r"gone\.jsonl: no such file"):
        training_set(assembly(SFT, "questions.train_file=gone.jsonl"))


def test_rows_that_another_walk_answers_are_refused(assembly, rows):
    """In which order things appear depends on the walk: its settings and its seed."""
    order = rows[0] | {
        "id": "order", "question_type": "obj_appearance_order", "seed": 4, "frames": [],
        "options": ["A. bed, lamp", "B. lamp, bed"], "ground_truth": "A",
    }  # fmt: skip
    put([order, *rows[1:]])
    default, seed = "video.layout=null", "seed=4"
    for changes in ([], [default], [seed]):
        with pytest.raises(HarnessError, match="1 rows of type obj_appearance_order are about sce"):
            training_set(assembly(SFT, FILE, *changes))
    assert training_set(assembly(SFT, FILE, default, seed)).questions[0].id == "order"
    assert training_set(assembly(FILE)).questions[0].id == "order"  # trains nothing


def test_marked_rows_are_refused_unless_allowed(assembly, rows):
    put([row | {"leak": "VSI-Bench"} if i < 3 else row for i, row in enumerate(rows)])
    marked = {row["scene_name"] for row in rows[:3]}
    with pytest.raises(UsageError) as caught:
        training_set(assembly(SFT, FILE))
    assert str(caught.value) == (
        f"set.jsonl: rows about {len(marked)} scenes are marked as shown by VSI-Bench: train on "
        "another file, or say scenes.allow_leak: true if that is what you want"
    )
    found = training_set(assembly(SFT, FILE, ALLOW))
    assert found.leaked == {("procedural", scene): "VSI-Bench" for scene in marked}
    assert {q.scene for q in found.questions if q.leak} == marked
    assert training_set(assembly(FILE)).questions  # trains nothing


def test_a_files_scenes_are_looked_up_whatever_its_rows_say(assembly, leaked):
    """Rows of VSI-Bench itself, or of other tools, carry no mark."""
    made = training_set(assembly(SFT, ALLOW, train=leaked)).questions
    put([to_row(question) | {"leak": ""} for question in made])
    with pytest.raises(UsageError, match="2 of 2 scenes show spaces that benchmarks test on: 2 of"):
        questions_of_file(assembly(SFT, FILE, train=leaked).recipe)
    found = training_set(assembly(SFT, FILE, ALLOW, train=leaked))
    assert set(found.leaked.values()) == {"VSI-Bench"}
    assert {question.leak for question in found.questions} == {"VSI-Bench"}


def test_scenes_of_benchmarks_are_refused_unless_allowed(assembly, leaked, tmp_path):
    with pytest.raises(UsageError, match=r"say scenes\.allow_leak: true if that is what you want"):
        training_set(assembly(SFT, train=leaked))
    folder = tmp_path / "questions"
    make_questions(assembly(SFT, ALLOW, train=leaked), folder, FrameCache(tmp_path / "frames"))
    assert json.loads((folder / "summary.json").read_text())["leak"] == {"VSI-Bench": 2}
    written = [json.loads(line) for line in (folder / "train.jsonl").read_text().splitlines()]
    assert {row["leak"] for row in written} == {"VSI-Bench"}


def test_what_trains_nothing_is_not_refused(assembly, leaked, tmp_path):
    """The frequency baseline may count the answers of any scenes."""
    folder = tmp_path / "questions"
    make_questions(assembly(train=leaked), folder, FrameCache(tmp_path / "frames"))
    assert (folder / "train.jsonl").read_text()
    assert json.loads((folder / "summary.json").read_text())["leak"] == {}


def test_a_plan_says_what_would_be_refused(harness_main, assembly, leaked):
    text = LIGHT.replace(SOURCE, leaked)
    Path("light.yaml").write_text(text)
    planned = harness_main("plan", "light.yaml", "--set", SFT)
    assert planned.code == 0, planned.err
    missing = planned.out.partition("missing on this machine:")[2]
    assert "  - scenes.train: 2 of 2 scenes show spaces that benchmarks test on" in missing
    assert "say scenes.allow_leak: true" in missing
    allowed = harness_main("plan", "light.yaml", "--set", SFT, "--set", ALLOW)
    assert "missing on this machine: nothing" in allowed.out
    made = training_set(assembly(SFT, ALLOW, train=leaked)).questions
    put([to_row(question) | {"leak": ""} for question in made])
    planned = harness_main("plan", "light.yaml", "--set", SFT, "--set", FILE)
    assert "  - scenes.train: 2 of 2 scenes show spaces" in planned.out


def test_the_stage_follows_the_files_content(harness_main, rows):
    made = Path("runs/light/questions/train.jsonl")

    def trained_on() -> list[str]:
        ended = harness_main("run", "light.yaml", "--set", FILE)
        assert ended.code == 0, ended.err
        return [json.loads(line)["id"] for line in made.read_text().splitlines()]

    assert trained_on() == ids(rows)
    first = made.stat().st_mtime_ns
    put(rows)
    assert trained_on() == ids(rows)
    assert made.stat().st_mtime_ns == first, "the same rows are not asked again"
    put(rows[1:])
    assert trained_on() == ids(rows[1:])
