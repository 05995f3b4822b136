"""Sizes of a Qwen2-VL, reckoned from its config alone: `harness plan` is to start no torch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from harness.component import ModelShape
from harness.errors import CheckpointError

PATCH = 14
MERGE = 2
TEMPORAL_PATCH = 2
# One token stands for MERGE x MERGE patches: frames are resized to multiples of this many pixels.
TOKEN_SIDE = PATCH * MERGE

_TEXT_KEYS = (
    "hidden_size",
    "intermediate_size",
    "max_position_embeddings",
    "num_attention_heads",
    "num_hidden_layers",
    "num_key_value_heads",
    "vocab_size",
)
_VISION_KEYS = ("depth", "embed_dim", "hidden_size")

# From the config.json of Qwen/Qwen2-VL-{2B,7B}-Instruct (hub revisions of 2024-08/09).
RELEASED: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "Qwen2-VL-2B": {
            "hidden_size": 1536,
            "intermediate_size": 8960,
            "max_position_embeddings": 32_768,
            "num_attention_heads": 12,
            "num_hidden_layers": 28,
            "num_key_value_heads": 2,
            "vocab_size": 151_936,
            "tie_word_embeddings": True,
            "vision_config": {"depth": 32, "embed_dim": 1280, "hidden_size": 1536, "num_heads": 16},
        },
        "Qwen2-VL-7B": {
            "hidden_size": 3584,
            "intermediate_size": 18_944,
            "max_position_embeddings": 32_768,
            "num_attention_heads": 28,
            "num_hidden_layers": 28,
            "num_key_value_heads": 4,
            "vocab_size": 152_064,
            "tie_word_embeddings": False,
            "vision_config": {"depth": 32, "embed_dim": 1280, "hidden_size": 3584, "num_heads": 16},
        },
    }
)


def shape_of(config: Mapping[str, Any], where: str) -> ModelShape:
    """Sizes of the model that a config.json describes.

    Args:
        config: its content; the language model's keys in `text_config`, or beside `vision_config`
            as in the releases.
        where: the file, for the error.

    Raises:
        CheckpointError: a size is missing or no positive integer.
    """
    text, vision = config.get("text_config") or config, config.get("vision_config") or {}
    faulty = [
        f"{section}{key}"
        for section, values, keys in (
            ("", text, _TEXT_KEYS),
            ("vision_config.", vision, _VISION_KEYS),
        )
        for key in keys
        if type(values.get(key)) is not int or values[key] < 1
    ]
    if faulty:
        raise CheckpointError(
            f"{where}: no positive integer as {', '.join(faulty)}: expected the config.json of a "
            "Qwen2-VL; copy it from the release the weights come from"
        )
    tied = config.get("tie_word_embeddings", text.get("tie_word_embeddings", False))
    tower = _vision_parameters(vision)
    return ModelShape(
        parameters=tower + _text_parameters(text, tied=bool(tied)),
        vision_parameters=tower,
        vision_hidden=vision["embed_dim"],
        vision_layers=vision["depth"],
        hidden=text["hidden_size"],
        layers=text["num_hidden_layers"],
        heads=text["num_attention_heads"],
        kv_heads=text["num_key_value_heads"],
        intermediate=text["intermediate_size"],
        vocabulary=text["vocab_size"],
        context=text["max_position_embeddings"],
    )


def video_tokens(frames: int, height: int, width: int, min_pixels: int, max_pixels: int) -> int:
    """Tokens of a video after temporal (2) and spatial (2 x 2) merging.

    Frames are resized as Qwen2VLVideoProcessor does: to the nearest multiples of 28, or, where that
    has too many or too few pixels, to the largest or smallest ones of the same shape within bounds.
    """
    rows, columns = max(1, round(height / TOKEN_SIDE)), max(1, round(width / TOKEN_SIDE))
    token = TOKEN_SIDE * TOKEN_SIDE
    if rows * columns * token > max_pixels:
        shrink = math.sqrt(height * width / max_pixels)
        rows = max(1, int(height / shrink / TOKEN_SIDE))
        columns = max(1, int(width / shrink / TOKEN_SIDE))
    elif rows * columns * token < min_pixels:
        grow = math.sqrt(min_pixels / (height * width))
        rows, columns = math.ceil(height * grow / TOKEN_SIDE), math.ceil(width * grow / TOKEN_SIDE)
    return math.ceil(frames / TEMPORAL_PATCH) * rows * columns


def _vision_parameters(vision: Mapping[str, Any]) -> int:
    width, out = vision["embed_dim"], vision["hidden_size"]
    inner, merged = int(width * vision.get("mlp_ratio", 4)), width * MERGE**2
    norms = 2 * 2 * width
    attention = _linear(width, 3 * width) + _linear(width, width)
    block = norms + attention + _linear(width, inner) + _linear(inner, width)
    patches = 3 * TEMPORAL_PATCH * PATCH**2 * width
    merger = 2 * width + _linear(merged, merged) + _linear(merged, out)
    return int(patches + vision["depth"] * block + merger)


def _text_parameters(text: Mapping[str, Any], *, tied: bool) -> int:
    width, inner = text["hidden_size"], text["intermediate_size"]
    kv = width // text["num_attention_heads"] * text["num_key_value_heads"]
    attention = _linear(width, width) + 2 * _linear(width, kv) + width * width
    layer = attention + 3 * width * inner + 2 * width
    embeddings = text["vocab_size"] * width * (1 if tied else 2)
    return int(embeddings + text["num_hidden_layers"] * layer + width)


def _linear(ins: int, outs: int) -> int:
    return ins * outs + outs
