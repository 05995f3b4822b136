"""`tiny`: the real Qwen2-VL classes at a few million random parameters, built in a second.

For tests, demonstrations and rehearsals of a recipe. The tokenizer is a byte-level BPE trained on
the spot, with Qwen2-VL's special tokens and a chat template of the same shape.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.component import ModelShape
from harness_plugins.backbones.qwen2_vl import Qwen2VL
from harness_plugins.backbones.qwen2_vl_sizes import MERGE, PATCH, TEMPORAL_PATCH, shape_of
from harness_plugins.backbones.settings import Qwen2VLSettings, TinySettings

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedModel

SPECIAL_TOKENS = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|vision_pad|>",
    "<|image_pad|>",
    "<|video_pad|>",
)
CONTEXT = 4096
MIN_PIXELS, MAX_PIXELS = 784, 100_352  # one to 128 tokens a frame, as Video-R1
# Qwen2-VL's turns: a system line, then each message between <|im_start|> and <|im_end|>.
CHAT_TEMPLATE = (
    "{%- if messages[0].role != 'system' -%}"
    "{{- '<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n' -}}"
    "{%- endif -%}"
    "{%- for message in messages -%}"
    "{{- '<|im_start|>' + message.role + '\n' -}}"
    "{%- if message.content is string -%}{{- message.content -}}"
    "{%- else -%}{%- for part in message.content -%}"
    "{%- if part.type == 'video' -%}{{- '<|vision_start|><|video_pad|><|vision_end|>' -}}"
    "{%- elif part.type == 'image' -%}{{- '<|vision_start|><|image_pad|><|vision_end|>' -}}"
    "{%- elif part.type == 'text' -%}{{- part.text -}}"
    "{%- endif -%}{%- endfor -%}{%- endif -%}"
    "{{- '<|im_end|>\n' -}}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\n' -}}{%- endif -%}"
)


class Tiny(Qwen2VL):
    """The `tiny` backbone. It sees what Qwen2-VL sees, through the same code."""

    def __init__(self, settings: TinySettings) -> None:
        super().__init__(
            Qwen2VLSettings(
                checkpoint="tiny", dtype="float32", min_pixels=MIN_PIXELS, max_pixels=MAX_PIXELS
            )
        )
        self._tiny = settings

    def checkpoint(self, workdir: Path) -> str:
        """Build weights and processor under `workdir`, unless they are there."""
        folder = workdir / f"tiny-{self._fingerprint()}"
        if not (folder / "complete").is_file():
            self._build(folder)
            (folder / "complete").touch()
        return str(folder)

    def missing(self) -> Sequence[str]:
        """Nothing: it is built here."""
        return []

    def shape(self) -> ModelShape:
        """Reckoned from the settings."""
        return shape_of(self._config(), "tiny")

    def _fingerprint(self) -> str:
        content = json.dumps(self._tiny.model_dump(), sort_keys=True) + CHAT_TEMPLATE
        return hashlib.sha256(content.encode()).hexdigest()[:12]

    def _build(self, folder: Path) -> None:
        import torch
        from transformers import (
            PreTrainedTokenizerFast,
            Qwen2VLConfig,
            Qwen2VLForConditionalGeneration,
            Qwen2VLImageProcessor,
            Qwen2VLProcessor,
            Qwen2VLVideoProcessor,
        )

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self._tiny.seed)
            model: PreTrainedModel = Qwen2VLForConditionalGeneration(
                Qwen2VLConfig(**self._config())
            )
        # not Qwen2's class, which would split words again whatever the tokenizer was trained on
        tokenizer = PreTrainedTokenizerFast(
            tokenizer_object=train_tokenizer(self._tiny.vocabulary),
            eos_token="<|im_end|>",  # noqa: S106  (a vocabulary entry)
            pad_token="<|endoftext|>",  # noqa: S106
            unk_token=None,
            bos_token=None,
            model_max_length=CONTEXT,
        )
        patches: dict[str, Any] = {
            "patch_size": PATCH,
            "temporal_patch_size": TEMPORAL_PATCH,
            "merge_size": MERGE,
        }
        budget = {"shortest_edge": MIN_PIXELS, "longest_edge": MAX_PIXELS}
        processor = Qwen2VLProcessor(
            image_processor=Qwen2VLImageProcessor(**patches),
            tokenizer=tokenizer,
            # other engines read the frames' size from the files
            video_processor=Qwen2VLVideoProcessor(
                **patches, size=budget, cap_pixels_per_frame=False
            ),
            chat_template=CHAT_TEMPLATE,
        )
        model.generation_config.update(
            eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id
        )
        model.save_pretrained(folder)
        processor.save_pretrained(folder)

    def _config(self) -> dict[str, Any]:
        tiny = self._tiny
        ids = {name: i for i, name in enumerate(SPECIAL_TOKENS)}
        return {
            "text_config": {
                "vocab_size": tiny.vocabulary,
                "hidden_size": tiny.hidden,
                "intermediate_size": 4 * tiny.hidden,
                "num_hidden_layers": tiny.layers,
                "num_attention_heads": tiny.heads,
                "num_key_value_heads": tiny.heads,
                "max_position_embeddings": CONTEXT,
                "rope_parameters": {
                    "rope_type": "default",
                    "rope_theta": 10_000.0,
                    # temporal, height and width share the rotary pairs as in Qwen2-VL (16, 24, 24)
                    "mrope_section": _split(tiny.hidden // tiny.heads // 2),
                },
                "bos_token_id": None,
                "eos_token_id": ids["<|im_end|>"],
                "pad_token_id": ids["<|endoftext|>"],
            },
            "vision_config": {
                "depth": tiny.vision_layers,
                "embed_dim": tiny.vision_hidden,
                "hidden_size": tiny.hidden,
                "num_heads": _vision_heads(tiny.vision_hidden),
                "patch_size": PATCH,
                "temporal_patch_size": TEMPORAL_PATCH,
                "spatial_merge_size": MERGE,
            },
            "image_token_id": ids["<|image_pad|>"],
            "video_token_id": ids["<|video_pad|>"],
            "vision_start_token_id": ids["<|vision_start|>"],
            "vision_end_token_id": ids["<|vision_end|>"],
            "tie_word_embeddings": True,
        }


def train_tokenizer(vocabulary: int) -> Tokenizer:
    """A byte-level BPE over the packaged templates; digits stay single, as in Qwen2's tokenizer.

    Unlike there, a token may span several words: the templates' fixed phrases become few tokens,
    and a demonstration's prompts half as long.
    """
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(
                Regex(r"\p{N}|[\n(),.:?<>]|[^\p{N}\n(),.:?<>]+"), behavior="isolated"
            ),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_corpus(), trainer)
    return tokenizer


def build_tiny(settings: TinySettings) -> Tiny:
    """Entry of the component `tiny`."""
    return Tiny(settings)


def _corpus() -> Iterator[str]:
    """Each template with every name in each of its places."""
    names = _lines("tiny_names.txt")
    for template in _lines("tiny_corpus.txt"):
        places = template.count("{}")
        for turn in range(len(names)):
            yield (
                template.format(*(names[(turn + 7 * i) % len(names)] for i in range(places))) + "\n"
            )


def _lines(name: str) -> list[str]:
    return files("harness_plugins.backbones").joinpath(name).read_text("utf-8").splitlines()


def _vision_heads(width: int) -> int:
    """About 32 wide each, in a multiple of four numbers for two-dimensional positions."""
    return next(n for n in range(max(1, width // 32), 0, -1) if width % (4 * n) == 0)


def _split(pairs: int) -> list[int]:
    temporal = max(1, pairs // 4)
    height = (pairs - temporal) // 2
    return [temporal, height, pairs - temporal - height]
