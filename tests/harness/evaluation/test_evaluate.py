"""Asking, scoring and going on after a kill, without a model."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from harness.component import Scored
from harness.errors import HarnessError
from harness.evaluation.evaluate import Evaluation, evaluate, read_scored, write_difference
from harness.question import Question
from harness.scoring import find_parser, score_answer

QUESTIONS = [
    Question(
        id=f"q{i}",
        scene=f"room{i // 3}",
        dataset="test",
        question_type="object_counting",
        text=f"How many chair(s) are in room {i}?",
        answer=str(i % 4),
    )
    for i in range(11)
]


class Counting:
    """Asks for a number, scores as VSI-Bench."""

    max_new_tokens = 16

    def missing(self):
        return ()

    def questions(self, given):
        return QUESTIONS

    def prompt(self, question):
        return f"{question.text} Number only."

    def score(self, question, answer) -> Scored:
        return score_answer(question, answer, "vanilla", find_parser("thinking-in-space"))


class Model:
    """Answers with the length of the prompt and remembers the batches it was asked."""

    def __init__(self, fail_after: int | None = None) -> None:
        self.batches: list[list[str]] = []
        self.fail_after = fail_after

    def __call__(self, batch: Sequence[Question], prompts: Sequence[str]) -> list[str]:
        if len(self.batches) == self.fail_after:
            raise KeyboardInterrupt
        self.batches.append([question.id for question in batch])
        return [str(int(question.id[1:]) % 3) for question in batch]


@pytest.fixture
def ask(tmp_path: Path) -> Callable[..., list[Scored]]:
    def run(model: Model, folder: str = "run", questions=QUESTIONS, progress=None, **changes):
        job = Evaluation(
            **{
                "task": Counting(),
                "questions": questions,
                "answer": model,
                "seen": lambda question: {"video": f"{question.scene}.mp4"},
                "folder": tmp_path / folder,
                "batch_size": 4,
                "resamples": 100,
                "seed": 0,
                **changes,
            }
        )
        return evaluate(job, progress or (lambda _done, _total, _shown: None))

    return run


BATCHES = [["q0", "q1", "q2", "q3"], ["q4", "q5", "q6", "q7"], ["q8", "q9", "q10"]]


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_every_question_is_asked_once_in_batches_and_scored(ask, tmp_path):
    model, told = Model(), []
    scored = ask(model, progress=lambda *step: told.append(step[:2]))
    assert model.batches == BATCHES
    assert told == [(4, 11), (8, 11), (11, 11)]
    assert [one.question.id for one in scored] == [question.id for question in QUESTIONS]
    rows = [json.loads(line) for line in (tmp_path / "run/answers.jsonl").read_text().splitlines()]
    assert rows[5] == {
        "id": "q5",
        "scene": "room1",
        "dataset": "test",
        "question_type": "object_counting",
        "question": "How many chair(s) are in room 5?",
        "options": None,
        "gold": "1",
        "prompt": "How many chair(s) are in room 5? Number only.",
        "answer": "2",
        "parsed": 2.0,
        "score": 0.0,
        "video": "room1.mp4",
    }
    table = json.loads((tmp_path / "run/scores.json").read_text())
    assert (table["n"], table["scenes"], table["rows"][0]["name"]) == (11, 4, "object_counting")
    assert table["rows"][0]["value"] == sum(one.score for one in scored) / 11


@pytest.mark.parametrize("batches", [0, 1, 2])
def test_an_interrupted_evaluation_goes_on_with_the_same_batches(ask, tmp_path, batches):
    ask(Model(), "unbroken")
    with pytest.raises(KeyboardInterrupt):
        ask(Model(fail_after=batches))
    rest = Model()
    ask(rest)
    assert rest.batches == BATCHES[batches:]
    assert files(tmp_path / "run") == files(tmp_path / "unbroken")


DAMAGES = {
    "torn amid the second batch": (lambda lines: [*lines[:6], lines[6][:40]], 1),
    "torn just before a line break": (lambda lines: [*lines[:7], lines[7].rstrip("\n")], 1),
    "an incomplete batch": (lambda lines: lines[:6], 1),
    "two whole batches": (lambda lines: lines[:8], 2),
    "blocks that were never written": (lambda lines: [*lines[:4], "\0\0\0\n"], 1),
    "no UTF-8": (lambda lines: [*lines[:4], "\udcff\n"], 1),
    "no object": (lambda lines: [*lines[:4], "[]\n", *lines[5:]], 1),
    "no answer": (lambda lines: [*lines[:4], '{"id": "q4"}\n', *lines[5:]], 1),
    "another order": (lambda lines: [lines[1], lines[0], *lines[2:]], 0),
    "empty": (lambda lines: [], 0),
    "whole, but not scored": (lambda lines: lines, 3),
    "more than was asked": (lambda lines: [*lines, lines[0]], 3),
}


@pytest.mark.parametrize(("damage", "kept"), DAMAGES.values(), ids=DAMAGES.keys())
def test_damaged_answers_are_cut_off_and_asked_again(ask, tmp_path, damage, kept):
    ask(Model(), "unbroken")
    lines = (tmp_path / "unbroken/answers.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "run").mkdir()
    text = "".join(damage(lines))
    (tmp_path / "run/answers.jsonl").write_bytes(text.encode(errors="surrogateescape"))
    model = Model()
    ask(model)
    assert model.batches == BATCHES[kept:]
    assert files(tmp_path / "run") == files(tmp_path / "unbroken")


def test_changed_questions_are_asked_again(ask, tmp_path):
    ask(Model())
    changed = [*QUESTIONS[:5], *QUESTIONS[6:]]
    model = Model()
    ask(model, questions=changed)
    assert model.batches == [["q4", "q6", "q7", "q8"], ["q9", "q10"]]
    ask(Model(), "unbroken", questions=changed)
    assert files(tmp_path / "run") == files(tmp_path / "unbroken")


def test_every_prompt_needs_an_answer(ask):
    with pytest.raises(HarnessError, match="3 answers came back for 4 prompts"):
        ask(lambda batch, prompts: ["1"] * 3)


def test_a_finished_evaluation_is_scored_again_from_its_answers(ask, tmp_path):
    scored = ask(Model())
    assert read_scored(tmp_path / "run", Counting(), QUESTIONS) == scored


def test_the_difference_is_taken_question_by_question(ask, tmp_path):
    before = ask(Model(), "before")
    after = ask(lambda batch, prompts: [question.gold for question in batch], "after")
    job = Evaluation(Counting(), QUESTIONS, Model(), lambda _q: {}, tmp_path / "after", 4, 100, 0)
    write_difference(job, "before", before, after)
    written = json.loads((tmp_path / "after/difference.json").read_text())
    assert written["against"] == "before"
    gain = 1 - sum(one.score for one in before) / 11
    assert written["rows"]["micro"]["value"] == pytest.approx(gain)
