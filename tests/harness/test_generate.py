"""Question sets: reproducible, balanced, limited, without duplicates."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.component import QuestionGenerator, SceneSource
from harness.errors import PluginError, SceneError
from harness.generate import (
    AskRules,
    Family,
    build_questions,
    draw_evenly_by_type,
    load_scenes,
    shared_spaces,
)
from harness.question import Question
from harness.scene import Scene

COLOURS = ("red", "green", "blue", "white")


def scene(name: str, dataset: str = "test") -> Scene:
    return Scene(name, dataset, (), 10.0, (0.0, 0.0, 0.0), {})


SCENES = [scene(f"room_{i:02d}") for i in range(20)]


@dataclass(frozen=True)
class Colours:
    """Asks for a colour, `times` times for each scene; what is asked depends on the numbers given."""

    times: int = 3
    kind: str = "colour"
    version: int = 4

    def questions(self, scene: Scene, style: str, rng: np.random.Generator) -> Iterator[Question]:
        for number in rng.permutation(1000)[: self.times]:
            yield Question(
                id="",
                scene=scene.id,
                dataset=scene.dataset,
                question_type=self.kind,
                text=f"Which of these ({', '.join(COLOURS)}) is wall {number}?",
                answer=COLOURS[number % 4],
                options=COLOURS if style == "vsi_bench" else None,
                style=style,
                version=self.version,
            )


@dataclass(frozen=True)
class Same(Colours):
    """Gives every question twice."""

    def questions(self, scene: Scene, style: str, rng: np.random.Generator) -> Iterator[Question]:
        found = list(super().questions(scene, style, rng))
        yield from found
        yield from found


@dataclass(frozen=True)
class Elsewhere(Colours):
    """Asks about another scene than the one given."""

    def questions(self, scene: Scene, style: str, rng: np.random.Generator) -> Iterator[Question]:
        for question in super().questions(scene, style, rng):
            yield replace(question, scene="attic")


def scans(dataset: str, *names: str) -> list[Scene]:
    return [scene(name, dataset) for name in names]


def families(**generators: QuestionGenerator) -> dict[str, Family]:
    return {name: Family(name, generator) for name, generator in generators.items()}


def build(scenes=SCENES, *, style="vsi_bench", seed=0, limit=None, **generators):
    return build_questions(
        scenes,
        families(**(generators or {"colours": Colours()})),
        AskRules(style=style, seed=seed),
        limit=limit,
    )


def wall(question: Question) -> str:
    """What is asked about, whatever the order of the options."""
    return question.text.rpartition(" ")[2]


def test_every_question_says_where_it_comes_from():
    family = Family("walls", Colours(), settings={"times": 3})
    found = build_questions(SCENES[:2], {"walls": family}, AskRules(seed=5))
    assert len(found) == 6
    assert {(q.generator, q.version, q.seed) for q in found} == {("walls", 4, 5)}
    assert all(dict(q.settings) == {"times": 3} for q in found)
    assert [q.id for q in found] == [q.content_id() for q in found]
    assert len({q.id for q in found}) == 6


@settings(derandomize=True, max_examples=15, deadline=None)
@given(st.permutations(SCENES), st.integers(0, 2**32 - 1))
def test_the_order_of_scenes_and_families_changes_nothing(shuffled, seed):
    expected = build(SCENES, seed=seed, limit=50, a=Colours(), b=Colours(5, "other"))
    assert build(shuffled, seed=seed, limit=50, b=Colours(5, "other"), a=Colours()) == expected


def test_a_scene_asks_the_same_whatever_other_scenes_there_are():
    whole = {(q.scene, q.question_type, q.answer, wall(q)) for q in build()}
    alone = {(q.scene, q.question_type, q.answer, wall(q)) for q in build(SCENES[7:8])}
    assert len(alone) == 3
    assert alone <= whole


def test_seeds_and_scenes_have_their_own_numbers():
    texts = [tuple(wall(q) for q in build(SCENES[:1], seed=seed)) for seed in range(3)]
    assert len(set(texts)) == 3
    assert len({wall(q) for q in build()}) > 50


def test_right_answers_are_spread_over_the_letters():
    found = build(a=Colours(), b=Colours(4, "other"))
    for kind, letters in (("colour", [15] * 4), ("other", [20] * 4)):
        used = Counter(q.gold for q in found if q.question_type == kind)
        assert [used[letter] for letter in "ABCD"] == letters


def test_options_are_shuffled_and_the_list_in_the_text_follows():
    found = build()
    assert {frozenset(q.options) for q in found} == {frozenset(COLOURS)}
    assert len({q.options for q in found}) > 12
    for question in found:
        assert f"({', '.join(question.options)})" in question.text


def test_questions_without_options_stay_as_they_are():
    found = build(style="vsi_100k")
    assert {q.options for q in found} == {None}
    assert all("(red, green, blue, white)" in q.text for q in found)


def test_duplicates_are_removed():
    assert len(build(same=Same())) == len(build(same=Colours())) == 60


def test_scenes_given_twice_are_asked_about_once():
    assert build([*SCENES, *SCENES]) == build()


def test_limits_of_a_family():
    three = Family("three", Colours(9), per_scene=3)
    found = build_questions(SCENES, {"three": three}, AskRules(seed=0))
    assert set(Counter(q.scene for q in found).values()) == {3}
    assert {wall(q) for q in found} <= {wall(q) for q in build(three=Colours(9))}
    few = Family("few", Colours(9), per_scene=3, limit=7)
    found = build_questions(SCENES, {"few": few}, AskRules(seed=0))
    assert len(found) == 7
    assert len({q.scene for q in found}) > 3


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        (30, {"a": 10, "b": 10, "c": 10}),
        (31, {"a": 10, "b": 10, "c": 11}),
        (100, {"a": 20, "b": 40, "c": 40}),
        (1000, {"a": 20, "b": 60, "c": 80}),
        (2, {"b": 1, "c": 1}),
    ],
)
def test_the_limit_is_drawn_evenly_from_the_families(limit, expected):
    found = build(a=Colours(1), b=Colours(3), c=Colours(4), limit=limit)
    assert Counter(q.generator for q in found) == expected


def test_drawing_by_type_is_even_over_types_and_letters():
    found = build(a=Colours(4), b=Colours(4, "other"))
    drawn = draw_evenly_by_type(found, 48, seed=1)
    assert Counter((q.question_type, q.gold) for q in drawn) == {
        (kind, letter): 6 for kind in ("colour", "other") for letter in "ABCD"
    }
    assert [q for q in found if q in drawn] == drawn
    assert draw_evenly_by_type(found, 48, seed=1) == drawn != draw_evenly_by_type(found, 48, seed=2)
    assert draw_evenly_by_type(found, None, seed=1) == found
    assert draw_evenly_by_type(found, 10_000, seed=1) == found


@settings(derandomize=True, max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 6), min_size=1, max_size=4), st.integers(1, 150))
def test_a_limit_is_reached_as_nearly_as_the_set_allows(times, limit):
    found = build(**{f"f{i}": Colours(n, f"kind {i}") for i, n in enumerate(times)})
    drawn = draw_evenly_by_type(found, limit, seed=0)
    assert len(drawn) == min(limit, len(found))
    sizes = Counter(q.question_type for q in found)
    taken = Counter(q.question_type for q in drawn)
    short = [taken[kind] for kind in sizes if taken[kind] < sizes[kind]]
    assert not short or max(taken.values()) - min(short) <= 1


def test_a_generator_that_asks_about_another_scene_is_named():
    with pytest.raises(PluginError, match="'lost' was given scene room_00 and asked about attic"):
        build(lost=Elsewhere())


@dataclass(frozen=True)
class Rooms:
    """A source with faulty scenes."""

    ids: tuple[str, ...]
    faulty: tuple[str, ...] = ()
    renamed: tuple[str, ...] = ()

    def scene_ids(self) -> Sequence[str]:
        return self.ids

    def load(self, scene_id: str) -> Scene:
        if scene_id in self.faulty:
            raise SceneError(f"{scene_id}: axesLengths must be positive")
        return scene("other" if scene_id in self.renamed else scene_id)


def test_faulty_scenes_are_left_out_and_counted():
    source: SceneSource = Rooms(("a", "b", "c"), faulty=("b",))
    done: list[int] = []
    scenes, skipped = load_scenes(source, max_faulty=1, progress=done.append)
    assert [s.id for s in scenes] == ["a", "c"]
    assert skipped == [{"scene": "b", "reason": "b: axesLengths must be positive"}]
    assert done == [1, 2, 3]


def test_too_many_faulty_scenes_are_all_named():
    with pytest.raises(SceneError) as caught:
        load_scenes(Rooms(("a", "b", "c"), faulty=("a", "c")), max_faulty=1)
    assert "2 of 3 scenes are faulty, scenes.max_faulty is 1" in str(caught.value)
    assert "a: a: axesLengths" in str(caught.value)
    assert "c: c: axesLengths" in str(caught.value)


def test_a_long_list_of_faulty_scenes_is_cut():
    ids = tuple(f"s{i:03d}" for i in range(50))
    with pytest.raises(SceneError, match="and 30 more") as caught:
        load_scenes(Rooms(ids, faulty=ids))
    assert "s019" in str(caught.value)
    assert "s020" not in str(caught.value)


def test_only_the_scenes_asked_for_are_loaded():
    scenes, skipped = load_scenes(Rooms(("a", "b", "c"), faulty=("a",)), ids=["c", "b"])
    assert [s.id for s in scenes] == ["c", "b"]
    assert skipped == []


def test_a_source_that_contradicts_itself_is_refused():
    with pytest.raises(SceneError, match="Rooms gives these ids twice: a"):
        load_scenes(Rooms(("a", "b", "a")))
    with pytest.raises(SceneError, match="Rooms was asked for scene b and gave other"):
        load_scenes(Rooms(("a", "b"), renamed=("b",)))


def test_scans_of_one_space_are_shared():
    train = scans("scannet", "scene0025_00", "scene0025_01", "scene0700_00")
    train += scans("procedural", "room_0_s0")
    evaluate = scans("scannet", "scene0025_01", "scene0026_00") + scans("procedural", "room_0_s1")
    assert shared_spaces(train, evaluate) == [
        ("scene0025_00", "scene0025_01"),
        ("scene0025_01", "scene0025_01"),
    ]
    assert shared_spaces(train, scans("scannet", "scene0001_00")) == []
    assert shared_spaces(train, scans("elsewhere", "scene0025_00")) == []


def test_videos_of_one_visit_are_shared():
    # official validation video 41159525 and training video 41159521 were filmed in one visit
    same_visit = scans("arkitscenes", "41159521"), scans("arkitscenes", "41159525")
    assert shared_spaces(*same_visit) == [("41159521", "41159525")]


def test_the_released_splits_of_scannet_share_no_space(shared_data):
    lists = shared_data("scannet-splits")
    train, val = (
        (lists / f"scannetv2_{split}.txt").read_text().split() for split in ("train", "val")
    )
    assert len(train) > 1000
    train, val = scans("scannet", *train), scans("scannet", *val)
    assert shared_spaces(train, val) == []
    assert len(shared_spaces(train, val + scans("scannet", "scene0000_03"))) == 3
