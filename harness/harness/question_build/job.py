"""What a worker needs to know to ask scenes, and what it gives back. Runs on any machine."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import cast

from harness.catalogue import Catalogue, build
from harness.component import QuestionGenerator, SceneSource
from harness.errors import PluginError, SceneError
from harness.generate import AskRules, Family, ask
from harness.guarded import GuardedQuestions, GuardedScenes
from harness.leak import leaked
from harness.plugins import load_catalogue
from harness.question import Question, to_row

# Scenes handed to a process at a time.
CHUNK = 8


@dataclass(frozen=True)
class FamilyJob:
    """A question family by the name of its generator; settings as JSON text, all of them."""

    name: str
    generator: str
    settings: str
    limit: int | None = None
    per_scene: int | None = None
    weight: float = 1.0

    def open(self, catalogue: Catalogue) -> Family:
        """The family, built from its plugin."""
        registered = catalogue.get("questions", self.generator)
        settings = registered.component.config.model_validate_json(self.settings)
        generator = cast(QuestionGenerator, build(registered, settings))
        return Family(
            self.name,
            GuardedQuestions(generator, registered),
            json.loads(self.settings),
            self.limit,
            self.per_scene,
            self.weight,
        )


@dataclass(frozen=True)
class AskJob:
    """Scenes of a source, families, and rules, as plain values that another machine can read.

    Args:
        source: name of the scene source. settings: of the source, as JSON text.
    """

    source: str
    settings: str
    families: tuple[FamilyJob, ...]
    rules: AskRules

    def open(self) -> Asker:
        """The source and the families, built from their plugins."""
        catalogue = load_catalogue()
        registered = catalogue.get("scenes", self.source)
        settings = registered.component.config.model_validate_json(self.settings)
        source = GuardedScenes(cast(SceneSource, build(registered, settings)), registered)
        return Asker(source, [family.open(catalogue) for family in self.families], self.rules)


@dataclass(frozen=True)
class Asked:
    """One scene's questions as they travel: a JSON row a line, family after family.

    Args:
        scene: its id. dataset: its data set, "" if it is faulty. fault: why it is, or "".
        counts: family -> questions. rows: the lines, as UTF-8.
        unseen, unknown: as in `harness.generate.Block`. leak: as in `Question.leak`.
    """

    scene: str
    dataset: str = ""
    fault: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    rows: bytes = b""
    unseen: int = 0
    unknown: int = 0
    leak: str = ""


@dataclass(frozen=True)
class Asker:
    """A job opened in this process."""

    source: GuardedScenes
    families: Sequence[Family]
    rules: AskRules

    def ask(self, scene_id: str) -> Asked:
        """Ask one scene; a faulty one is told, not raised."""
        try:
            scene = self.source.load(scene_id)
            block = ask(scene, self.families, self.rules)
        except SceneError as error:
            return Asked(scene_id, fault=str(error) or "it is faulty")
        leak = leaked(scene.dataset, scene.id) or ""
        lines = [
            _line(question, leak)
            for _, found in sorted(block.questions.items())
            for question in found
        ]
        return Asked(
            scene_id,
            scene.dataset,
            counts={name: len(found) for name, found in block.questions.items()},
            rows="".join(f"{line}\n" for line in lines).encode(),
            unseen=block.unseen,
            unknown=block.unknown,
            leak=leak,
        )


def chunked(scenes: Sequence[str], size: int = CHUNK) -> Iterator[tuple[str, ...]]:
    """The scenes in order, some at a time."""
    for begin in range(0, len(scenes), size):
        yield tuple(scenes[begin : begin + size])


def _line(question: Question, leak: str) -> str:
    try:
        return json.dumps(to_row(question) | {"leak": leak}, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise PluginError(
            f"question generator {question.generator!r} asked about scene {question.scene} what "
            f"cannot be written ({error}): {question.text!r:.200}"
        ) from error


_OPEN: dict[str, Asker] = {}


def ask_scenes(job: AskJob, scenes: Sequence[str]) -> list[Asked]:
    """Ask some scenes in a worker process, which keeps the job open for the next ones."""
    key = json.dumps(asdict(job), sort_keys=True, default=_plain)
    if key not in _OPEN:
        _OPEN.clear()
        _OPEN[key] = job.open()
    return [_OPEN[key].ask(scene) for scene in scenes]


def _plain(value: object) -> object:
    if isinstance(value, frozenset):
        return sorted(value)
    return repr(value)
