"""The card of a question set on the Hub: what it is made of, by whom it may be used, and its leaks."""

from __future__ import annotations

import html
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from harness.question_files.description import (
    Composition,
    Scene,
    SetDescription,
    TypeCounts,
    quantiles,
)
from harness.terminal import one_line

# Data set -> what its scenes may be used for, and where that is written. Questions are made from
# annotations, so the terms of the annotations go with them.
TERMS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "scannet": (
            "ScanNet terms of use (non-commercial research)",
            "https://kaldir.vc.in.tum.de/scannet/ScanNet_TOS.pdf",
        ),
        "scannetpp": (
            "ScanNet++ terms of use (non-commercial research)",
            "https://kaldir.vc.in.tum.de/scannetpp/",
        ),
        "arkitscenes": (
            "ARKitScenes licence (non-commercial)",
            "https://github.com/apple/ARKitScenes/blob/main/LICENSE",
        ),
        "aria": (
            "Project Aria Digital Twin data set licence",
            "https://www.projectaria.com/datasets/adt/license/",
        ),
    }
)
# Scenes the harness makes itself; nobody else's terms apply.
OWN = ("procedural",)
_SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
    (100_000_000, "10M<n<100M"),
)
_LEAD = (
    "Each has its answer; for visual-spatial reasoning in video language models. "
    "Rows have VSI-Bench's columns and more."
)
_NO_FOOTAGE = (
    "Questions are made from annotations of these scenes, so these terms govern their use and "
    "passing on. No footage is in this set.\n"
)
_SHOWN_WORDS = 6
_SHOWN_SCENES = 200
_SHOWN_GENERATORS = 40


def card(about: SetDescription, counted: Composition) -> str:
    """The text of `README.md`: a YAML head as the Hub reads it, then sections in Markdown."""
    by_dataset = _by_dataset(counted)
    parts = [
        _head(about, counted, by_dataset),
        f"# {_cell(about.name)}\n",
        f"{counted.questions:,} questions, {len(counted.scenes):,} scenes. {_LEAD}\n",
        *(f"{_cell(note)}\n" for note in about.notes),
        *_leaks(counted),
        "## Questions\n",
        _table(
            ("type", "questions", "scenes", "answers"),
            (
                (name, f"{one.questions:,}", f"{len(one.scenes):,}", answers(one))
                for name, one in sorted(counted.types.items())
            ),
        ),
        "## Scenes and terms\n",
        _table(
            ("data set", "scenes", "terms"),
            ((name, f"{len(ids):,}", _terms(name)) for name, ids in by_dataset.items()),
        ),
        _NO_FOOTAGE,
        *_scene_lists(by_dataset),
        "## How it was made\n",
        *_origin(about, counted),
        _COLUMNS,
    ]
    return "\n".join(parts)


def answers(counts: TypeCounts) -> str:
    """The distribution of a type's answers in a line."""
    parts = []
    if counts.letters:
        parts.append("letters " + _shares(sorted(counts.letters.items()), counts.letters.total()))
    if counts.numbers:
        low, first, middle, third, high = quantiles(counts.numbers, (0.0, 0.25, 0.5, 0.75, 1.0))
        parts.append(f"numbers {low:g} to {high:g}, quartiles {first:g}, {middle:g}, {third:g}")
    if counts.words:
        more = len(counts.words) - _SHOWN_WORDS
        ranked = sorted(counts.words.items(), key=lambda pair: (-pair[1], pair[0]))
        parts.append(
            "words " + _shares(ranked[:_SHOWN_WORDS], counts.words.total())
            + (f" and {more:,} more" if more > 0 else "")
        )  # fmt: skip
    return "; ".join(parts)


def _head(about: SetDescription, counted: Composition, by_dataset: Mapping[str, object]) -> str:
    import yaml

    head: dict[str, Any] = {
        "pretty_name": one_line(about.name),
        "language": ["en"],
        "task_categories": ["visual-question-answering"],
        "tags": ["spatial-reasoning", "video", "vsi-bench"],
        "size_categories": [
            next((name for most, name in _SIZES if counted.questions < most), "n>1T"),
        ],
        "configs": [
            {
                "config_name": "default",
                "data_files": [{"split": about.split, "path": f"data/{about.split}-*"}],
            }
        ],
    }
    foreign = [name for name in by_dataset if name not in OWN]
    if foreign:
        names = [one_line(name) for name in foreign]
        head |= {"license": "other", "license_name": f"terms-of-{'-'.join(names)}"}
    text = yaml.safe_dump(head, sort_keys=False, allow_unicode=True)
    return f"---\n{text}---\n"


