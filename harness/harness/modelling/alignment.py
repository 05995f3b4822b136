"""The alignment guard: proof that every pass of a run saw the same pixels and tokens.

Plain trainers can generate with a video and then compute the loss without it, silently. The guard
listens at the vision tower: for each batch it compares the pixels that went in with those the
batch's videos should have given, and the video tokens of each prompt with those they stand for.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import torch

from harness.errors import AlignmentError
from harness.modelling.encoding import VideoEncoder


@dataclass
class PassCount:
    """What one kind of pass has seen so far."""

    batches: int = 0
    videos: int = 0
    patch_rows: int = 0
    video_tokens: int = 0


@dataclass
class AlignmentGuard:
    """Watches the vision towers of a run's models.

    Args:
        encoder: knows what each video's pixels and tokens are.
        passes: counts by kind of pass, for the run's record.
    """

    encoder: VideoEncoder
    passes: dict[str, PassCount] = field(default_factory=dict)
    _seen: list[Counter[str]] = field(default_factory=list)
    _rows: int = 0
    _digests: dict[tuple[str, torch.dtype], str] = field(default_factory=dict)
    _dtype: torch.dtype = torch.float32

    def listen(self, tower: torch.nn.Module) -> None:
        """Hear everything that goes through a vision tower."""
        self._dtype = next(tower.parameters()).dtype
        tower.register_forward_pre_hook(self._hear, with_kwargs=True)

    @contextmanager
    def watch(
        self, kind: str, keys: Sequence[str], input_ids: torch.Tensor, calls: int = 1
    ) -> Iterator[None]:
        """Check one batch.

        Args:
            kind: name of the pass, such as `generate`, `reference` or `train`.
            keys: the video of each row.
            input_ids: (rows, length) ids that the model gets.
            calls: times the batch goes through a vision tower inside the block.

        Raises:
            AlignmentError: pixels or tokens were missing, added or others than the videos'.
        """
        self._check_tokens(kind, keys, input_ids)
        self._seen, self._rows = [], 0
        yield
        expected = Counter(self._digest(key) for key in keys)
        if len(self._seen) != calls or any(seen != expected for seen in self._seen):
            found = [sum(seen.values()) for seen in self._seen]
            raise AlignmentError(
                f"alignment guard: pass {kind!r} of {len(keys)} rows: expected {calls} call(s) of the "
                f"vision tower, each with the pixels of all {len(keys)} videos; found {len(self._seen)} "
                f"call(s) with {found} videos, "
                f"{sum((seen & expected).total() for seen in self._seen)} of them right. The model was "
                "trained or asked blind or on other frames; no result of this run can be trusted. "
                "Check the versions with `harness doctor`; a plugin that changes inputs must keep them."
            )
        count = self.passes.setdefault(kind, PassCount())
        count.batches += 1
        count.videos += len(keys) * calls
        count.patch_rows += self._rows
        count.video_tokens += int((input_ids == self.encoder.video_token_id).sum()) * calls

    def record(self) -> dict[str, dict[str, int]]:
        """Counts by kind of pass."""
        return {kind: asdict(count) for kind, count in sorted(self.passes.items())}

    def _hear(
        self, _module: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        pixels = args[0] if args else kwargs["hidden_states"]
        grid = kwargs["grid_thw"] if "grid_thw" in kwargs else args[1]
        sizes = grid.prod(-1).tolist()
        parts = torch.split(pixels.detach(), sizes)
        self._seen.append(Counter(_digest(part, grid[i : i + 1]) for i, part in enumerate(parts)))
        self._rows += pixels.shape[0]

    def _digest(self, key: str) -> str:
        if (key, self._dtype) not in self._digests:
            video = self.encoder.video(key)
            self._digests[key, self._dtype] = _digest(video.pixels.to(self._dtype), video.grid)
        return self._digests[key, self._dtype]

    def _check_tokens(self, kind: str, keys: Sequence[str], input_ids: torch.Tensor) -> None:
        found = (input_ids == self.encoder.video_token_id).sum(dim=1).tolist()
        expected = [
            self.encoder.video(key).block.count(self.encoder.video_token_id) for key in keys
        ]
        if found != expected:
            raise AlignmentError(
                f"alignment guard: pass {kind!r}: the prompts hold {found} video tokens a row, the "
                f"videos stand for {expected}: a prompt was cut, or an answer holds video tokens"
            )


def _digest(pixels: torch.Tensor, grid: torch.Tensor) -> str:
    # bfloat16 has no numpy type: its bytes are read as integers of the same width
    raw = pixels.contiguous().cpu().view(torch.uint8).numpy().tobytes()
    return hashlib.sha256(raw + grid.cpu().to(torch.int64).numpy().tobytes()).hexdigest()
