"""The run's own held-out questions as a task."""

from __future__ import annotations

import pytest

from harness import HarnessError, Question, Task, TaskInput
from harness_tasks.generated import build
from harness_tasks.settings import AskSettings

QUESTIONS = (
    Question("a", "s1", "d", "object_counting", "How many?", "2"),
    Question("b", "s1", "d", "object_rel_distance", "Which is closest?", "bed", style="vsi_100k"),
    Question("c", "s2", "d", "colour", "Which colour?", "red", ("blue", "red")),
)


def test_asks_the_held_out_questions():
    task = build(AskSettings())
    assert isinstance(task, Task)
    assert task.missing() == ()
    assert task.questions(TaskInput(QUESTIONS)) == QUESTIONS


def test_right_answers_score_one_in_every_prompt():
    for prompt in ("thinking-in-space", "vanilla", "paper-think"):
        task = build(AskSettings(prompt=prompt))
        assert [task.score(q, q.gold).score for q in QUESTIONS] == [1, 1, 1]
    for prompt in ("think", "observe"):
        task = build(AskSettings(prompt=prompt))
        answers = [f"<{prompt}>so</{prompt}>\n<answer>{q.gold}</answer>" for q in QUESTIONS]
        scored = [task.score(q, a) for q, a in zip(QUESTIONS, answers, strict=True)]
        assert [s.score for s in scored] == [1, 1, 1]
        assert [s.answer for s in scored] == answers


def test_no_questions_and_shared_ids_are_errors():
    task = build(AskSettings())
    with pytest.raises(HarnessError, match="made no questions on its held-out scenes"):
        task.questions(TaskInput())
    twice = (*QUESTIONS, QUESTIONS[0], Question("", "s", "d", "object_counting", "?", "1"))
    with pytest.raises(HarnessError, match=r"found 'a' \(2 times\), '' \(1 times\)$"):
        task.questions(TaskInput(twice))
