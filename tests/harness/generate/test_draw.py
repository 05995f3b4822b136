"""Which questions of a set are kept: within all limits, by weights, and for equal weights as ever."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.generate import Family, draw
from harness.generate.randomness import rng_of, sample

NAMES = "abcde"
few = settings(derandomize=True, max_examples=80, deadline=None)
limits = st.none() | st.integers(1, 300)
weights = st.floats(1e-3, 1e5) | st.sampled_from([0.1, 0.3, 1.0, 6400.0, 75000.0])


@dataclass(frozen=True)
class Silent:
    """A generator nobody asks: its questions are numbers here."""

    version: int = 1

    def questions(self, *_: object) -> list:
        return []


@st.composite
def sets(draw):
    """Questions, limits and weights of some families."""
    names = NAMES[: draw(st.integers(1, 5))]
    counts = {name: draw(st.integers(0, 200)) for name in names}
    return counts, [
        Family(name, Silent(), limit=draw(limits), weight=draw(weights)) for name in names
    ]


def drawn(counts: Mapping[str, int], families, limit: int | None, seed: int = 0) -> dict[str, int]:
    masks = draw(counts, families, seed=seed, limit=limit)
    assert {name: len(mask) for name, mask in masks.items()} == counts
    return {name: int(mask.sum()) for name, mask in masks.items()}


def weighted(*weights: float) -> list[Family]:
    return [Family(name, Silent(), weight=w) for name, w in zip(NAMES, weights, strict=False)]


@few
@given(sets(), limits)
def test_no_limit_is_ever_passed_and_the_sets_own_is_reached(given_sets, limit):
    counts, families = given_sets
    kept = drawn(counts, families, limit)
    there = {f.name: min(counts[f.name], f.limit or counts[f.name]) for f in families}
    assert all(kept[name] <= there[name] for name in there)
    assert sum(kept.values()) == min(limit or 10**9, sum(there.values()))


@few
@given(sets(), st.integers(1, 300))
def test_families_that_have_enough_share_by_their_weights(given_sets, limit):
    """What the others cannot give is shared by weights too; each passes on less than a question."""
    counts, families = given_sets
    kept = drawn(counts, families, limit)
    there = {f.name: min(counts[f.name], f.limit or counts[f.name]) for f in families}
    weight = {f.name: f.weight for f in families}
    left, sharing = limit, dict(there)
    while sharing:
        total = sum(weight[name] for name in sharing)
        short = [n for n in sharing if there[n] <= left * weight[n] / total]
        if not short:
            break
        for name in short:
            left -= there[name]
            del sharing[name]
    total = sum(weight[name] for name in sharing)
    for name in sharing:
        assert abs(kept[name] - left * weight[name] / total) < len(families)
    for name in there.keys() - sharing.keys():
        assert there[name] - kept[name] < len(families)


def test_shares_follow_the_weights():
    counts = dict.fromkeys("abc", 1000)
    assert drawn(counts, weighted(1, 2, 3), 60) == {"a": 10, "b": 20, "c": 30}
    assert drawn(counts, weighted(0.1, 0.3, 0.6), 10) == {"a": 1, "b": 3, "c": 6}
    assert drawn(counts, weighted(6400, 75000, 13000), 944) == {"a": 64, "b": 750, "c": 130}


def test_what_a_family_cannot_give_goes_to_the_others():
    counts = {"a": 1000, "b": 1000, "c": 6}
    assert drawn(counts, weighted(1, 2, 3), 60) == {"a": 18, "b": 36, "c": 6}
    assert drawn({"a": 5, "b": 0, "c": 100}, weighted(9, 9, 1), 50) == {"a": 5, "b": 0, "c": 45}


def test_weights_of_any_size_are_shared_to_the_last_question():
    assert drawn({"a": 10, "b": 100}, weighted(1e17, 1), 60) == {"a": 10, "b": 50}
    assert drawn({"a": 10, "b": 100}, weighted(1e308, 1e308), 60) == {"a": 10, "b": 50}
    many = dict.fromkeys("ab", 10**6)
    assert drawn(many, weighted(75000, 0.1), 10**6) == {"a": 999_998, "b": 2}


@few
@given(sets())
def test_all_are_kept_where_the_limit_is_large(given_sets):
    counts, families = given_sets
    unlimited = [Family(f.name, f.generator, weight=f.weight) for f in families]
    for limit in (None, sum(counts.values()) + 1):
        assert drawn(counts, unlimited, limit) == counts


@few
@given(sets(), st.integers(1, 300), st.integers(0, 99))
def test_equal_weights_draw_what_was_ever_drawn(given_sets, limit, seed):
    counts, families = given_sets
    equal = [Family(f.name, f.generator, limit=f.limit) for f in families]
    masks = draw(counts, equal, seed=seed, limit=limit)
    actual = [(n, int(i)) for n in sorted(masks) for i in np.flatnonzero(masks[n])]
    assert evenly(counts, {f.name: f.limit for f in families}, limit, seed) == actual


def evenly(
    counts: Mapping[str, int], limits: Mapping[str, int | None], limit: int, seed: int
) -> list[tuple[str, int]]:
    """The rule before there were weights, on (family, place) pairs."""
    items = [
        (name, place)
        for name in sorted(counts)
        for place in sample(range(counts[name]), limits[name], rng_of(seed, "limit", name))
    ]
    rng = rng_of(seed, "evenly")
    groups: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for item in items:
        groups[item[0]].append(item)
    ordered = sorted(groups.items(), key=lambda group: (len(group[1]), group[0]))
    kept: list[tuple[str, int]] = []
    for position, (_, members) in enumerate(ordered):
        kept += sample(members, (limit - len(kept)) // (len(ordered) - position), rng)
    return sorted(kept)


def test_other_seeds_draw_others_and_every_question_can_be_drawn():
    masks = [draw({"a": 20}, weighted(1), seed=seed, limit=5)["a"] for seed in range(60)]
    assert len({mask.tobytes() for mask in masks}) > 50
    assert np.logical_or.reduce(masks).all()
