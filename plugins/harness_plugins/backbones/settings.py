"""Settings of the backbones (no torch, no numpy: read to list the plugins)."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from harness.component import Settings


class Qwen2VLSettings(Settings):
    """A released or fine-tuned Qwen2-VL."""

    checkpoint: str = "Qwen/Qwen2-VL-2B-Instruct"
    """Folder with weights and processor, or the model's name on the Hugging Face hub."""
    dtype: Literal["float32", "bfloat16", "float16"] = "bfloat16"
    """Precision of the weights."""
    attention: Literal["sdpa", "eager", "flash_attention_2"] = "sdpa"
    """Attention implementation (transformers' name)."""
    min_pixels: Annotated[int, Field(ge=784)] = 784
    """Smallest frame in pixels, after the video processor's resize; 784 is one token."""
    max_pixels: Annotated[int, Field(ge=784)] = 100352
    """Largest frame in pixels, after the video processor's resize (128 x 28 x 28, as Video-R1)."""


class TinySettings(Settings):
    """A Qwen2-VL of a few million random parameters, built on the spot."""

    seed: Annotated[int, Field(ge=0)] = 0
    """Seed of the weights."""
    hidden: Annotated[int, Field(ge=32, multiple_of=16)] = 192
    """Width of the language model."""
    layers: Annotated[int, Field(ge=1)] = 4
    """Depth of the language model."""
    heads: Annotated[int, Field(ge=1)] = 6
    """Attention heads of the language model."""
    vision_hidden: Annotated[int, Field(ge=32, multiple_of=16)] = 64
    """Width of the vision tower."""
    vision_layers: Annotated[int, Field(ge=1)] = 2
    """Depth of the vision tower."""
    vocabulary: Annotated[int, Field(ge=400, le=8192)] = 1536
    """Size of the byte-level BPE vocabulary, special tokens included."""

    @model_validator(mode="after")
    def _heads_fit(self) -> Self:
        # rotary position embeddings turn pairs of numbers
        if self.hidden % (2 * self.heads):
            raise ValueError(
                f"hidden {self.hidden} cannot be shared by {self.heads} heads in even parts: "
                "choose heads so that hidden is a multiple of 2 x heads"
            )
        return self
