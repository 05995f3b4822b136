"""A source's questions, from the first scene asked to the last question given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import HarnessError, SceneError
from harness.generate import draw, finished, kept_of, refuse_too_faulty
from harness.leak import refuse_leaks
from harness.question import Question
from harness.question_build.engines import Engine
from harness.question_build.job import Asked, AskJob
from harness.question_build.spill import Spill

Progress = Callable[[int, int, str], object]


@dataclass(frozen=True)
class Limits:
    """What a set may hold.

    Args:
        questions: at most this many, shared by the families' weights.
        max_faulty: faulty scenes that may be left out.
        allow_leak: whether scenes that benchmarks test on may be asked.
    """

    questions: int | None = None
    max_faulty: int = 0
    allow_leak: bool = False


@dataclass
class Built:
    """What was asked.

    Args:
        questions: the set, once; scene after scene.
        scenes: scenes asked. asked: family -> admissible questions, before any limit on the set.
        skipped: faulty scenes as `{scene, reason}`.
        unseen, unknown: questions dropped, as in `harness.generate.Block`.
        leaked: (dataset, scene) -> benchmark or split.
    """

    questions: Iterator[Question]
    scenes: int
    asked: Counter[str]
    skipped: list[dict[str, str]] = field(default_factory=list)
    unseen: int = 0
    unknown: int = 0
    leaked: dict[tuple[str, str], str] = field(default_factory=dict)


@contextmanager
def built_questions(
    job: AskJob,
    scenes: Sequence[str],
    engine: Engine,
    limits: Limits,
    *,
    folder: Path,
    progress: Progress = lambda _done, _total, _scene: None,
) -> Iterator[Built]:
    """Ask every scene and give the drawn set, which can be read while the context lasts.

    Args:
        scenes: ids of the job's source.
        folder: where the questions lie until they are drawn, in a file without a name.
        progress: called with scenes done, scenes in all and the last one's id.

    Raises:
        SceneError: too many scenes are faulty. UsageError: scenes are leaked and may not be.
        HarnessError: no scene, or no admissible question.
    """
    if not scenes:
        raise SceneError(f"source {job.source!r} lists no scenes, so there is nothing to ask")
    with Spill(folder) as spill:
        tally = _asked(job, scenes, engine, spill, progress)
        tally.skipped.sort(key=_scene)
        refuse_too_faulty(tally.skipped, len(scenes), limits.max_faulty, "--max-faulty")
        tally.leaked = refuse_leaks(
            sorted(tally.places), allowed=limits.allow_leak, setting="--allow-leak"
        )
        counts = spill.counts()
        if not counts.total():
            raise HarnessError(_nothing(tally, len(tally.places)))
        families = job.open().families
        masks = draw(counts, families, seed=job.rules.seed, limit=limits.questions)
        yield Built(
            questions=finished(kept_of(spill.blocks(), masks), job.rules.seed),
            scenes=len(tally.places),
            asked=counts,
            skipped=tally.skipped,
            unseen=tally.unseen,
            unknown=tally.unknown,
            leaked=tally.leaked,
        )


@dataclass
class _Tally:
    places: list[tuple[str, str]] = field(default_factory=list)
    skipped: list[dict[str, str]] = field(default_factory=list)
    unseen: int = 0
    unknown: int = 0
    leaked: dict[tuple[str, str], str] = field(default_factory=dict)

    def add(self, asked: Asked) -> None:
        self.places.append((asked.dataset, asked.scene))
        self.unseen += asked.unseen
        self.unknown += asked.unknown


def _asked(
    job: AskJob, scenes: Sequence[str], engine: Engine, spill: Spill, progress: Progress
) -> _Tally:
    tally = _Tally()
    with closing(_each(engine, job, scenes)) as answers:
        for done, asked in enumerate(answers, 1):
            if asked.fault:
                tally.skipped.append({"scene": asked.scene, "reason": asked.fault})
            else:
                spill.add(asked)
                tally.add(asked)
            progress(done, len(scenes), asked.scene)
    return tally


def _each(engine: Engine, job: AskJob, scenes: Sequence[str]) -> Generator[Asked, None, None]:
    yield from engine.ask(job, scenes)


def _nothing(tally: _Tally, scenes: int) -> str:
    why = "add scenes or families, or loosen their thresholds"
    if tally.unknown:
        why = (
            f"{tally.unknown} were dropped because nobody knows what the videos show: import the "
            "scenes with poses, or use a preset without `visible`"
        )
    elif tally.unseen:
        why = f"{tally.unseen} were dropped because an object is not seen: loosen `visible`"
    return f"{scenes} scenes gave no question: {why}"


def _scene(skipped: dict[str, str]) -> str:
    return skipped["scene"]
