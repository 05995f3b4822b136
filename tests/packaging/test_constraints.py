"""constraints.txt pins all that the project can install, within the bounds it declares."""

from __future__ import annotations

import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from itertools import chain
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
EXTRAS = {"vllm", "deepspeed", "lm-eval", "ray", "dev"}


def _pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


def _applies(requirement: Requirement, extras: set[str]) -> bool:
    environments = [{"extra": extra} for extra in extras | {""}]
    return requirement.marker is None or any(map(requirement.marker.evaluate, environments))


def _installed(name: str, extras: frozenset[str], seen: set[tuple[str, frozenset[str]]]) -> None:
    """Collect what is installed because of `name`, with what that needs in turn."""
    if (name, extras) in seen:
        return
    try:
        requires = distribution(name).requires or []
    except PackageNotFoundError:  # an extra that this environment does without
        return
    seen.add((name, extras))
    for requirement in map(Requirement, requires):
        if _applies(requirement, set(extras)):
            _installed(canonicalize_name(requirement.name), frozenset(requirement.extras), seen)


def test_every_line_is_a_plain_pin() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    names = [line.split("==")[0] for line in lines if not line.startswith("#")]
    assert names == sorted({canonicalize_name(name) for name in names})


def test_every_installed_requirement_is_pinned() -> None:
    seen: set[tuple[str, frozenset[str]]] = set()
    _installed("vsi-harness", frozenset(EXTRAS), seen)
    assert {name for name, _ in seen} - {"vsi-harness"} - _pins().keys() == set()


def test_pins_keep_the_declared_bounds() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert set(project["optional-dependencies"]) == EXTRAS
    declared = list(chain(project["dependencies"], *project["optional-dependencies"].values()))
    pins = _pins()
    outside = [
        text
        for text in declared
        if not Requirement(text).specifier.contains(pins[canonicalize_name(Requirement(text).name)])
    ]
    assert outside == []
