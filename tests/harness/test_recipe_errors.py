"""Every fault at once, each with its file and line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import harness
from harness.catalogue import Catalogue
from harness.plugins import load_catalogue
from harness.recipe import load_recipe

Write = Callable[[str, str], Path]

FAULTY = """\
name: faulty
descripton: a slip
scenes:
  train: {use: acme_rooms, root: 3}
  evaluate: {use: acme_room}
video: {frames: 0, sampler: linspac}
questions:
  families:
    acme_colour: {limit: 0}
    "a.b": {use: acme_colour}
backbone: {use: acme_vl, chekpoint: x}
train:
  grpo:
    method: grpo
    learning_rate: fast
    betta: 0.1
    args: {x: [1]}
    lora: {rank: 3}
    rewards:
      acme_brevity: {most: 100, wieght: 2, shape: slop}
  1bad: {method: sft, learning_rate: 1e-4}
  dpo: {method: dpoo}
  other: {learning_rate: 1e-4}
  word: text
"""

EXPECTED = """\
22 problems:
  faulty.yaml:1: evaluate: is missing, and it has no default
  faulty.yaml:2: descripton: unknown key; did you mean 'description'?
  faulty.yaml:4: scenes.train.root: expected text; found 3
  faulty.yaml:5: scenes.evaluate.use: no component 'acme_room' of kind 'scenes'; did you mean 'acme_rooms'?
  faulty.yaml:6: video.frames: must be greater than or equal to 1; found 0
  faulty.yaml:6: video.sampler: "linspac" is no choice; did you mean 'linspace'?
  faulty.yaml:9: questions.families.acme_colour.limit: must be greater than or equal to 1; found 0
  faulty.yaml:10: questions.families.a.b: must match pattern '^[A-Za-z_][A-Za-z0-9_-]*$'; found "a.b"
  faulty.yaml:11: backbone.chekpoint: unknown key; did you mean 'checkpoint'?
  faulty.yaml:15: train.grpo.learning_rate: expected a number; found "fast"
  faulty.yaml:16: train.grpo.betta: unknown key; did you mean 'beta'?
  faulty.yaml:17: train.grpo.args.x: expected text or an integer or a number or true or false; found [1]
  faulty.yaml:18: train.grpo.lora.rank: unknown key; known keys: alpha, dropout, r, targets
  faulty.yaml:20: train.grpo.rewards.acme_brevity.most: must be less than or equal to 99; found 100
  faulty.yaml:20: train.grpo.rewards.acme_brevity.shape: "slop" is no choice; did you mean 'slope'?
  faulty.yaml:20: train.grpo.rewards.acme_brevity.wieght: unknown key; did you mean 'weight'?
  faulty.yaml:21: train.1bad: must match pattern '^[A-Za-z_][A-Za-z0-9_]*$'; found "1bad"
  faulty.yaml:22: train.dpo: "dpoo" is no choice; did you mean 'dpo'?
  faulty.yaml:23: train.other: needs the key 'method'
  faulty.yaml:24: train.word: expected a map; found "text"
  --set seed: must be greater than or equal to 0; found -1
  --set train.grpo.rewards.nothing: there is nothing to remove; there are: acme_brevity
