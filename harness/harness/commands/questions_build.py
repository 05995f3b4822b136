"""`harness questions build`: a question set from a scene source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import typer

from harness.assembly import ask_rules
from harness.commands.source import open_source, source_part
from harness.guarded import GuardedScenes
from harness.plugins import load_catalogue
from harness.progress import bar
from harness.question_build import AskJob, Built, FamilyJob, Limits, built_questions, find_engine
from harness.question_files import (
    Composition,
    SetDescription,
    check_target,
    find_form,
    write_questions,
)
from harness.recipe import Part, Preset, load_preset
from harness.schema import LayoutVideo
from harness.terminal import one_line


@dataclass(frozen=True)
class BuildOptions:
    """The options of the command; see `harness questions build --help`."""

    preset: str
    changes: tuple[str, ...]
    form: str | None
    candidates: bool
    limit: int | None
    seed: int
    workers: int | None
    engine: str
    address: str | None
    max_faulty: int
    allow_leak: bool


def build_questions(source: str, settings: Sequence[str], out: Path, options: BuildOptions) -> None:
    """Ask the source's scenes, write the set, and tell what is in it.

    Raises:
        UsageError: wrong options or settings, or leaked scenes. SceneError: faulty scenes.
        HarnessError: no questions, or they cannot be written.
    """
    form = find_form(out, options.form)
    check_target(out, form)
    engine = find_engine(options.engine, options.workers, options.address)
    preset = load_preset(
        options.preset, options.changes, load_catalogue(), candidates=options.candidates
    )
    part = source_part(source, settings)
    opened = open_source(part)
    job = ask_job(part, opened, preset, options.seed)
    limits = Limits(options.limit, options.max_faulty, options.allow_leak)
    with (
        bar(f"questions of {one_line(source)}", "scenes") as step,
        built_questions(
            job,
            opened.scene_ids(),
            engine,
            limits,
            folder=out.absolute().parent,
            progress=lambda done, total, scene: step(done, total, one_line(scene)),
        ) as built,
    ):
        composition = write_questions(
            built.questions, out, form, _about(out, part, preset, options, built)
        )
    for line in summary_lines(out, built, composition):
        typer.echo(line)


def ask_job(part: Part, source: GuardedScenes, preset: Preset, seed: int) -> AskJob:
    """The job in plain values.

    Scenes without footage are asked what a layout video of them would show only where the source
    says that such videos are all there is.
    """
    questions = preset.questions
    families = tuple(
        FamilyJob(
            name,
            preset.parts[f"families.{name}"].registered.name,
            preset.parts[f"families.{name}"].settings.model_dump_json(),
            ref.limit,
            ref.per_scene,
            ref.weight,
        )
        for name, ref in questions.families.items()
    )
    layout = LayoutVideo() if source.drawn else None
    rules = ask_rules(questions, style=questions.style, seed=seed, layout=layout)
    return AskJob(part.registered.name, part.settings.model_dump_json(), families, rules)


def _about(
    out: Path, part: Part, preset: Preset, options: BuildOptions, built: Built
) -> SetDescription:
    changes = "".join(f", {change}" for change in options.changes)
    sampling = ", every candidate" if options.candidates else ""
    notes = []
    if built.skipped:
        notes.append(f"{len(built.skipped)} faulty scenes were left out.")
    if built.unseen:
        notes.append(
            f"{_of(built.unseen, 'question')} about objects that are not seen were dropped."
        )
    registered = part.registered
    return SetDescription(
        name=out.stem,
        seed=options.seed,
        preset=f"{preset.name}{changes}{sampling}",
        sources=(f"{registered.name} ({registered.distribution} {registered.version})",),
        harness=version("vsi-harness"),
        settings=preset.document,
        notes=tuple(notes),
    )


def summary_lines(out: Path, built: Built, composition: Composition) -> Iterator[str]:
    """What was written, type by type, and what was left out and why."""
    yield (
        f"{one_line(str(out))}: {_of(composition.questions, 'question')} about "
        f"{len(composition.scenes):,} of {_of(built.scenes, 'scene')}"
    )
    width = max(map(len, composition.types))
    for name, counts in sorted(composition.types.items()):
        yield f"  {name:<{width}}  {counts.questions:>8,}  in {_of(len(counts.scenes), 'scene')}"
    silent = sorted(name for name, asked in built.asked.items() if not asked)
    if silent:
        yield f"no admissible question: {', '.join(silent)}"
    if built.unseen:
        yield f"dropped {_of(built.unseen, 'question')} about objects that the model would not see"
    if built.unknown:
        yield f"dropped {_of(built.unknown, 'question')} in scenes of which nobody knows what they show"
    if built.skipped:
        yield f"skipped {_of(len(built.skipped), 'faulty scene')}:"
        for skipped in built.skipped[:10]:
            yield f"  {one_line(skipped['scene'])}: {one_line(skipped['reason'])}"
    for split in sorted(set(built.leaked.values())):
        scenes = sum(1 for found in built.leaked.values() if found == split)
        yield (
            f"leak: {_of(scenes, 'scene')} of {split}; each of their rows is marked, and so is every "
            "run that trains on them"
        )


def _of(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
