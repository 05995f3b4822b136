"""The alignment guard: proof that every pass of a run saw the same pixels and tokens.

Plain trainers can generate with a video and then compute the loss without it, silently. The guard
listens at the vision tower: for each batch it compares the pixels that went in with those the
batch's videos should have given, and the video tokens of each prompt with those they stand for.
"""

from __future__ import annotations

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
    _heard: list[tuple[torch.Tensor, torch.Tensor]] = field(default_factory=list)
    _watching: bool = False

    def listen(self, tower: torch.nn.Module) -> None:
        """Hear everything that goes through a vision tower."""
        tower.register_forward_pre_hook(self._hear, with_kwargs=True)

    @contextmanager
    def watch(
        self, kind: str, keys: Sequence[str], input_ids: torch.Tensor, calls: int = 1
    ) -> Iterator[None]:
        """Check one batch: each call of a tower gets the rows' videos, in the rows' order.

        Args:
            kind: name of the pass, such as `generate`, `reference` or `train`.
            keys: the video of each row.
            input_ids: (rows, length) ids that the model gets.
            calls: times the batch goes through a vision tower inside the block.

        Raises:
            AlignmentError: pixels or tokens were missing, added or others than the videos'.
        """
        self._check_tokens(kind, keys, input_ids)
        self._heard, self._watching = [], True
        try:
            yield
        finally:
            self._watching = False
        right = [self._rows_right(pixels, grid, keys) for pixels, grid in self._heard]
        if right != [len(keys)] * calls:
            raise AlignmentError(
                f"alignment guard: pass {kind!r}: expected {calls} call(s) of the vision tower, each "
                f"with the pixels of all {len(keys)} rows; found {len(right)} call(s), with {right} "
                "rows right. The model was trained or asked blind or on other frames; no result of "
                "this run can be trusted. Check the versions with `harness doctor`; a plugin that "
                "changes inputs must keep them."
            )
        count = self.passes.setdefault(kind, PassCount())
        count.batches += 1
        count.videos += len(keys) * calls
        count.patch_rows += sum(pixels.shape[0] for pixels, _ in self._heard)
        count.video_tokens += int((input_ids == self.encoder.video_token_id).sum()) * calls
        self._heard = []

    def record(self) -> dict[str, dict[str, int]]:
        """Counts by kind of pass."""
        return {kind: asdict(count) for kind, count in sorted(self.passes.items())}

    def _hear(
        self, _module: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        if not self._watching:
            return
        pixels = args[0] if args else kwargs["hidden_states"]
        grid = kwargs["grid_thw"] if "grid_thw" in kwargs else args[1]
        self._heard.append((pixels.detach(), grid))

    def _rows_right(self, pixels: torch.Tensor, grid: torch.Tensor, keys: Sequence[str]) -> int:
        """Rows whose pixels are exactly those of their video; 0 if there are more or fewer rows."""
        if len(grid) != len(keys):
            return 0
        parts = torch.split(pixels, grid.prod(-1).tolist())
        return sum(
            self._is_video(part, row_grid, key)
            for part, row_grid, key in zip(parts, grid, keys, strict=True)
        )

    def _is_video(self, pixels: torch.Tensor, grid: torch.Tensor, key: str) -> bool:
        video = self.encoder.video(key)
        # the model casts pixels to the tower's dtype before they get there
        expected = video.pixels.to(device=pixels.device, dtype=pixels.dtype)
        return torch.equal(grid.cpu(), video.grid[0]) and torch.equal(pixels, expected)

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
