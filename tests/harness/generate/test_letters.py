"""Right answers over the letters: balanced for each type and number of options."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.generate import finished
from harness.question import Question


def asked(place: int, kind: str, options: int, scene: str = "") -> Question:
    texts = tuple(f"thing {i}" for i in range(options))
    return Question(
        id="",
        scene=scene or f"room {place // 3}",
        dataset="test",
        question_type=kind,
        text=f"Which of these ({', '.join(texts)}) is {place}?" if options else f"How far {place}?",
        answer=texts[place % options] if options else "4",
        options=texts or None,
    )


@st.composite
def mixtures(draw) -> list[Question]:
    """Questions of two types with 0, 2, 3 or 4 options each, in any order."""
    kinds = st.tuples(st.sampled_from("xy"), st.sampled_from([0, 2, 3, 4]))
    drawn = draw(st.lists(kinds, max_size=60))
    return [asked(place, kind, options) for place, (kind, options) in enumerate(drawn)]


def letters(questions: list[Question]) -> Iterator[list[int]]:
    """How often each letter is right, for each type and number of options."""
    groups = {(q.question_type, len(q.options)) for q in questions if q.options}
    for kind, options in sorted(groups):
        same = [q for q in questions if q.question_type == kind and len(q.options or ()) == options]
        used = Counter(q.gold for q in same)
        yield [used[letter] for letter in "ABCD"[:options]]


@settings(derandomize=True, max_examples=100, deadline=None)
@given(mixtures(), st.integers(0, 99))
def test_each_number_of_options_is_balanced(questions, seed):
    found = list(finished(questions, seed))
    assert len(found) == len(questions)
    for used in letters(found):
        assert max(used) - min(used) <= 1
    for before, after in zip(questions, found, strict=True):
        assert sorted(after.options or ()) == sorted(before.options or ())
        assert after.answer == before.answer


def test_a_type_of_three_and_four_options():
    routes = [asked(place, "route_planning", 3 + (place % 5 == 0)) for place in range(60)]
    found = list(finished(routes, 0))
    assert list(letters(found)) == [[16, 16, 16], [3, 3, 3, 3]]


def test_other_types_change_nothing():
    """Each type has random numbers of its own, and so have types of one number of options."""
    alone = [asked(place, "x", 4) for place in range(0, 40, 2)]
    others = [asked(place, "y", 2 + place % 3) for place in range(1, 40, 2)]
    mixed = [question for pair in zip(alone, others, strict=True) for question in pair]
    found = [q for q in finished(mixed, 3) if q.question_type == "x"]
    assert found == list(finished(alone, 3))


def test_letters_of_a_seed_stay_what_they_are():
    """Sets of a seed keep their bytes from one version to the next."""
    found = list(finished([asked(place, "x", 4) for place in range(8)], 0))
    assert "".join(q.gold for q in found) == "BDACDABC"
    assert found[0].options == ("thing 1", "thing 0", "thing 2", "thing 3")


def test_a_repetition_is_dropped_within_its_scene_only():
    once, elsewhere = asked(1, "x", 0, "a"), asked(1, "x", 0, "b")
    found = list(finished([once, once, elsewhere], 0))
    assert [q.scene for q in found] == ["a", "b"]
    assert [q.id for q in found] == [q.content_id() for q in found]


def test_options_in_another_order_are_a_repetition():
    """Two families may ask the same; one set of options is listed in the text, one is not."""
    listed = asked(1, "x", 4)
    texts = tuple(reversed(listed.options or ()))
    other = replace(listed, options=texts, text=f"Which of these ({', '.join(texts)}) is 1?")
    plain = replace(listed, text="Where is it?", options=("left", "right"), answer="left")
    turned = replace(plain, options=("right", "left"))
    more = replace(plain, options=("left", "right", "back"))
    found = list(finished([listed, plain, other, turned, more], 0))
    assert [len(q.options or ()) for q in found] == [4, 2, 3]
    assert len({q.id for q in found}) == 3
