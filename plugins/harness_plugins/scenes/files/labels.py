"""Which of a release's labels are asked about, and under which name: data in a JSON file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness_plugins.scenes.files.json_file import read_json_object
from harness_plugins.scenes.files.problems import refuse, short

MOST_BYTES = 4 * 2**20
_KEYS = {"about", "labels", "exclude", "rename", "vetoes"}


@dataclass(frozen=True)
class Labels:
    """A choice of labels.

    Args:
        known: the labels to take, or None for all.
        exclude: those of them that are not asked about.
        rename: label -> category; others keep their name.
        vetoes: scene -> categories left out there, as their annotation is wrong.
    """

    known: frozenset[str] | None
    exclude: frozenset[str]
    rename: Mapping[str, str]
    vetoes: Mapping[str, frozenset[str]]

    def category(self, label: str) -> str | None:
        """The category of a label, or None for one that is not asked about."""
        if label in self.exclude or not self.knows(label):
            return None
        return self.rename.get(label, label)

    def knows(self, label: str) -> bool:
        """Whether the list says anything about the label."""
        return self.known is None or label in self.known


def read_labels(path: Path) -> Labels:
    """Read a choice of labels: `{about, labels, exclude, rename, vetoes}`.

    `labels` is a list or null (every label), `exclude` a list, `rename` an object from label to
    category, `vetoes` an object from scene to a list of categories; all but `labels` may be left
    out, and `about` is for people.

    Raises:
        SceneError: the file cannot be read or says something else; all problems at once.
    """
    content = read_json_object(path, most_bytes=MOST_BYTES)
    problems = [
        f"{path}: {key:.80}: unknown, expected {', '.join(sorted(_KEYS))}"
        for key in sorted(content.keys() - _KEYS)
    ]
    if "labels" not in content:
        problems.append(f"{path}: labels: missing, expected a list of labels, or null for all")
    listed = content.get("labels")
    known = None if listed is None else _names(listed, f"{path}: labels", problems)
    exclude = _names(content.get("exclude", []), f"{path}: exclude", problems)
    rename = content.get("rename", {})
    if not isinstance(rename, dict) or not all(_name(name) for name in rename.values()):
        problems.append(f"{path}: rename: expected label: category, found {short(rename)}")
        rename = {}
    vetoes = content.get("vetoes", {})
    if not isinstance(vetoes, dict):
        problems.append(f"{path}: vetoes: expected scene: [categories], found {short(vetoes)}")
        vetoes = {}
    named = {
        scene: _names(categories, f"{path}: vetoes.{scene:.80}", problems)
        for scene, categories in vetoes.items()
    }
    if known is not None:
        problems += [
            f"{path}: {key}: {short(label)} is not among the labels"
            for key, names in (("exclude", exclude), ("rename", rename))
            for label in sorted(names)
            if label not in known
        ]
    refuse(problems)
    return Labels(known, exclude, rename, named)


def shipped_labels(folder: str, path: Path | None) -> Labels:
    """The labels of `path`, or of `labels.json` beside the module in file `folder` (its `__file__`).

    Raises:
        SceneError: as `read_labels`.
    """
    return read_labels(path or Path(folder).with_name("labels.json"))


def _names(value: Any, where: str, problems: list[str]) -> frozenset[str]:
    if not isinstance(value, list) or not all(_name(name) for name in value):
        problems.append(f"{where}: expected a list of names, found {short(value)}")
        return frozenset()
    if len(set(value)) != len(value):
        twice = sorted({name for name in value if value.count(name) > 1})
        problems.append(f"{where}: twice: {', '.join(twice):.200}")
    return frozenset(value)


def _name(value: Any) -> bool:
    return isinstance(value, str) and value == value.strip() != ""
