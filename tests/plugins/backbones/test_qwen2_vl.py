"""`qwen2_vl`: what it loads, and what it says of checkpoints that it cannot load."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from harness.errors import CheckpointError
from harness_plugins.backbones.qwen2_vl import Qwen2VL
from harness_plugins.backbones.settings import Qwen2VLSettings

HUB_NAME = "harness-tests/no-such-model"


def backbone(checkpoint: object = "unused", **settings: object) -> Qwen2VL:
    return Qwen2VL(Qwen2VLSettings(checkpoint=str(checkpoint), **settings))


def edit_json(folder: Path, name: str, **changes: object) -> None:
    path = folder / name
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def edit_weights(folder: Path, change) -> None:
    path = folder / "model.safetensors"
    weights = load_file(path)
    change(weights, next(name for name in sorted(weights) if "q_proj.weight" in name))
    save_file(weights, path, {"format": "pt"})


def test_a_saved_folder_loads(small, saved):
    loaded = backbone(saved, dtype="float32")
    assert loaded.missing() == []
    assert loaded.checkpoint(Path("unused")) == str(saved)
    model, expected = loaded.load_model(str(saved)), small().load_model(str(saved))
    assert not model.training
    assert model.config._attn_implementation == "sdpa"
    assert loaded.shape() == small().shape()
    pairs = zip(model.named_parameters(), expected.named_parameters(), strict=True)
    assert all(name == other and torch.equal(p, q) for (name, p), (other, q) in pairs)
    assert loaded.vision_tower(model) is model.model.visual


def test_settings_reach_model_and_processor(saved):
    loaded = backbone(saved, attention="eager", min_pixels=1568, max_pixels=7840)
    model = loaded.load_model(str(saved))
    assert model.dtype == torch.bfloat16
    assert model.config._attn_implementation == "eager"
    processor = loaded.load_processor(str(saved))
    video = torch.zeros(3, 3, 448, 448, dtype=torch.uint8)
    inputs = processor.video_processor(videos=[video], do_sample_frames=False, return_tensors="pt")
    assert inputs["video_grid_thw"].tolist() == [[2, 6, 6]]  # 84 x 84 pixels of at most 7840
    assert loaded.video_tokens(3, 448, 448) == 2 * 3 * 3


def test_adapters_go_to_every_linear_layer_of_the_language_model(saved):
    model = backbone().load_model(str(saved))
    hit = {
        name
        for name, _ in model.named_modules()
        if re.fullmatch(Qwen2VL.lora_targets, name)  # as peft does
    }
    assert hit == {
        name
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and "language_model" in name
    }
    assert len(hit) == 2 * 7


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (
            lambda f: edit_json(f, "config.json", model_type="qwen2_5_vl"),
            "is a 'qwen2_5_vl' model, expected 'qwen2_vl': choose another backbone",
        ),
        (lambda f: (f / "config.json").unlink(), "weights cannot be loaded: Unrecognized model"),
        (lambda f: (f / "config.json").write_text("{"), "config.json' is not a valid JSON file"),
        (lambda f: (f / "model.safetensors").unlink(), "no file named model.safetensors"),
        (lambda f: (f / "model.safetensors").write_bytes(b"PK"), "header too small"),
        (
            lambda f: (f / "model.safetensors").write_bytes(
                (f / "model.safetensors").read_bytes()[:9000]
            ),
            "file not fully covered",
        ),
        (
            lambda f: edit_weights(f, lambda weights, name: weights.pop(name)),
            r"1 weights are missing or of another size .* layers\.0\.self_attn\.q_proj\.weight",
        ),
        (
            lambda f: edit_weights(f, lambda weights, name: weights.update({name: torch.ones(2)})),
            r"1 weights are missing or of another size .* layers\.0\.self_attn\.q_proj\.weight",
        ),
    ],
    ids=["other", "no config", "bad config", "no weights", "junk", "cut", "one less", "misfit"],
)
def test_a_model_that_cannot_be_used_is_named(damaged, damage, message):
    folder = damaged(damage)
    with pytest.raises(CheckpointError, match=message.replace(" .* ", ".*")) as error:
        backbone().load_model(str(folder))
    assert str(error.value).startswith(f"checkpoint {str(folder)!r}")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / "processor_config.json").unlink(), "processor cannot be loaded"),
        (lambda f: (f / "processor_config.json").write_text("{"), "not a valid JSON file"),
        (lambda f: (f / "tokenizer.json").unlink(), "processor cannot be loaded"),
        (lambda f: (f / "chat_template.jinja").unlink(), "the processor lacks chat_template"),
        (
            lambda f: (f / "tokenizer.json").write_text(
                (f / "tokenizer.json").read_text().replace("<|video_pad|>", "<|another|>")
            ),
            r"the processor lacks the token <\|video_pad\|>",
        ),
    ],
    ids=["none", "bad", "no tokenizer", "no chat template", "no video token"],
)
def test_a_processor_that_cannot_be_used_is_named(damaged, damage, message):
    folder = damaged(damage)
    with pytest.raises(CheckpointError, match=message) as error:
        backbone().load_processor(str(folder))
    assert str(error.value).startswith(f"checkpoint {str(folder)!r}: the processor")


@pytest.mark.parametrize("load", ["load_processor", "load_model"])
def test_the_hub_is_not_asked(load):
    with pytest.raises(CheckpointError, match="couldn't find them in the cached files"):
        getattr(backbone(), load)(HUB_NAME)


@pytest.mark.parametrize("name", ["/no/such/folder", "./none", "none", "a/b/c"])
def test_a_folder_that_is_not_there_is_missing(name):
    remedy = "give an existing one with --set backbone.checkpoint=FOLDER"
    assert backbone(name).missing() == [f"checkpoint folder {name!r} does not exist: {remedy}"]


@pytest.mark.parametrize("name", [HUB_NAME, "no such/name"])
def test_a_hub_model_that_is_not_here_is_missing(name):
    remedy = (
        f"`hf download {name}` fetches it where the hub can be reached, or give a folder with "
        "--set backbone.checkpoint=FOLDER"
    )
    assert backbone(name).missing() == [f"checkpoint {name!r} is not on this machine: {remedy}"]


def test_files_that_a_folder_lacks_are_missing(damaged):
    def strip(folder):
        for name in ("config.json", "model.safetensors", "tokenizer.json", "processor_config.json"):
            (folder / name).unlink()

    folder = damaged(strip)
    assert backbone(folder).missing() == [
        f"{folder}: {what}: copy it from the release the weights come from"
        for what in (
            "no config.json",
            "no *.safetensors weights",
            "no tokenizer.json",
            "no processor (preprocessor_config.json or processor_config.json)",
        )
    ]