"""


def refusal(path: Path, overrides: list[str], catalogue: Catalogue) -> list[str]:
    with pytest.raises(harness.UsageError) as caught:
        load_recipe(path, overrides, catalogue)
    return str(caught.value).splitlines()


def test_all_faults_of_a_recipe(acme: Catalogue, write: Write) -> None:
    path = write("faulty.yaml", FAULTY)
    found = refusal(path, ["train.grpo.rewards.nothing=null", "seed=-1"], acme)
    assert found == EXPECTED.splitlines()


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("videos.frames=3", "--set videos.frames: videos: unknown key; did you mean 'video'?"),
        ("video.layout.fsp=3", "--set video.layout.fsp: unknown key; did you mean 'fps'?"),
        ("seed.x=3", '--set seed.x: seed: expected an integer; found {"x": 3}'),
        ("train.grpo.beta=[1]", "--set train.grpo.beta: expected a number; found [1]"),
        (
            "scenes.train.inner={depht: 1}",
            "--set scenes.train.inner: scenes.train.inner.depht: unknown key; did you mean 'depth'?",
        ),
        (
            "scenes.train.inner.depth=0",
            "--set scenes.train.inner.depth: must be greater than or equal to 1; found 0",
        ),
        (
            "scenes.train.splits=[a, 1]",
            "--set scenes.train.splits: scenes.train.splits.1: expected text; found 1",
        ),
        (
            "video.layout.fsp=null",
            "--set video.layout.fsp: there is nothing to remove; did you mean 'fps'?",
        ),
        (
            "train.grpo.lora={r: 1, x: null}",
            "--set train.grpo.lora: train.grpo.lora.x: there is nothing to remove; there are: alpha",
        ),
        (
            "backbone.chekpoint=null",
            "--set backbone.chekpoint: there is nothing to remove; did you mean 'checkpoint'?",
        ),
        ("backbone.use=null", "r.yaml:9: backbone.use: is missing, and it has no default"),
        ("backbone.use=''", "--set backbone.use: must have at least 1 character"),
        ("backbone=acme_vl", '--set backbone: expected a map; found "acme_vl"'),
        (
            "train.grpo.rewards.acme_brevity=1",
            "--set train.grpo.rewards.acme_brevity: expected a map",
        ),
        (
            "train.grpo.rewards=null",
            "r.yaml:14: train.grpo.rewards: is missing, and it has no default",
        ),
        (
            "train.grpo.rewards.acme_brevity=null",
            "r.yaml:17: train.grpo.rewards: needs at least 1; found 0",
        ),
        ("name=../up", "--set name: must match pattern"),
    ],
)
def test_the_fault_of_an_override(
    acme: Catalogue, acme_text: str, write: Write, override: str, expected: str
) -> None:
    (line,) = refusal(write("r.yaml", acme_text), [override], acme)
    assert line.startswith(expected)


def test_several_faulty_overrides_come_at_once(
    acme: Catalogue, acme_text: str, write: Write
) -> None:
    path = write("r.yaml", acme_text)
    assert refusal(path, ["seed", "seed=010", "extends=x"], acme) == [
        "--set seed: expected path=value, such as train.grpo.beta=0.01",
        (
            "--set seed: 010 is ambiguous (octal to some readers): drop the leading zeros, or put it in quotes "
            "if text is meant"
        ),
        "--set extends: only a file can extend another; name that file instead",
    ]


def test_a_component_that_a_broken_plugin_may_have_offered_is_the_plugins_fault(
    acme_text: str, write: Write, install: Callable[..., None]
) -> None:
    install("good", "broken_import")
    path = write("r.yaml", acme_text)
    with pytest.raises(harness.PluginError, match="broken-import") as caught:
        load_recipe(path, ["backbone.use=lost"], load_catalogue())
    assert str(caught.value).startswith("--set backbone.use: no component 'lost'")


def test_a_broken_plugin_that_is_not_needed_does_no_harm(
    acme_text: str, write: Write, install: Callable[..., None]
) -> None:
    install("good", "broken_import")
    assert load_recipe(write("r.yaml", acme_text), [], load_catalogue()).name == "acme"


def test_settings_that_break_their_own_check_are_the_plugins_fault(
    acme_text: str, write: Write, install: Callable[..., None]
) -> None:
    install("good", "hostile")
    path = write("r.yaml", acme_text)
    with pytest.raises(harness.PluginError) as caught:
        load_recipe(path, ["evaluate.tasks.touchy={mood: bad}"], load_catalogue())
    assert str(caught.value).startswith(
        "--set evaluate.tasks.touchy: 'touchy' (tasks) of plugin 'hostile' (hostile 1.0), while "
        "checking its settings: KeyError: 'bad' (at "
    )
