from __future__ import annotations

from harness.suggest import suggestion


def test_the_nearest_name_is_suggested() -> None:
    assert suggestion("acuracy", ["format", "accuracy"]) == "did you mean 'accuracy'?"


def test_an_abbreviation_finds_what_it_begins() -> None:
    assert suggestion("acc", ["format", "accuracy"]) == "did you mean 'accuracy'?"


def test_without_a_near_name_the_known_ones_are_listed() -> None:
    assert suggestion("x", ["b", "a", "a"], plural="kinds") == "kinds: a, b"


def test_a_long_list_is_cut() -> None:
    names = [f"n{index:03}" for index in range(50)]
    assert suggestion("", names) == f"known: {', '.join(names[:40])}, …"


def test_nothing_known() -> None:
    assert suggestion("x", []) == "known: none"
