"""Sizes without torch, against the model and the processor themselves."""

from __future__ import annotations

import json
from functools import cache

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import Qwen2VLConfig, Qwen2VLForConditionalGeneration
from transformers.models.qwen2_vl.video_processing_qwen2_vl import (
    Qwen2VLVideoProcessor,
    smart_resize,
)

from harness.errors import CheckpointError
from harness_plugins.backbones.qwen2_vl import Qwen2VL
from harness_plugins.backbones.qwen2_vl_sizes import RELEASED, shape_of, video_tokens
from harness_plugins.backbones.settings import Qwen2VLSettings

SIDE = st.integers(28, 2048)
BUDGET = st.integers(1, 600).map(lambda tokens: tokens * 784)


@given(st.integers(1, 64), SIDE, SIDE, BUDGET, BUDGET)
@settings(derandomize=True, max_examples=300, deadline=None)
def test_frames_are_resized_as_the_video_processor_does(frames, height, width, one, other):
    low, high = sorted((one, other))
    rows, columns = smart_resize(height, width, 28, low, high)
    expected = -(-frames // 2) * (rows // 28) * (columns // 28)
    assert video_tokens(frames, height, width, low, high) == expected


@given(st.integers(1, 7), st.integers(28, 300), st.integers(28, 300), BUDGET, BUDGET)
@settings(derandomize=True, max_examples=25, deadline=None)
def test_tokens_are_those_of_the_video_processor(frames, height, width, one, other):
    low, high = sorted((one, other))
    processor = video_processor(low, high)
    video = torch.zeros(frames, 3, height, width, dtype=torch.uint8)
    grid = processor(videos=[video], do_sample_frames=False, return_tensors="pt")["video_grid_thw"]
    assert video_tokens(frames, height, width, low, high) == grid.prod().item() // 4


@cache
def video_processor(low, high):
    size = {"shortest_edge": low, "longest_edge": high}
    return Qwen2VLVideoProcessor(size=size, cap_pixels_per_frame=False)


def test_tokens_by_hand():
    # 16 frames: 8 steps; 252 x 336 pixels: 9 x 12 tokens
    assert video_tokens(16, 252, 336, 784, 100_352) == 8 * 9 * 12
    # a budget of 4 tokens: 9 x 12 becomes 1 x 2
    assert video_tokens(3, 252, 336, 784, 4 * 784) == 2 * 1 * 2
    # at least 6 tokens: 28 x 28 becomes 3 x 3
    assert video_tokens(1, 28, 28, 6 * 784, 100_352) == 9


@pytest.mark.parametrize("name", sorted(RELEASED))
def test_released_sizes_are_the_models(name):
    with torch.device("meta"):
        model = Qwen2VLForConditionalGeneration(Qwen2VLConfig.from_dict(dict(RELEASED[name])))
    model.tie_weights()
    text, shape = model.config.text_config, shape_of(RELEASED[name], name)
    assert shape.parameters == model.num_parameters()
    assert shape.vision_parameters == sum(p.numel() for p in model.model.visual.parameters())
    assert shape.vision_layers == len(model.model.visual.blocks)
    assert shape.vision_hidden == model.model.visual.blocks[0].norm1.weight.numel()
    assert (shape.hidden, shape.layers) == (text.hidden_size, text.num_hidden_layers)
    assert (shape.heads, shape.kv_heads) == (text.num_attention_heads, text.num_key_value_heads)
    assert (shape.intermediate, shape.vocabulary) == (text.intermediate_size, text.vocab_size)
    assert shape.context == text.max_position_embeddings


def test_released_sizes_by_name():
    """2.2 and 8.3 billion: the model cards' 2B and 7B, with their towers of 0.67."""
    shapes = {
        name: Qwen2VL(Qwen2VLSettings(checkpoint=f"Qwen/{name}-Instruct")).shape()
        for name in RELEASED
    }
    assert {name: shape.parameters for name, shape in shapes.items()} == {
        "Qwen2-VL-2B": 2_208_985_600,
        "Qwen2-VL-7B": 8_291_375_616,
    }


@pytest.mark.parametrize("as_released", [True, False])
def test_sizes_from_a_config_file(tmp_path, as_released):
    values = dict(RELEASED["Qwen2-VL-2B"])
    folder = tmp_path / "Qwen2-VL-7B"  # the file counts, not the name
    folder.mkdir()
    if as_released:
        (folder / "config.json").write_text(json.dumps(values))
    else:  # transformers 5 puts the language model's sizes in a section of their own
        Qwen2VLConfig.from_dict(values).save_pretrained(folder)
        assert "hidden_size" not in json.loads((folder / "config.json").read_text())
    found = Qwen2VL(Qwen2VLSettings(checkpoint=str(folder))).shape()
    assert found == shape_of(RELEASED["Qwen2-VL-2B"], "released")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", r"config.json: no JSON \(.*\); copy it again"),
        ("[1]", "config.json: expected a JSON object, found list"),
        ('{"model_type": "bert", "hidden_size": 768}', "vision_config.depth.*Qwen2-VL"),
        (
            json.dumps({**RELEASED["Qwen2-VL-2B"], "vocab_size": "many", "hidden_size": 0}),
            "no positive integer as hidden_size, vocab_size:",
        ),
    ],
)
def test_a_config_of_something_else_is_named(tmp_path, content, message):
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(CheckpointError, match=message):
        Qwen2VL(Qwen2VLSettings(checkpoint=str(tmp_path))).shape()


def test_unknown_sizes_are_named():
    backbone = Qwen2VL(Qwen2VLSettings(checkpoint="someone/a-model"))
    with pytest.raises(
        CheckpointError, match=r"sizes of 'someone/a-model' are unknown.*Qwen2-VL-2B"
    ):
        backbone.shape()
