"""Greedy answers from a transformers model, in batches, with the alignment guard listening."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import torch

from harness.component import Backbone
from harness.modelling.alignment import AlignmentGuard
from harness.modelling.encoding import VideoEncoder


@dataclass(frozen=True)
class Ask:
    """One prompt: its text, and the key of its video, or None to ask blind."""

    text: str
    video: str | None


class TransformersEngine:
    """Answers prompts with `model.generate`, temperature 0.

    Args:
        backbone: the model family.
        checkpoint: folder or name of the weights.
        encoder: prompts and videos to model inputs.
    """

    def __init__(self, backbone: Backbone, checkpoint: str, encoder: VideoEncoder) -> None:
        self.encoder = encoder
        self.guard = AlignmentGuard(encoder)
        device = "cuda" if torch.cuda.is_available() else "cpu"
        self._model: Any = backbone.load_model(checkpoint).to(device)
        self._silent = encoder.silent_token_ids()
        self.guard.listen(backbone.vision_tower(self._model))

    def answers(self, asks: Sequence[Ask], max_new_tokens: int) -> list[str]:
        """One answer for each prompt, in order; all with a video, or all without."""
        keys = [ask.video for ask in asks if ask.video is not None]
        if keys and len(keys) != len(asks):
            raise ValueError("a batch is asked with videos or blind, not both")
        rows = [self.encoder.prompt_ids(ask.text, ask.video) for ask in asks]
        inputs = {
            name: value.to(self._model.device)
            for name, value in {**self._padded(rows), **self.encoder.pixel_inputs(keys)}.items()
        }
        watch = self.guard.watch("evaluate", keys, inputs["input_ids"]) if keys else nullcontext()
        with torch.inference_mode(), watch:
            output = self._model.generate(
                **inputs,
                max_new_tokens=max_new_tokens,
                do_sample=False,
                num_beams=1,
                temperature=None,
                top_p=None,
                top_k=None,
                suppress_tokens=self._silent,
            )
        new = output[:, inputs["input_ids"].shape[1] :]
        decoded: list[str] = self.encoder.tokenizer.batch_decode(new, skip_special_tokens=True)
        return decoded

    def _padded(self, rows: Sequence[list[int]]) -> dict[str, torch.Tensor]:
        width = max(map(len, rows))
        pad = self.encoder.tokenizer.pad_token_id
        ids = torch.tensor([[pad] * (width - len(row)) + row for row in rows])
        mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows])
        return {
            "input_ids": ids,
            "attention_mask": mask,
            "mm_token_type_ids": self.encoder.token_types(ids),
        }
