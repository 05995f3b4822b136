"""What a question is, and how it is written to disk (VSI-Bench's row with more columns)."""

from __future__ import annotations

import hashlib
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

from harness.errors import HarnessError

Style = Literal["vsi_bench", "vsi_100k"]
AnswerKind = Literal["number", "letter", "word"]

# VSI-Bench's question types, in the order of its tables (thinking-in-space @ 51e089c).
NUMERIC_TYPES = (
    "object_counting",
    "object_abs_distance",
    "object_size_estimation",
    "room_size_estimation",
)
CHOICE_TYPES = (
    "object_rel_distance",
    "object_rel_direction_easy",
    "object_rel_direction_medium",
    "object_rel_direction_hard",
    "route_planning",
    "obj_appearance_order",
)


@dataclass(frozen=True)
class Question:
    """One question with its answer.

    Args:
        id: stable and unique in a set; `content_id` makes one from the content.
        scene: id of the scene.
        dataset: name of the data set.
        question_type: VSI-Bench's name of the type (`NUMERIC_TYPES`, `CHOICE_TYPES`) or an own one.
        text: the question as printed, without options and without prompt suffix.
        answer: the content of the answer: a number as text, a word, or the text of the right option.
        options: the texts of the options in the order shown (without letters), or None.
        style: `vsi_bench` (options, closest points) or `vsi_100k` (free word, centres).
        objects: ids of the scene's objects the answer depends on.
        frames: for each of `objects`, the posed frames of the scene that show it, by their place
            in `Scene.frames`; empty where nobody measured that. The core fills it.
        generator: name of the generator, `version` its version, `settings` its settings.
        margin: distance to the nearest decision boundary, in the unit of the question, or None.
        seed: the seed the question was drawn with.
        leak: the benchmark or split its scene belongs to, where such scenes were allowed; else "".
    """

    id: str
    scene: str
    dataset: str
    question_type: str
    text: str
    answer: str
    options: tuple[str, ...] | None = None
    style: Style = "vsi_bench"
    objects: tuple[str, ...] = ()
    frames: tuple[tuple[int, ...], ...] = ()
    generator: str = ""
    version: int = 1
    settings: Mapping[str, Any] = field(default_factory=dict)
    margin: float | None = None
    seed: int | None = None
    leak: str = ""

    def __post_init__(self) -> None:
        if self.options is not None and self.options.count(self.answer) != 1:
            raise HarnessError(
                f"question {self.id or self.text!r}: answer {self.answer!r} must be exactly one "
                f"of the options {self.options}"
            )

    @property
    def kind(self) -> AnswerKind:
        """What a right answer looks like: a letter of an option, a number, or a word."""
        if self.options is not None:
            return "letter"
        return (
            "number" if self.question_type in NUMERIC_TYPES or _is_number(self.answer) else "word"
        )

    @property
    def gold(self) -> str:
        """The string a model should answer: the letter where there are options."""
        if self.options is None:
            return self.answer
        return string.ascii_uppercase[self.options.index(self.answer)]

    def lettered_options(self) -> list[str]:
        """`["A. chair", ...]`, or [] without options."""
        return [
            f"{letter}. {text}"
            for letter, text in zip(string.ascii_uppercase, self.options or (), strict=False)
        ]

    def content_id(self) -> str:
        """16 hex digits made from scene, type, style, text and options."""
        parts = (self.dataset, self.scene, self.question_type, self.style, self.text)
        content = "\x1f".join((*parts, *(self.options or ())))
        return hashlib.sha256(content.encode()).hexdigest()[:16]


def to_row(question: Question) -> dict[str, Any]:
    """The question as a VSI-Bench row: `ground_truth` is the letter where there are options."""
    row = {one.name: getattr(question, one.name) for one in fields(question)}
    row["question"] = row.pop("text")
    row["scene_name"] = row.pop("scene")
    row["ground_truth"] = question.gold
    row["options"] = question.lettered_options() or None
    row["objects"] = list(question.objects)
    row["frames"] = [list(places) for places in question.frames]
    row["settings"] = dict(question.settings)
    return row


