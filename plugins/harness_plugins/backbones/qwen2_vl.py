"""Qwen2-VL (arXiv 2409.12191) through transformers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from harness.component import ModelShape
from harness.errors import CheckpointError
from harness_plugins.backbones.qwen2_vl_sizes import RELEASED, shape_of, video_tokens
from harness_plugins.backbones.settings import Qwen2VLSettings

if TYPE_CHECKING:
    from transformers import PreTrainedModel, ProcessorMixin

VIDEO_TOKEN = "<|video_pad|>"  # noqa: S105  (a vocabulary entry)
# `missing` has said what is not here; asking the hub again would wait for it where it is out of reach
LOCAL: Mapping[str, Any] = MappingProxyType({"trust_remote_code": False, "local_files_only": True})


class Qwen2VL:
    """The `qwen2_vl` backbone: a folder or a hub name, loaded without remote code."""

    lora_targets = r".*language_model.*\.(q|k|v|o|gate|up|down)_proj"

    def __init__(self, settings: Qwen2VLSettings) -> None:
        self._settings = settings

    def checkpoint(self, workdir: Path) -> str:
        """The settings' checkpoint; `workdir` stays empty."""
        return self._settings.checkpoint

    def missing(self) -> Sequence[str]:
        """A folder that does not exist, or hub weights that are not in the local cache."""
        name = self._settings.checkpoint
        if Path(name).is_dir():
            return [f"{name}: {what}" for what in _absent_files(Path(name))]
        if _looks_like_path(name):
            remedy = "give an existing one with --set backbone.checkpoint=FOLDER"
            return [f"checkpoint folder {name!r} does not exist: {remedy}"]
        if _in_hub_cache(name):
            return []
        remedy = (
            f"`hf download {name}` fetches it where the hub can be reached, or give a folder with "
            "--set backbone.checkpoint=FOLDER"
        )
        return [f"checkpoint {name!r} is not on this machine: {remedy}"]

    def load_processor(self, checkpoint: str) -> ProcessorMixin:
        """Tokenizer, chat template and video processor with the settings' pixel budget.

        Raises:
            CheckpointError: a part is missing.
        """
        from transformers import AutoProcessor

        try:
            processor = AutoProcessor.from_pretrained(checkpoint, **LOCAL)
        except (OSError, ValueError, TypeError, AttributeError, ImportError) as error:
            raise CheckpointError(_unusable(checkpoint, "processor", error)) from error
        lacking = [
            part
            for part in ("tokenizer", "video_processor", "chat_template")
            if getattr(processor, part, None) is None
        ]
        if not lacking and processor.tokenizer.convert_tokens_to_ids(VIDEO_TOKEN) in (
            None,
            processor.tokenizer.unk_token_id,
        ):
            lacking = [f"the token {VIDEO_TOKEN}"]
        if lacking:
            raise CheckpointError(
                f"checkpoint {checkpoint!r}: the processor lacks {', '.join(lacking)}; expected the "
                "processor files of a Qwen2-VL release (preprocessor_config.json, "
                "tokenizer.json, chat_template.json) beside the weights"
            )
        self._set_pixels(processor)
        return processor

    def load_model(self, checkpoint: str) -> PreTrainedModel:
        """The model on the CPU, in eval mode.

        Raises:
            CheckpointError: no weights, another architecture, or weights that do not fit.
        """
        import torch
        from safetensors import SafetensorError
        from transformers import AutoConfig, Qwen2VLForConditionalGeneration

        try:
            config = AutoConfig.from_pretrained(checkpoint, **LOCAL)
            if config.model_type != "qwen2_vl":
                raise CheckpointError(
                    f"checkpoint {checkpoint!r} is a {config.model_type!r} model, expected 'qwen2_vl': "
                    "choose another backbone with --set backbone.use=NAME (`harness plugins`)"
                )
            model, found = Qwen2VLForConditionalGeneration.from_pretrained(
                checkpoint,
                dtype=getattr(torch, self._settings.dtype),
                attn_implementation=self._settings.attention,
                use_safetensors=True,
                ignore_mismatched_sizes=True,  # refused below, with their names
                output_loading_info=True,
                **LOCAL,
            )
        except (OSError, ValueError, ImportError, RuntimeError, SafetensorError) as error:
            raise CheckpointError(_unusable(checkpoint, "weights", error)) from error
        # transformers fills them with random numbers, and says so in a log line alone
        random = sorted([*found["missing_keys"], *(key[0] for key in found["mismatched_keys"])])
        if random:
            raise CheckpointError(
                f"checkpoint {checkpoint!r}: {len(random)} weights are missing or of another size than "
                f"config.json says, among them {', '.join(random[:3])}: copy all its files again"
            )
        return model.eval()

    def shape(self) -> ModelShape:
        """From the checkpoint's config.json if it is local, else from the released sizes.

        Raises:
            CheckpointError: neither is there, or the file is no Qwen2-VL's.
        """
        name = self._settings.checkpoint
        config = Path(name) / "config.json" if Path(name).is_dir() else _cached(name, "config.json")
        if config is not None and config.is_file():
            return shape_of(_read_config(config), str(config))
        for released, values in RELEASED.items():
            if released in name:
                return shape_of(values, released)
        raise CheckpointError(
            f"the sizes of {name!r} are unknown: give a folder with a config.json, or one of "
            f"{', '.join(sorted(RELEASED))}"
        )

    def video_tokens(self, frames: int, height: int, width: int) -> int:
        """As the video processor counts, within the settings' pixel budget."""
        bounds = self._settings.min_pixels, self._settings.max_pixels
        return video_tokens(frames, height, width, *bounds)

    def vision_tower(self, model: PreTrainedModel) -> Any:
        """`model.visual`, also under a peft wrapper."""
        base = model.get_base_model() if hasattr(model, "get_base_model") else model
        return base.model.visual

    def _set_pixels(self, processor: Any) -> None:
        processor.video_processor.size = {
            "shortest_edge": self._settings.min_pixels,
            "longest_edge": self._settings.max_pixels,
        }
        # max_pixels is the budget of one frame; transformers asks to say so since 5.17
        processor.video_processor.cap_pixels_per_frame = False


