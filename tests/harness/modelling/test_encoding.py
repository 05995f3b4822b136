"""The one path from question and video to model inputs, against the processor's own."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from harness.errors import CheckpointError
from harness.modelling import encoding
from harness.modelling.encoding import VideoEncoder

PROMPTS = [
    "How many chair(s) are in this room?",
    "If I am standing by the door…\nOptions:\nA. left\nB. right\n答案 🪑",
    "",
]


def noise(frames: int, height: int, width: int):
    shape = (frames, height, width, 3)
    return SimpleNamespace(frames=np.random.default_rng(frames).integers(0, 255, shape, np.uint8))


def whole(processor, asked, clips):
    """What the processor makes of prompts and videos by itself."""
    rendered = [
        processor.apply_chat_template(
            [{"role": "user", "content": [{"type": "video"}, {"type": "text", "text": text}]}],
            tokenize=False,
            add_generation_prompt=True,
        )
        for text in asked
    ]
    return processor(
        text=rendered,
        videos=[torch.from_numpy(clip.frames).permute(0, 3, 1, 2) for clip in clips],
        do_sample_frames=False,
        padding=True,
        padding_side="right",
        return_tensors="pt",
    )


@pytest.mark.parametrize("text", PROMPTS)
@pytest.mark.parametrize(
    "size", [(4, 56, 56), (1, 28, 28), (3, 56, 84), (5, 100, 61), (2, 480, 640)], ids=str
)
def test_prompt_and_pixels_are_the_processors(encoder, text, size):
    clip = noise(*size)
    own = VideoEncoder(encoder.processor, {"room": clip}.__getitem__)
    expected = whole(encoder.processor, [text], [clip])
    assert own.prompt_ids(text, "room") == expected["input_ids"][0].tolist()
    pixels = own.pixel_inputs(["room"])
    assert torch.equal(pixels["pixel_values_videos"], expected["pixel_values_videos"])
    assert torch.equal(pixels["video_grid_thw"], expected["video_grid_thw"])


def test_a_batch_of_other_sizes_is_the_processors(encoder):
    clips = {"wide": noise(3, 56, 112), "tall": noise(6, 112, 56)}
    own = VideoEncoder(encoder.processor, clips.__getitem__)
    expected = whole(encoder.processor, PROMPTS[:2], clips.values())
    pixels = own.pixel_inputs(["wide", "tall"])
    assert torch.equal(pixels["pixel_values_videos"], expected["pixel_values_videos"])
    assert torch.equal(pixels["video_grid_thw"], expected["video_grid_thw"])
    types = own.token_types(expected["input_ids"])
    assert torch.equal(types, expected["mm_token_type_ids"])


def test_a_blind_prompt_has_no_video(encoder):
    seen, blind = (encoder.prompt_ids("How many?", key) for key in ("room0", None))
    block = list(encoder.video("room0").block)
    assert encoder.video_token_id not in blind
    start = seen.index(block[0])
    assert seen == [*blind[:start], *block, *blind[start:]]
    assert encoder.pixel_inputs([]) == {}


def test_a_target_ends_its_turn(encoder):
    ids = encoder.target_ids("4.2")
    assert encoder.tokenizer.decode(ids) == "4.2<|im_end|>"


def test_silent_tokens_are_the_special_ones_that_end_nothing(encoder):
    silent = encoder.tokenizer.convert_ids_to_tokens(encoder.silent_token_ids())
    assert set(silent) == {
        "<|im_start|>",
        "<|vision_start|>",
        "<|vision_end|>",
        "<|vision_pad|>",
        "<|image_pad|>",
        "<|video_pad|>",
    }
    ends = encoder.tokenizer.convert_ids_to_tokens(sorted(encoder.end_token_ids()))
    assert ends == ["<|endoftext|>", "<|im_end|>"]


def test_the_least_recently_used_videos_leave_memory(encoder, monkeypatch):
    read = []

    def clip_of(key):
        read.append(key)
        return noise(2, 28, 28)

    own = VideoEncoder(encoder.processor, clip_of)
    one = own.video("a").pixels.nbytes
    monkeypatch.setattr(encoding, "CACHE_BYTES", 2 * one)
    for key in ("b", "a", "c", "a", "b"):  # c drives out b, the second b drives out c
        own.video(key)
    assert read == ["a", "b", "c", "b"]


def test_a_video_larger_than_the_memory_is_kept_while_it_is_the_only_one(encoder, monkeypatch):
    monkeypatch.setattr(encoding, "CACHE_BYTES", 1)
    own = VideoEncoder(encoder.processor, lambda _key: noise(2, 28, 28))
    assert own.video("a") is own.video("a")


# a text model's template, and one with another model's placeholder
@pytest.mark.parametrize("written", ["", "<video>"])
def test_a_template_without_the_video_is_refused(backbone, checkpoint, written):
    processor = backbone.load_processor(checkpoint)
    part = "{{ part.text if part.type == 'text' else '" + written + "' }}"
    processor.chat_template = "{% for part in messages[0].content %}" + part + "{% endfor %}"
    with pytest.raises(CheckpointError, match=f"writes '{written}' for a video") as error:
        VideoEncoder(processor, lambda _key: noise(2, 28, 28))
    assert "expected one <|video_pad|>: use the chat template" in str(error.value)


def test_a_template_that_drops_the_video_of_a_long_prompt_is_refused(backbone, checkpoint):
    processor = backbone.load_processor(checkpoint)
    drops = "{% if messages[0].content[-1].text | length < 20 or part.type == 'text' %}"
    part = (
        "{{ part.text if part.type == 'text' else '<|vision_start|><|video_pad|><|vision_end|>' }}"
    )
    processor.chat_template = (
        "{% for part in messages[0].content %}" + drops + part + "{% endif %}{% endfor %}"
    )
    own = VideoEncoder(processor, lambda _key: noise(2, 28, 28))
    assert own.video_token_id in own.prompt_ids("short", "room")
    with pytest.raises(CheckpointError, match="the chat template dropped the video"):
        own.prompt_ids("a prompt of many letters", "room")
