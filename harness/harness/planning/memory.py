"""An estimate of a training stage's memory from the model's sizes.

Counted: weights, the reference model, gradients and AdamW's two moments of what is trained, the
activations that wait for the backward pass (SDPA, fused LM head: no score matrix, no logits kept),
those of the vision tower (of one block at a time where it is frozen), and the KV cache of the
rollouts. Not counted: allocator fragmentation and CUDA's own context, about 1 to 2 GiB together.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.component import ModelShape
from harness.schema import DpoStage, GrpoStage, TrainStage

# Numbers a layer keeps for its backward pass, for each token, in units of the width they have:
# inputs of two norms, of q/k/v, of attention, of the output projection and both residuals (8 x
# hidden); keys and values (2 x their width); gate, up, their activation and product (4 x MLP).
KEPT_HIDDEN, KEPT_KV, KEPT_MLP = 8, 2, 4
# The same for a block of the vision tower, whose MLP is four times as wide as the rest: two norms,
# q/k/v (3), attention, projection, residuals (2), and the MLP before and after its activation (8).
VISION_KEPT = 16
ADAM_MOMENTS = 2
BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
PATCHES_PER_TOKEN = 4


@dataclass(frozen=True)
class MemoryEstimate:
    """Bytes by what they are for."""

    weights: float
    reference: float
    gradients: float
    optimizer: float
    activations: float
    kv_cache: float

    @property
    def total(self) -> float:
        """The peak: rollouts and the backward pass do not happen at once."""
        fixed = self.weights + self.reference + self.optimizer
        return fixed + max(self.gradients + self.activations, self.kv_cache)


def estimate(
    stage: TrainStage, shape: ModelShape, dtype: str, video_tokens: int, text_tokens: int
) -> MemoryEstimate:
    """The memory of one device that trains the stage alone.

    Args:
        stage: the recipe's section.
        shape: the model's sizes.
        dtype: of the weights.
        video_tokens: tokens of the video in each prompt.
        text_tokens: the other tokens of a prompt, and of the answer in SFT and DPO.
    """
    width = BYTES[dtype]
    answer = stage.max_completion_length if isinstance(stage, GrpoStage) else 0
    rows = stage.batch_size * (2 if isinstance(stage, DpoStage) else 1)
    tokens = rows * (video_tokens + text_tokens + answer)
    trained = trained_parameters(stage, shape)
    # peft keeps adapters in float32 whatever the weights' dtype
    state = trained * (4 if stage.lora else width)
    return MemoryEstimate(
        weights=shape.parameters * width,
        reference=shape.parameters * width if _copies_reference(stage) else 0,
        gradients=state,
        optimizer=ADAM_MOMENTS * state,
        activations=_activations(stage, shape, tokens, rows * video_tokens) * width,
        kv_cache=_kv_cache(stage, shape, video_tokens + text_tokens + answer) * width,
    )


def trained_parameters(stage: TrainStage, shape: ModelShape) -> int:
    """Parameters that get a gradient; LoRA on all linear layers of the language model."""
    if stage.lora is None:
        return shape.parameters - (shape.vision_parameters if stage.freeze_vision else 0)
    kv = shape.hidden // shape.heads * shape.kv_heads
    ins_and_outs = (
        2 * (shape.hidden + shape.hidden)  # q, o
        + 2 * (shape.hidden + kv)  # k, v
        + 3 * (shape.hidden + shape.intermediate)  # gate, up, down
    )
    return stage.lora.r * ins_and_outs * shape.layers


def _copies_reference(stage: TrainStage) -> bool:
    if stage.lora is not None:
        return False
    return isinstance(stage, DpoStage) or (isinstance(stage, GrpoStage) and stage.beta > 0)


def _activations(stage: TrainStage, shape: ModelShape, tokens: int, video_tokens: int) -> float:
    kv = shape.hidden // shape.heads * shape.kv_heads
    layer = tokens * (KEPT_HIDDEN * shape.hidden + KEPT_KV * kv + KEPT_MLP * shape.intermediate)
    boundaries = tokens * shape.hidden * shape.layers
    language = layer + boundaries if stage.gradient_checkpointing else layer * shape.layers
    return language + _vision_activations(stage, shape, video_tokens * PATCHES_PER_TOKEN)


def _vision_activations(stage: TrainStage, shape: ModelShape, patches: int) -> float:
    block = patches * VISION_KEPT * shape.vision_hidden
    if stage.freeze_vision or stage.lora is not None:
        return block  # nothing of it waits for a backward pass
    if stage.gradient_checkpointing:
        return block + patches * shape.vision_hidden * shape.vision_layers
    return block * shape.vision_layers


def _kv_cache(stage: TrainStage, shape: ModelShape, length: int) -> float:
    if not isinstance(stage, GrpoStage):
        return 0
    rows = stage.batch_size * stage.gradient_accumulation
    kv = shape.hidden // shape.heads * shape.kv_heads
    return rows * length * shape.layers * 2 * kv