def build_qwen2_vl(settings: Qwen2VLSettings) -> Qwen2VL:
    """Entry of the component `qwen2_vl`."""
    return Qwen2VL(settings)


def _absent_files(folder: Path) -> list[str]:
    wanted = {
        "no config.json": ["config.json"],
        "no *.safetensors weights": ["*.safetensors"],
        "no tokenizer.json": ["tokenizer.json"],
        "no processor (preprocessor_config.json or processor_config.json)": [
            "preprocessor_config.json",
            "processor_config.json",
            "video_preprocessor_config.json",
        ],
    }
    return [
        f"{what}: copy it from the release the weights come from"
        for what, patterns in wanted.items()
        if not any(any(folder.glob(pattern)) for pattern in patterns)
    ]


def _looks_like_path(name: str) -> bool:
    return name.startswith((".", "/", "~")) or name.count("/") != 1


def _in_hub_cache(name: str) -> bool:
    weights = ("model.safetensors", "model.safetensors.index.json")
    return any(_cached(name, file) for file in weights) and all(
        _cached(name, file) for file in ("config.json", "tokenizer.json")
    )


def _cached(name: str, file: str) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    try:
        found = try_to_load_from_cache(name, file)
    except ValueError:  # no name the hub could have
        return None
    return Path(found) if isinstance(found, str) else None


def _read_config(path: Path) -> Mapping[str, Any]:
    try:
        config = json.loads(path.read_bytes())
    except ValueError as error:
        raise CheckpointError(f"{path}: no JSON ({error}); copy it again") from error
    if not isinstance(config, dict):
        raise CheckpointError(f"{path}: expected a JSON object, found {type(config).__name__}")
    return config


def _unusable(checkpoint: str, part: str, error: Exception) -> str:
    first_line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return (
        f"checkpoint {checkpoint!r}: the {part} cannot be loaded: {first_line}; expected a folder or "
        "hub name of a Qwen2-VL release with config.json, *.safetensors and processor files"
    )
