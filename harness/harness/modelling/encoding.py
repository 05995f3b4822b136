"""From question and video to model inputs: the one path that training and inference share.

A video is put through the model's processor once; every prompt about it reuses the pixels and the
block of placeholder tokens that the processor wrote for it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from harness.errors import CheckpointError

if TYPE_CHECKING:
    from transformers import ProcessorMixin

    from harness.video import Clip

# Pixels kept in memory: enough for hundreds of small clips, a few dozen of training size.
CACHE_BYTES = 512 * 2**20
VIDEO_TYPE = 2  # transformers' mm_token_type_ids: 0 text, 1 image, 2 video


@dataclass(frozen=True)
class EncodedVideo:
    """A video as the model takes it.

    Args:
        pixels: (patch rows, patch size) float32.
        grid: (1, 3) temporal, height and width in patches.
        block: token ids that stand for the video in a prompt, start and end markers included.
    """

    pixels: torch.Tensor
    grid: torch.Tensor
    block: tuple[int, ...]


class VideoEncoder:
    """Encodes prompts and videos with a backbone's processor.

    Args:
        processor: the backbone's processor.
        clip_of: gives the sampled frames of a video by its key (a scene id).
    """

    def __init__(self, processor: ProcessorMixin, clip_of: Callable[[str], Clip]) -> None:
        self.processor: Any = processor
        self.tokenizer: Any = processor.tokenizer
        self._clip_of = clip_of
        self._videos: OrderedDict[str, EncodedVideo] = OrderedDict()
        self._bytes = 0
        self.video_token_id: int = processor.video_token_id
        self._bare = self._bare_block()

    def clip(self, key: str) -> Clip:
        """The sampled frames of a video."""
        return self._clip_of(key)

    def video(self, key: str) -> EncodedVideo:
        """The encoded video of a key; the least recently used ones are dropped from memory."""
        if key in self._videos:
            self._videos.move_to_end(key)
            return self._videos[key]
        encoded = self._encode(key)
        self._videos[key] = encoded
        self._bytes += encoded.pixels.nbytes
        while self._bytes > CACHE_BYTES and len(self._videos) > 1:
            _, oldest = self._videos.popitem(last=False)
            self._bytes -= oldest.pixels.nbytes
        return encoded

    def prompt_ids(self, text: str, key: str | None) -> list[int]:
        """Token ids of a user turn (video first, then text) and the assistant's opening.

        Without a key the prompt has no video at all: the blind baseline.
        """
        content = [{"type": "text", "text": text}]
        if key is not None:
            content.insert(0, {"type": "video"})
        rendered = self.processor.apply_chat_template(
            [{"role": "user", "content": content}], tokenize=False, add_generation_prompt=True
        )
        ids: list[int] = self.tokenizer(rendered, add_special_tokens=False)["input_ids"]
        return ids if key is None else self._with_block(ids, self.video(key).block)

    def target_ids(self, text: str) -> list[int]:
        """Token ids of an answer and the end of the turn."""
        ids: list[int] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return [*ids, self.tokenizer.eos_token_id]

    def pixel_inputs(self, keys: Sequence[str]) -> dict[str, torch.Tensor]:
        """Pixels and grids of the rows of a batch, one video each, in their order."""
        videos = [self.video(key) for key in keys]
        if not videos:
            return {}
        return {
            "pixel_values_videos": torch.cat([v.pixels for v in videos]),
            "video_grid_thw": torch.cat([v.grid for v in videos]),
        }

    def token_types(self, ids: torch.Tensor) -> torch.Tensor:
        """`mm_token_type_ids` of any shape of token ids."""
        return torch.where(ids == self.video_token_id, VIDEO_TYPE, 0)

    def end_token_ids(self) -> set[int]:
        """The tokens that end an answer."""
        return {self.tokenizer.eos_token_id, self.tokenizer.pad_token_id}

    def silent_token_ids(self) -> list[int]:
        """Special tokens a model must not generate: all but the ends of a turn.

        A generated video placeholder would stand for a video that is not there.
        """
        special = set(self.tokenizer.all_special_ids) | {
            index for index, token in self.tokenizer.added_tokens_decoder.items() if token.special
        }
        return sorted(special - self.end_token_ids())

    def _encode(self, key: str) -> EncodedVideo:
        frames = self._clip_of(key).frames
        inputs = self.processor(
            text=[self._bare_text],
            videos=[torch.from_numpy(frames.copy()).permute(0, 3, 1, 2)],
            do_sample_frames=False,
            return_tensors="pt",
        )
        pixels, grid = inputs["pixel_values_videos"], inputs["video_grid_thw"]
        return EncodedVideo(pixels, grid, tuple(inputs["input_ids"][0].tolist()))

    def _bare_block(self) -> tuple[int, ...]:
        """The ids that the chat template writes for a video before it is expanded."""
        question: dict[str, Any] = {"type": "text", "text": "?"}
        with_video, without = (
            self.processor.apply_chat_template([{"role": "user", "content": c}], tokenize=False)
            for c in ([{"type": "video"}, question], [question])
        )
        pairs = enumerate(zip(with_video, without, strict=False))
        start = next((i for i, (one, other) in pairs if one != other), len(without))
        self._bare_text = with_video[start : start + len(with_video) - len(without)]
        token = self.processor.video_token
        if self._bare_text.count(token) != 1:
            raise CheckpointError(
                f"the chat template writes {self._bare_text!r} for a video, expected one {token}: "
                "use the chat template of the model's own release"
            )
        return tuple(self.tokenizer(self._bare_text, add_special_tokens=False)["input_ids"])

    def _with_block(self, ids: list[int], block: tuple[int, ...]) -> list[int]:
        width = len(self._bare)
        for i in range(len(ids) - width + 1):
            if tuple(ids[i : i + width]) == self._bare:
                return [*ids[:i], *block, *ids[i + width :]]
        raise CheckpointError(
            "the prompt holds no video block: the chat template dropped the video"
        )