def _leaks(counted: Composition) -> Iterator[str]:
    if not counted.leaks:
        yield (
            "No scene shows a space that VSI-Bench or the official validation and test splits of "
            "ScanNet, ScanNet++ or ARKitScenes show, as far as the harness knows them.\n"
        )
        return
    for split, questions in sorted(counted.leaks.items()):
        yield (
            f"**Leak ({_cell(split)}): {questions:,} of {counted.questions:,} questions are about "
            "its scenes. After training on this set, scores there mean nothing.**\n"
        )


def _terms(dataset: str) -> str:
    if dataset in OWN:
        return "made by the harness: nobody else's terms apply"
    if dataset in TERMS:
        name, where = TERMS[dataset]
        return f"[{name}]({where})"
    return "not known to the harness: name them before you pass this set on"


def _scene_lists(by_dataset: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for dataset, ids in by_dataset.items():
        more = f", and {len(ids) - _SHOWN_SCENES:,} more" if len(ids) > _SHOWN_SCENES else ""
        listed = ", ".join(_cell(name) for name in ids[:_SHOWN_SCENES])
        yield f"<details><summary>Scenes of {_cell(dataset)}</summary>\n\n{listed}{more}\n\n</details>\n"


def _origin(about: SetDescription, counted: Composition) -> Iterator[str]:
    facts = [
        ("harness", about.harness and f"vsi-harness {about.harness}"),
        ("preset", about.preset),
        ("scenes from", "; ".join(about.sources)),
        ("seed", "" if about.seed is None else str(about.seed)),
        ("settings", _json(about.settings) if about.settings else ""),
    ]
    lines = [f"- {name}: {_cell(value)}" for name, value in facts if value]
    if lines:
        yield "\n".join(lines) + "\n"
    ordered = sorted(counted.generators.items())
    yield _table(
        ("generator", "version", "questions", "settings"),
        (
            (name or "not named", str(version), f"{questions:,}", settings)
            for (name, version, settings), questions in ordered[:_SHOWN_GENERATORS]
        ),
    )
    if len(ordered) > _SHOWN_GENERATORS:
        yield f"And {len(ordered) - _SHOWN_GENERATORS:,} more; each row tells its own.\n"


_COLUMNS = """## Columns

| column | what it holds |
|---|---|
| id | unique in the set, made from the content unless the set came with ids |
| dataset, scene_name | the scene; its video is `dataset/scene_name.mp4` by VSI-Bench's convention |
| question_type, question | the type and the text, without options |
| ground_truth | the letter where there are options, else the number or word |
| options | lettered options, or null |
| answer | the right answer's text |
| style | `vsi_bench`, or `vsi_100k` (no options, centres) |
| objects, frames | the objects the answer depends on; for each, the frames that show it |
| generator, version, settings, seed | what made the question; settings are JSON |
| margin | distance to the nearest decision boundary, in the question's unit |
| leak | the benchmark or split that tests on the scene, if any |
"""


def _by_dataset(counted: Composition) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    scenes: Iterable[Scene] = sorted(counted.scenes)
    for dataset, scene in scenes:
        found[dataset].append(scene)
    return found


def _table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    cells = [heading, ["---"] * len(heading), *rows]
    # links of ours are the only cells that may hold Markdown
    written = [[c if c.startswith("[") and c.endswith(")") else _cell(c) for c in r] for r in cells]
    return "".join(f"| {' | '.join(row)} |\n" for row in written)


def _shares(counts: Iterable[tuple[str, int]], total: int) -> str:
    return ", ".join(f"{answer} {100 * times / total:.0f} %" for answer, times in counts)


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)


def _cell(text: str) -> str:
    """Foreign text in one line that Markdown and HTML leave alone."""
    line = html.escape(one_line(text), quote=False)
    for sign in "\\`*_[]|#":
        line = line.replace(sign, f"\\{sign}")
    return line
