"""Real vLLM on the tiny checkpoint: it sees the video that the harness sees.

vLLM's CPU build lives in an environment of its own (`make setup` makes `.venv-vllm`); the variable
HARNESS_VLLM_PYTHON names another one's interpreter.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from harness.inference.transformers_engine import Ask, TransformersEngine

PYTHON = Path(
    os.environ.get(
        "HARNESS_VLLM_PYTHON", Path(__file__).parents[2] / ".venv-vllm" / "bin" / "python"
    )
)
SCRIPT = Path(__file__).parent / "fixtures" / "answers_from_vllm.py"
TEXTS = ["How many chair(s) are in this room?", "Options:\nA. left\nB. right", "?"]
TOKENS, SAMPLES = 8, 8
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(backbone, checkpoint, tmp_path_factory):
    """A checkpoint with larger weights than a fresh one's, which answers everything alike."""
    made = tmp_path_factory.mktemp("vllm")
    model = backbone.load_model(checkpoint)
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.add_(0.2 * torch.randn(parameter.shape, generator=generator))
    model.save_pretrained(made / "model")
    backbone.load_processor(checkpoint).save_pretrained(made / "model")
    return made


@pytest.fixture(scope="module")
def asks():
    return [Ask(text, f"room{i}") for i, text in enumerate(TEXTS)]


@pytest.fixture(scope="module")
def given(folder, encoder, asks):
    """What vLLM gave: prompts and answers as token ids, and the answers' log-probabilities."""
    if not PYTHON.is_file():
        pytest.skip(
            f"no environment with vLLM at {PYTHON} (make setup, or set HARNESS_VLLM_PYTHON)"
        )
    np.save(folder / "videos.npy", np.stack([encoder.clip(ask.video).frames for ask in asks]))
    silent = set(encoder.silent_token_ids())
    asked = {
        "checkpoint": str(folder / "model"),
        "videos": str(folder / "videos.npy"),
        "prompts": [unexpanded(encoder, ask) for ask in asks],
        "allowed": [i for i in range(len(encoder.tokenizer)) if i not in silent],
        "tokens": TOKENS,
        "samples": SAMPLES,
    }
    (folder / "asked.json").write_text(json.dumps(asked))
    done = subprocess.run(
        [str(PYTHON), str(SCRIPT), str(folder / "asked.json"), str(folder / "answers.json")],
        capture_output=True,
        text=True,
        check=False,
        timeout=540,
        env={
            **os.environ,
            "VLLM_CPU_KVCACHE_SPACE": "1",
            "VLLM_NO_USAGE_STATS": "1",
            "HF_HUB_OFFLINE": "1",
            "TORCHDYNAMO_DISABLE": "1",  # compiling takes longer than running
        },
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    return json.loads((folder / "answers.json").read_text())


def unexpanded(encoder, ask):
    """A prompt with one placeholder for its video: vLLM expands it itself."""
    block = list(encoder.video(ask.video).block)
    ids = encoder.prompt_ids(ask.text, ask.video)
    start = next(i for i in range(len(ids)) if ids[i : i + len(block)] == block)
    return [*ids[: start + 1], encoder.video_token_id, *ids[start + len(block) - 1 :]]


def test_prompts_are_expanded_to_the_same_tokens(given, encoder, asks):
    expected = [encoder.prompt_ids(ask.text, ask.video) for ask in asks]
    assert [result["prompt"] for result in given["greedy"]] == expected


def test_greedy_answers_are_those_of_transformers(given, backbone, folder, encoder, asks):
    engine = TransformersEngine(backbone, str(folder / "model"), encoder)
    answers = [
        encoder.tokenizer.decode(result["answers"][0], skip_special_tokens=True)
        for result in given["greedy"]
    ]
    assert answers == engine.answers(asks, TOKENS)
    assert len(set(answers)) == len(asks)


def test_a_group_of_samples_shares_prompt_and_video(given, encoder, asks):
    sampled = given["sampled"]
    assert sampled["prompt"] == encoder.prompt_ids(asks[0].text, asks[0].video)
    assert len(sampled["answers"]) == SAMPLES
    assert len({tuple(answer) for answer in sampled["answers"]}) == SAMPLES
    silent = set(encoder.silent_token_ids())
    assert not any(silent & set(answer) for answer in sampled["answers"])


def test_log_probabilities_are_those_of_a_training_pass(given, backbone, folder, encoder, asks):
    """Of greedy and sampled answers, under the video; without it they are others."""
    model = backbone.load_model(str(folder / "model"))
    results = [*zip(given["greedy"], asks, strict=True), (given["sampled"], asks[0])]
    seen, blind, found = [], [], []
    for result, ask in results:
        for answer, logprobs in zip(result["answers"], result["logprobs"], strict=True):
            found += logprobs
            seen += logps(model, encoder, result["prompt"], answer, ask.video)
            blind += logps(model, encoder, result["prompt"], answer, None)
    torch.testing.assert_close(found, seen, rtol=1e-3, atol=1e-3)
    assert np.mean(np.abs(np.subtract(found, blind))) > 0.05


def logps(model, encoder, prompt, answer, video):
    ids = torch.tensor([prompt + answer])
    with torch.no_grad():
        logits = model(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            mm_token_type_ids=encoder.token_types(ids),
            **encoder.pixel_inputs([video] if video else []),
        ).logits[0, len(prompt) - 1 : -1]
    return torch.log_softmax(logits, -1).gather(1, torch.tensor(answer)[:, None])[:, 0].tolist()