def from_row(row: Mapping[str, Any], where: str = "row") -> Question:
    """Read a VSI-Bench row, ours or the benchmark's own.

    Raises:
        HarnessError: a field is missing or of the wrong type, or the letter has no option.
    """
    problems = [
        f"{name} must be a non-empty string, found {row.get(name)!r:.80}"
        for name in ("question", "scene_name", "question_type", "dataset")
        if not isinstance(row.get(name), str) or not row[name]
    ]
    truth = row.get("ground_truth")
    if not isinstance(truth, str | int | float) or isinstance(truth, bool) or str(truth) == "":
        problems.append(f"ground_truth must be a string or a number, found {truth!r:.80}")
    options = row.get("options")
    if options is not None and not (
        isinstance(options, Sequence)
        and not isinstance(options, str)
        and 2 <= len(options) <= len(string.ascii_uppercase)
        and all(isinstance(o, str) for o in options)
    ):
        problems.append(f"options must be null or 2 to 26 strings, found {options!r:.80}")
    if problems:
        raise HarnessError(f"{where}: " + "; ".join(problems))

    answer = str(truth)
    texts: tuple[str, ...] | None = None
    if options is not None:
        texts = tuple(_without_letter(o, i) for i, o in enumerate(options))
        index = (
            string.ascii_uppercase.find(answer.strip().upper()) if len(answer.strip()) == 1 else -1
        )
        if not 0 <= index < len(texts):
            raise HarnessError(
                f"{where}: ground_truth {answer!r:.80} is no letter of its {len(texts)} options"
            )
        answer = texts[index]
    elif row["question_type"] in NUMERIC_TYPES and not _is_number(answer):
        raise HarnessError(
            f"{where}: ground_truth of a {row['question_type']:.80} row must be a number, found "
            f"{answer!r:.80}"
        )
    return Question(
        id="" if row.get("id") is None else str(row["id"]),
        scene=row["scene_name"],
        dataset=row["dataset"],
        question_type=row["question_type"],
        text=row["question"],
        answer=answer,
        options=texts,
        **_own_columns(row, where),
    )


_COLUMNS: Mapping[str, tuple[type | tuple[type, ...], Any]] = {
    "style": (str, "vsi_bench"),
    "objects": ((list, tuple), ()),
    "frames": ((list, tuple), ()),
    "generator": (str, ""),
    "version": (int, 1),
    "settings": (dict, {}),
    "margin": ((int, float), None),
    "seed": (int, None),
    "leak": (str, ""),
}


def _own_columns(row: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The columns that VSI-Bench's rows do not have."""
    values: dict[str, Any] = {}
    problems = []
    for name, (expected, default) in _COLUMNS.items():
        value = row.get(name)
        if value is None:
            value = default
        elif not isinstance(value, expected) or isinstance(value, bool):
            problems.append(
                f"{name} is {value!r:.80}, which is of another type than the harness writes"
            )
            value = default
        values[name] = value
    if values["style"] not in get_args(Style):
        problems.append(f"style must be one of {get_args(Style)}, found {values['style']!r:.80}")
    if not all(_is_list_of_whole_numbers(places) for places in values["frames"]):
        problems.append(f"frames must be lists of whole numbers, found {row.get('frames')!r:.80}")
    if problems:
        raise HarnessError(f"{where}: " + "; ".join(problems))
    values["objects"] = tuple(values["objects"])
    values["frames"] = tuple(map(tuple, values["frames"]))
    return values


def _is_list_of_whole_numbers(value: Any) -> bool:
    return isinstance(value, list | tuple) and {int}.issuperset(map(type, value))


def _without_letter(option: str, index: int) -> str:
    prefix = f"{string.ascii_uppercase[index]}. "
    return option.removeprefix(prefix)


def _is_number(text: str) -> bool:
    try:
        return float(text) == float(text) and abs(float(text)) != float("inf")
    except ValueError:
        return False
