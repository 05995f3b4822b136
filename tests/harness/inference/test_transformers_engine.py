"""Greedy answers: whatever the batch, the same words."""

from __future__ import annotations

import pytest
import torch

from harness.inference.transformers_engine import Ask, TransformersEngine

# of other lengths, so that a batch of them is padded
TEXTS = [
    "How many chair(s) are in this room?",
    "What is the size of this room (in square meters)? \nIf multiple rooms are shown, estimate it.",
    "?",
    "Options:\nA. left\nB. right\nC. back",
    "Measuring from the closest point of each object, what is the distance?",
]
ASKS = [Ask(text, f"room{i}") for i, text in enumerate(TEXTS)]


@pytest.fixture(scope="module")
def engine(backbone, checkpoint, encoder):
    """The tiny model with larger weights: a fresh one answers everything alike."""
    made = TransformersEngine(backbone, checkpoint, encoder)
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in made._model.parameters():
            if parameter.ndim > 1:
                noise = torch.randn(parameter.shape, generator=generator)
                parameter.add_(0.2 * noise.to(parameter.device))
    return made


@pytest.fixture(scope="module")
def one_by_one(engine):
    return [engine.answers([ask], 8)[0] for ask in ASKS]


@pytest.mark.parametrize("size", [2, 3, 5])
def test_answers_do_not_depend_on_the_batch(engine, one_by_one, size):
    answers = []
    for start in range(0, len(ASKS), size):
        answers += engine.answers(ASKS[start : start + size], 8)
    assert answers == one_by_one
    assert len(set(answers)) == len(ASKS)


def test_answers_come_in_the_order_of_the_prompts(engine, one_by_one):
    assert engine.answers(ASKS[::-1], 8) == one_by_one[::-1]


def test_the_video_matters_and_a_blind_prompt_has_none(engine, one_by_one):
    elsewhere = [engine.answers([Ask(ask.text, "room7")], 8)[0] for ask in ASKS]
    blind = [engine.answers([Ask(ask.text, None)], 8)[0] for ask in ASKS]
    assert all(a != b for a, b in zip(elsewhere, one_by_one, strict=True))
    assert all(a != b for a, b in zip(blind, one_by_one, strict=True))
    assert engine.answers([Ask(text, None) for text in TEXTS], 8) == blind


def test_blind_and_seeing_prompts_do_not_mix(engine):
    with pytest.raises(ValueError, match="with videos or blind, not both"):
        engine.answers([ASKS[0], Ask("?", None)], 8)


@pytest.fixture
def on_logits(engine):
    """Has every token's logits (rows, 1, vocabulary) changed on their way out of the model."""
    handles = []

    def change(function):
        handles.append(engine._model.lm_head.register_forward_hook(lambda _m, _i, x: function(x)))

    yield change
    for handle in handles:
        handle.remove()


def test_an_answer_has_at_most_the_tokens_it_may_have(engine, one_by_one, on_logits):
    steps = []
    on_logits(lambda logits: steps.append(logits.shape[0]))
    shorter = engine.answers(ASKS, 3)
    assert steps == [len(ASKS)] * 3
    assert all(len(a) < len(b) for a, b in zip(shorter, one_by_one, strict=True))


def test_special_tokens_are_never_generated(engine, encoder, one_by_one, on_logits):
    """Not even by a model that wants nothing else."""
    silent = torch.tensor(encoder.silent_token_ids())
    on_logits(lambda logits: logits.index_fill(-1, silent.to(logits.device), 1e4))
    assert engine.answers(ASKS, 8) == one_by_one


def test_an_answer_ends_at_the_end_of_the_turn(engine, encoder, on_logits):
    two_tokens = engine.answers(ASKS[:2], 2)
    end = torch.tensor([encoder.tokenizer.eos_token_id])
    step = iter(range(8))
    on_logits(lambda x: x.index_fill(-1, end.to(x.device), 1e4) if next(step) == 2 else x)
    assert engine.answers(ASKS[:2], 8) == two_tokens


def test_the_guard_saw_every_video(encoder, backbone, checkpoint):
    fresh = TransformersEngine(backbone, checkpoint, encoder)
    fresh.answers(ASKS, 2)
    fresh.answers([Ask("?", None)], 2)  # nothing to see
    assert fresh.guard.record() == {
        "evaluate": {"batches": 1, "videos": 5, "patch_rows": 160, "video_tokens": 40}
    }
